"""Recipes: every value has its field's type, and a wrong one is told by file, key and value."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.data.corpus import Source
from models.training.config import TrainingConfig, TrainingConfigError, load_config


def recipe(folder: Path, text: str) -> Path:
    """A recipe with the key every recipe needs, and some more."""
    path = folder / "recipe.yaml"
    path.write_text(f"model: flagship\n{text}\n")
    return path


def problem_of(path: Path) -> str:
    """The sentence that refuses a recipe, without its file."""
    with pytest.raises(TrainingConfigError) as caught:
        load_config(path)
    assert str(caught.value).startswith(f"{path}: ")
    return str(caught.value).removeprefix(f"{path}: ")


def test_what_a_recipe_leaves_out_is_the_default(tmp_path: Path) -> None:
    assert load_config(recipe(tmp_path, "")) == TrainingConfig("flagship")


def test_values_take_the_type_of_their_field(tmp_path: Path) -> None:
    text = """
network: {n_layer: 3}
sources: [{name: music, weight: 2}, {name: songs, folders: [a, b]}]
muon_lr: 1e-4
decay: 0
compile: no
train_notes: 1_000
"""
    config = load_config(recipe(tmp_path, text))
    assert config.sources == (Source("music", 2.0), Source("songs", 1.0, ("a", "b")))
    assert (config.muon_lr, config.decay, config.compile, config.train_notes) == (1e-4, 0.0, False, 1000)
    assert config.network == {"n_layer": 3}
    assert isinstance(config.sources[0].weight, float)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("lr: 0.1", "unknown key 'lr'; known are adam_lr, average, "),
        ("muon_lr: fast", "muon_lr: expected float, found 'fast'"),
        ("muon_lr: yes", "muon_lr: expected float, found True"),
        ("batch_windows: 2.5", "batch_windows: expected int, found 2.5"),
        ("batch_windows: true", "batch_windows: expected int, found True"),
        ("train_notes: 1e6", "train_notes: expected int, found '1e6'"),
        ("compile: 1", "compile: expected bool, found 1"),
        ("sources: music", "sources: expected tuple[models.data.corpus.Source, ...], found 'music'"),
        ("sources: [music]", "sources[0]: expected keys and values, found 'music'"),
        ("sources: [{name: a}, {weight: 2}]", "sources[1]: key 'name' is missing"),
        (
            "sources: [{name: a, shuffle: 1}]",
            "sources[0]: unknown key 'shuffle'; known are folders, name, origin, weight",
        ),
        ("sources: [{name: 7}]", "sources[0]: name: expected str, found 7"),
        ("network: {n_layer: six}", "network.n_layer: expected int, found 'six'"),
        ("batch_windows: 0", "batch_windows must be at least 1, not 0"),
        ("adam_lr: -0.1", "adam_lr must be at least 0, not -0.1"),
        ("weight_decay: .nan", "weight_decay must be at least 0, not nan"),
        ("{warm_up: 0.6, decay: 0.6}", None),
        ("warm_up: 0.6\ndecay: 0.6", "warm_up and decay are shares of one run: 0.6 + 0.6 exceeds 1; lower one"),
        ("average: 1", "average must be below 1, not 1.0: it would never move"),
    ],
)
def test_a_wrong_value_is_told(tmp_path: Path, text: str, problem: str | None) -> None:
    found = problem_of(recipe(tmp_path, text))
    assert found.startswith("cannot be read as YAML" if problem is None else problem)


def test_a_recipe_without_a_model_is_told(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text("seed: 1\n")
    assert problem_of(path) == "key 'model' is missing"


@pytest.mark.parametrize("content", [b"", b"- a\n", b"just words"])
def test_what_is_no_mapping_is_told(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_bytes(content)
    assert problem_of(path).startswith("expected keys and values, found ")


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    assert problem_of(path).startswith("cannot be read as YAML: ")
    path.write_bytes(b"\xff\xfe\xff")
    assert problem_of(path).startswith("cannot be read as YAML: ")
