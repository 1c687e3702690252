"""From a folder of music to a model that plays, and what stops it on the way."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from models import registry
from models.data.corpus import is_validation
from models.generator import Context, Controls
from models.layers.device import DeviceError
from models.music.constants import PPQ
from models.music.midi_file import read_score, write_score
from models.training import run
from models.training.config import TrainingConfig, TrainingConfigError
from models.training.likelihood import Standing
from models.training.run import find_sources, gather, revision, train
from tests.models.tiny import random_score

NANO = Path(__file__).parents[3] / "configs" / "nano.yaml"


@pytest.fixture
def music(tmp_path: Path) -> Path:
    """A folder of MIDI files, one of them held out."""
    folder = tmp_path / "music"
    folder.mkdir()
    held_out = next(number for number in range(1000) if is_validation(f"music/{number}.mid"))
    for number in {0, 1, 2, 3, held_out}:
        write_score(random_score(number, bars=6), folder / f"{number}.mid")
    return folder


def recipe(folder: Path, text: str) -> Path:
    """A recipe of a network that is trained in a moment."""
    path = folder / "recipe.yaml"
    path.write_text(
        "network: {n_layer: 1, n_head: 1, n_embd: 64, n_ff: 64, n_head_ff: 32, block_size: 64}\n"
        f"window_events: 32\nbatch_windows: 1\ntrain_notes: 60\ncompile: false\n{text}\n"
    )
    return path


def test_the_nano_recipe_trains_exports_and_plays(music: Path, tmp_path: Path) -> None:
    """The whole way, the recipe as it is but for its length."""
    torch.set_num_threads(1)
    short = tmp_path / "nano.yaml"
    text = NANO.read_text()
    assert "train_notes: 600_000\n" in text
    short.write_text(text.replace("train_notes: 600_000\n", "train_notes: 2_000\n"))
    seen: list[Standing] = []
    weights = train(short, [music], tmp_path / "out", watch=seen.append)
    assert weights == tmp_path / "out" / "flagship.safetensors"
    assert seen[-1].bits < seen[0].bits
    card = registry.card(weights)
    assert card["facts"]["data"] == [{"name": "music", "weight": 1.0, "folders": [], "origin": ""}]
    assert card["facts"]["notes_seen"] == seen[-1].notes >= 2000
    assert card["facts"]["validation_windows"] == 1
    assert 0 < card["facts"]["validation_bits_per_note"]["bits_per_note"] < 60
    assert str(tmp_path) not in json.dumps(card), "a card names no folder of the machine it was made on"

    model = registry.load(str(weights), "cpu")
    assert model.spec.parameters == card["parameters"]
    score = read_score(music / "0.mid")
    generator = model.open()
    generator.reset(1)
    start = 6 * 4 * PPQ
    for _ in generator.prefill(Context(score.parts, score.notes, start, score.meters, 112.0)):
        pass
    notes = list(generator.decode(start + 2 * 4 * PPQ, frozenset(range(len(score.parts))), Controls()))
    assert notes
    assert all(note.onset_tick >= start for note in notes)


def test_a_run_is_not_overwritten_and_is_gone_on_with(music: Path, tmp_path: Path) -> None:
    torch.set_num_threads(1)
    path = recipe(tmp_path, "model: flagship")
    train(path, [music], tmp_path / "out")
    with pytest.raises(FileExistsError, match="holds a run already: add --resume to go on with it"):
        train(path, [music], tmp_path / "out")
    seen: list[Standing] = []
    train(path, [music], tmp_path / "out", resume=True, watch=seen.append)
    assert seen == [], "a finished run is only exported again"


def test_a_model_that_cannot_be_trained_is_said(tmp_path: Path) -> None:
    with pytest.raises(TrainingConfigError, match=r"recipe.yaml: model: 'opera' cannot be trained; known are flagship"):
        train(recipe(tmp_path, "model: opera"), [tmp_path], tmp_path / "out")


def test_sizes_that_make_no_network_are_said(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text("model: flagship\nnetwork: {layers: 3}\n")
    with pytest.raises(TrainingConfigError, match=r"recipe.yaml: network: unknown size 'layers'; known are n_layer"):
        train(path, [tmp_path], tmp_path / "out")


def test_a_device_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="device 'cuda:9' is not on this machine"):
        train(recipe(tmp_path, "model: flagship"), [tmp_path], tmp_path / "out", device="cuda:9")
    assert not (tmp_path / "out").exists()


def test_a_corpus_that_is_not_there_is_said(tmp_path: Path) -> None:
    path = recipe(tmp_path, "model: flagship\nsources: [{name: songs}]")
    with pytest.raises(FileNotFoundError, match="corpus 'songs' is not under"):
        train(path, [tmp_path], tmp_path / "out")


def test_sources_are_looked_for_and_none_are_the_data_folders(tmp_path: Path) -> None:
    (tmp_path / "a" / "songs").mkdir(parents=True)
    (tmp_path / "b").mkdir()
    named = TrainingConfig("flagship", sources=(run.Source("songs", 2.0),))
    assert find_sources(named, [tmp_path / "b", tmp_path / "a"]) == [(named.sources[0], tmp_path / "a" / "songs")]
    anything = TrainingConfig("flagship")
    found = find_sources(anything, [tmp_path / "b", tmp_path / "a"])
    assert found == [(run.Source("b"), tmp_path / "b"), (run.Source("a"), tmp_path / "a")]
    with pytest.raises(TrainingConfigError, match="two data folders share a name"):
        find_sources(anything, [tmp_path / "a" / "songs", tmp_path / "songs"])


def test_pieces_are_drawn_by_notes_times_weight_and_held_out_ones_never(music: Path, tmp_path: Path) -> None:
    config = TrainingConfig("flagship", sources=(run.Source("music", 3.0),))
    pieces, weights, held_out = gather(config, [music.parent], tmp_path / "cache")
    assert len(held_out) == 1
    assert not any(is_validation(piece.group) for piece in pieces)
    lengths = [len(piece.notes) for piece in pieces]
    assert weights.tolist() == pytest.approx([length / sum(lengths) for length in lengths])


def test_nothing_but_held_out_pieces_is_said(tmp_path: Path) -> None:
    held_out = next(number for number in range(1000) if is_validation(f"music/{number}.mid"))
    (tmp_path / "music").mkdir()
    write_score(random_score(1, bars=3), tmp_path / "music" / f"{held_out}.mid")
    with pytest.raises(FileNotFoundError, match="no piece to train on"):
        gather(TrainingConfig("flagship"), [tmp_path / "music"], tmp_path / "cache")


def test_outside_a_checkout_the_revision_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert revision() == "unknown"
