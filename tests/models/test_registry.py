"""Names of models to models."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from models import registry
from models.checkpoint import Card, card_path, save_weights
from models.generator import Context, Controls
from models.music.constants import PPQ
from models.music.score import Meter
from models.registry import ENTRIES, ModelError
from models.tokens.vocabulary import fingerprint
from tests.models.tiny import BAND, TINY, tiny_network

SIZES = {field.name: getattr(TINY, field.name) for field in fields(TINY)}


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """A tiny flagship as training leaves it."""
    path = tmp_path / "tiny.safetensors"
    network = tiny_network()
    save_weights(path, dict(network.named_parameters()), Card("flagship", SIZES, fingerprint(), 1))
    return path


def change_card(weights: Path, **changes: object) -> None:
    """Write another card."""
    values = json.loads(card_path(weights).read_text())
    card_path(weights).write_text(json.dumps({**values, **changes}))


def problem_of(name_or_path: str | Path, device: str = "cpu") -> str:
    """The one sentence that refuses a model."""
    with pytest.raises(ModelError) as caught:
        registry.load(str(name_or_path), device)
    text = str(caught.value)
    assert "\n" not in text
    assert ": " in text, "the sentence names the cure"
    return text


def test_importing_the_registry_loads_no_torch() -> None:
    code = "import sys, models.registry; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_entry_names_controls_that_exist() -> None:
    known = {field.name for field in fields(Controls)}
    for entry in ENTRIES.values():
        assert entry.controls <= known
        assert entry.summary


def test_a_path_is_loaded_by_the_kind_on_its_card_and_plays(weights: Path) -> None:
    assert registry.find(str(weights)) == ("flagship", weights)
    model = registry.load(str(weights), "cpu")
    assert model.spec.parameters == sum(parameter.numel() for parameter in tiny_network().parameters())
    assert model.spec.controls == ENTRIES["flagship"].controls
    generator = model.open()
    assert list(generator.prefill(Context(BAND, (), 0, (Meter(0, 4, 4),), 120.0)))
    assert list(generator.decode(8 * PPQ, frozenset(range(len(BAND))), Controls()))


def test_a_name_is_found_among_the_shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, weights: Path) -> None:
    monkeypatch.setattr(registry, "WEIGHTS", tmp_path)
    assert registry.find("flagship") == ("flagship", tmp_path / "flagship.safetensors")
    assert registry.names() == ()
    weights.rename(tmp_path / "flagship.safetensors")
    assert registry.names() == ("flagship",)


def test_an_unknown_name_lists_the_known() -> None:
    assert problem_of("flagshop") == (
        "model 'flagshop' is unknown: use flagship, or the path of a .safetensors file"
    )  # fmt: skip


def test_a_path_without_a_card_is_said(tmp_path: Path) -> None:
    assert "nothing.json cannot be read" in problem_of(tmp_path / "nothing.safetensors")


def test_a_card_that_is_no_mapping_is_said(weights: Path) -> None:
    card_path(weights).write_text("[]")
    assert "tiny.json is no model card" in problem_of(weights)


def test_a_kind_this_version_does_not_know_asks_for_an_update(weights: Path) -> None:
    change_card(weights, model="opera")
    assert "holds a model of kind 'opera', which this version cannot serve: update Continuo" in problem_of(weights)


def test_missing_and_damaged_weights_are_said(weights: Path) -> None:
    weights.write_bytes(b"short")
    assert "is damaged" in problem_of(weights)
    weights.unlink()
    assert "is missing" in problem_of(weights)


def test_another_vocabulary_is_said(weights: Path) -> None:
    change_card(weights, vocabulary="elvish")
    assert "vocabulary elvish" in problem_of(weights)


@pytest.mark.parametrize(
    ("sizes", "problem"),
    [
        ({**SIZES, "n_layers": 3}, "unknown size 'n_layers'; known are n_layer, "),
        ({**SIZES, "n_embd": 96}, "n_embd must be 64 for each of 1 heads, not 96 in all"),
        ({**SIZES, "n_layer": 0}, "n_layer must be at least 1, not 0"),
    ],
)
def test_sizes_that_make_no_network_are_said(weights: Path, sizes: dict[str, int], problem: str) -> None:
    change_card(weights, network=sizes)
    assert f"tiny.json describes no flagship ({problem}" in problem_of(weights)


def test_weights_of_another_size_are_said(weights: Path) -> None:
    change_card(weights, network={**SIZES, "n_ff": 32})
    assert "does not fit the network its card describes (blocks.0.ff.down.weight is" in problem_of(weights)


def test_a_device_that_is_not_there_is_said(weights: Path) -> None:
    assert "device 'cuda:7' is not on this machine: use auto, or one of cpu" in problem_of(weights, "cuda:7")
