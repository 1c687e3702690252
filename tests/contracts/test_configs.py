"""Every file in `configs/` loads with the code it is for, so that none can rot."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.config import load
from models.registry import ENTRIES
from models.training.config import load_config
from models.training.run import TASKS, task_of

CONFIGS = Path(__file__).parents[2] / "configs"
RECIPES = sorted(path.name for path in CONFIGS.glob("*.yaml") if path.name != "bridge.yaml")


def test_there_are_recipes_and_nothing_else() -> None:
    assert {"flagship.yaml", "nano.yaml"} <= set(RECIPES)
    assert sorted(path.name for path in CONFIGS.iterdir()) == sorted([*RECIPES, "bridge.yaml"])


def test_the_settings_of_the_daemon_load() -> None:
    assert load(CONFIGS / "bridge.yaml").model in ENTRIES


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_loads_and_its_network_can_be_made(name: str) -> None:
    config = load_config(CONFIGS / name)
    assert config.model in ENTRIES
    network = task_of(config, CONFIGS / name).network
    assert config.window_events <= network.config.block_size


def test_what_can_be_trained_can_be_served() -> None:
    assert TASKS.keys() <= ENTRIES.keys()
