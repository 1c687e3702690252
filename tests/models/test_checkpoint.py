"""Weights on disk and their card: what goes in comes out, and what is wrong is said in one sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import nn

from models.checkpoint import Card, CheckpointError, card_path, load_weights, read_card, save_weights
from models.tokens.vocabulary import fingerprint

SIZES = {"n_layer": 1}


def network(width: int = 4) -> nn.Module:
    """Something with parameters."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, width), nn.Linear(width, 2, bias=False))


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """A saved network with its card."""
    path = tmp_path / "models" / "small.safetensors"
    saved = network()
    save_weights(path, dict(saved.named_parameters()), Card("flagship", SIZES, fingerprint(), 26, {"steps": 3}))
    return path


def change_card(weights: Path, **changes: object) -> None:
    """Write another card."""
    values = json.loads(card_path(weights).read_text())
    card_path(weights).write_text(json.dumps({**values, **changes}))


def problem_of(weights: Path, other: nn.Module | None = None) -> str:
    """The one sentence that refuses these weights."""
    with pytest.raises(CheckpointError) as caught:
        read_card(weights)
        load_weights(weights, other or network())
    text = str(caught.value)
    assert "\n" not in text
    assert str(weights.with_suffix("")) in text, "the sentence names the file"
    assert ": " in text, "the sentence names the cure"
    return text


def test_what_is_saved_comes_back_in_single_precision(weights: Path) -> None:
    back = network()
    nn.init.zeros_(back[0].weight)
    load_weights(weights, back)
    for mine, saved in zip(back.parameters(), network().parameters(), strict=True):
        assert mine.dtype == torch.float32
        assert torch.equal(mine, saved.half().float())


def test_the_card_comes_back_and_is_readable(weights: Path) -> None:
    assert read_card(weights) == Card("flagship", SIZES, fingerprint(), 26, {"steps": 3})
    assert card_path(weights).read_text().startswith('{\n  "model": "flagship"')
    assert sorted(path.name for path in weights.parent.iterdir()) == ["small.json", "small.safetensors"]


def test_a_missing_card_is_said(weights: Path) -> None:
    card_path(weights).unlink()
    assert "is missing: a model is a .safetensors file with its .json card" in problem_of(weights)


def test_missing_weights_are_said(weights: Path) -> None:
    weights.unlink()
    assert "is missing: name another model or reinstall" in problem_of(weights)


@pytest.mark.parametrize("text", ["", "{", "[1]", "7", "null", '{"model": "flagship"}', '{"format": 1, "surprise": 2}'])
def test_what_is_no_card_is_said(weights: Path, text: str) -> None:
    card_path(weights).write_text(text)
    assert "is no model card" in problem_of(weights)


@pytest.mark.parametrize("sizes", [None, 3, {"n_layer": "six"}, {"n_layer": 1.5}, {"n_layer": True}])
def test_a_card_without_sizes_is_said(weights: Path, sizes: object) -> None:
    change_card(weights, network=sizes)
    assert "names no sizes of a network" in problem_of(weights)


def test_a_later_format_asks_for_an_update_whatever_else_it_holds(weights: Path) -> None:
    change_card(weights, format=2, unheard_of="value")
    assert "has format 2, this version reads 1: update Continuo" in problem_of(weights)


def test_another_vocabulary_is_refused(weights: Path) -> None:
    change_card(weights, vocabulary="0123456789abcdef")
    assert "trained with vocabulary 0123456789abcdef" in problem_of(weights)


@pytest.mark.parametrize("kept", [0, 4, 60, -1])
def test_a_cut_file_is_damaged(weights: Path, kept: int) -> None:
    weights.write_bytes(weights.read_bytes()[:kept])
    assert "is damaged" in problem_of(weights)


def test_a_file_of_something_else_is_damaged(weights: Path) -> None:
    weights.write_bytes(b"RIFF" * 100)
    assert "is damaged" in problem_of(weights)


def test_another_network_is_told_by_its_first_difference(weights: Path) -> None:
    assert "(0.bias is (4,), not (5,)): restore both together" in problem_of(weights, network(width=5))
    assert "(0.bias is not in the network)" in problem_of(weights, nn.Sequential(nn.Linear(3, 4, bias=False)))
    more = nn.Sequential(*network(), nn.Linear(2, 2))
    assert "(2.bias is not in the file)" in problem_of(weights, more)
