from __future__ import annotations

import io
import json
import sys
import wave
from importlib.resources import files
from pathlib import Path

import pytest
from rich.console import Console

from bridge.demo import DemoOrder, read_port_news, run_demo
from bridge.errors import ContinuoError
from models.music.midi_file import read_score
from tests.wire import ROOT

FAKE = (sys.executable, str(ROOT / "tests" / "fake_daemon.py"))
BAR = 1440


def order(out_dir: Path, command: tuple[str, ...] = FAKE) -> DemoOrder:
    source = (files("bridge") / "clips" / "waltz.mid").read_bytes()
    return DemoOrder("waltz", read_score(source), source, 1, out_dir, seed=0, serve_command=command)


def test_the_demo_leaves_the_continuation_as_midi_sound_and_picture(tmp_path: Path) -> None:
    console = Console(file=io.StringIO(), width=100)
    report = run_demo(order(tmp_path / "out"), console)
    prompt = order(tmp_path).score
    score = read_score(tmp_path / "out" / "continuation.mid")
    assert score.parts == prompt.parts
    assert score.notes[: len(prompt.notes)] == prompt.notes
    continuation = score.notes[len(prompt.notes) :]
    last_bar = [note for note in prompt.notes if note.onset_tick >= 7 * BAR]
    assert [(note.onset_tick - BAR, note.pitch) for note in continuation] == [
        (note.onset_tick, note.pitch) for note in last_bar
    ]
    with wave.open(str(tmp_path / "out" / "continuation.wav")) as sound:
        assert sound.getnframes() / sound.getframerate() > 9 * 3 * 60 / 138
    assert (tmp_path / "out" / "continuation.png").stat().st_size > 10_000
    assert json.loads((tmp_path / "out" / "demo.json").read_text()) == report
    assert report["midi_port"] == "Fake:Continuo"


def test_the_demo_says_what_it_does_and_how_fast_it_was(tmp_path: Path) -> None:
    console = Console(file=io.StringIO(), width=200)
    report = run_demo(order(tmp_path), console)
    assert isinstance(console.file, io.StringIO)
    said = console.file.getvalue()
    assert "model echo on cpu" in said
    assert "The MIDI port “Fake:Continuo” is open" in said
    assert "bar 9: " in said
    latency = report["latency"]
    assert isinstance(latency, dict)
    assert {"daemon_ready_ms", "ping_ms", "clip_ready_ms", "first_note_ms", "whole_take_ms", "late"} <= latency.keys()


def test_a_daemon_that_cannot_start_is_told_in_one_sentence(tmp_path: Path) -> None:
    failing = (sys.executable, "-c", "import sys; sys.exit('continuo: no such model')")
    with pytest.raises(ContinuoError, match="no such model"):
        run_demo(order(tmp_path, failing), Console(file=io.StringIO()))


def test_the_last_word_of_the_log_decides_about_the_port() -> None:
    opened = "2026-01-01 INFO    bridge.midi: MIDI port A:b (c) open (jack, real-time: True)"
    absent = "2026-01-01 WARNING bridge.midi: MIDI: no MIDI port could be opened: start JACK"
    assert read_port_news("") is None
    news = read_port_news(f"{absent}\n{opened}\n")
    assert news is not None
    assert (news.name, news.is_open) == ("A:b (c)", True)
    news = read_port_news(f"{opened}\n{absent}\n")
    assert news is not None
    assert not news.is_open
    assert news.sentence.endswith("no MIDI port could be opened: start JACK")
