from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from bridge.commands import generate as module
from bridge.commands.generate import generate, parse_parts
from bridge.errors import ContinuoError
from models import registry
from models.music.midi_file import read_score
from tests.echo_model import EchoModel

POP = Path(str(files("bridge"))) / "clips" / "pop.mid"
BAR = 1920


@pytest.fixture(autouse=True)
def echo(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every model is the echo."""
    monkeypatch.setattr(registry, "load", lambda name, device: EchoModel())


def run(out: Path, *arguments: str) -> str:
    result = CliRunner().invoke(generate, [str(POP), str(out), "--bars", "2", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_file_is_continued_on_its_own_tracks(tmp_path: Path) -> None:
    run(tmp_path / "out.mid", "--seed", "0")
    before, after = read_score(POP), read_score(tmp_path / "out.mid")
    assert after.parts == before.parts
    assert after.notes[: len(before.notes)] == before.notes
    added = after.notes[len(before.notes) :]
    assert {note.onset_tick // BAR for note in added} == {8, 9}


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    for name, seed in (("a", "5"), ("b", "5"), ("c", "6")):
        run(tmp_path / name, "--seed", seed)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes() != (tmp_path / "c").read_bytes()


def test_the_continuation_alone_starts_at_once(tmp_path: Path) -> None:
    run(tmp_path / "out.mid", "--seed", "0", "--only-continuation")
    score = read_score(tmp_path / "out.mid")
    assert score.notes[0].onset_tick == 0
    assert max(note.onset_tick for note in score.notes) < 2 * BAR


def test_only_the_parts_asked_for_play_on(tmp_path: Path) -> None:
    run(tmp_path / "out.mid", "--parts", "1,4", "--only-continuation")
    assert {note.part for note in read_score(tmp_path / "out.mid").notes} == {0, 1}  # the silent parts are no tracks


def test_json_tells_seed_notes_and_file(tmp_path: Path) -> None:
    report = json.loads(run(tmp_path / "out.mid", "--seed", "9", "--json"))
    assert (report["seed"], report["bars"], report["model"]) == (9, 2, "echo")
    assert report["notes"] > 0


def test_a_seed_is_drawn_and_told_where_none_is_given(tmp_path: Path) -> None:
    report = json.loads(run(tmp_path / "out.mid", "--json"))
    again = json.loads(run(tmp_path / "again.mid", "--json", "--seed", str(report["seed"])))
    assert again["notes"] == report["notes"]
    assert (tmp_path / "again.mid").read_bytes() == (tmp_path / "out.mid").read_bytes()


def test_a_control_the_model_does_not_heed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ContinuoError, match="--density does nothing to the model echo"):
        run(tmp_path / "out.mid", "--density", "2")
    run(tmp_path / "out.mid", "--temperature", "0.5")


def test_what_is_no_midi_file_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "fake.mid").write_bytes(b"hello")
    with pytest.raises(ContinuoError, match=r"fake\.mid"):
        module.read_prompt(tmp_path / "fake.mid")


def test_a_model_that_cannot_be_served_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str, device: str) -> EchoModel:
        raise registry.ModelError("model 'x' is unknown: use flagship")

    monkeypatch.setattr(registry, "load", fail)
    with pytest.raises(ContinuoError, match="use flagship"):
        module.load_model("x", "cpu")


def test_parts_are_counted_from_one() -> None:
    assert parse_parts(None, 4) == frozenset()
    assert parse_parts("1, 3", 4) == frozenset({0, 2})


@pytest.mark.parametrize("text", ["0", "5", "", "a", "1,,2", "-1", "1.5"])
def test_what_is_no_part_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter, match="1 to 4"):
        parse_parts(text, 4)
