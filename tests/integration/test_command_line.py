"""The installed command with the shipped model, as a user runs it."""

from __future__ import annotations

import functools
import json
import os
import signal
import subprocess
import sys
import wave
from importlib.resources import files
from pathlib import Path

import pytest

from models.music.midi_file import read_score
from tests.wire import wait_until

POP = Path(str(files("bridge"))) / "clips" / "pop.mid"
CONTINUO = [sys.executable, "-m", "bridge"]
PATIENCE_S = 100

pytestmark = pytest.mark.slow


def continuo(*arguments: str) -> str:
    """What one command prints; it must succeed."""
    done = subprocess.run([*CONTINUO, *arguments], capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_same_seed_gives_the_same_bytes_in_another_process(tmp_path: Path) -> None:
    for name, seed in (("a.mid", "11"), ("b.mid", "11"), ("c.mid", "12")):
        continuo("generate", str(POP), str(tmp_path / name), "--bars", "1", "--seed", seed, "--device", "cpu")
    assert (tmp_path / "a.mid").read_bytes() == (tmp_path / "b.mid").read_bytes()
    assert (tmp_path / "a.mid").read_bytes() != (tmp_path / "c.mid").read_bytes()


def test_every_asked_part_plays_on_and_no_other(tmp_path: Path) -> None:
    arguments = ["--bars", "8", "--seed", "1", "--device", "cpu", "--parts", "1,2"]
    continuo("generate", str(POP), str(tmp_path / "out.mid"), *arguments)
    added = read_score(tmp_path / "out.mid").notes[len(read_score(POP).notes) :]
    assert {note.part for note in added} == {0, 1}


@pytest.mark.live
def test_the_demo_plays_through_the_real_daemon(tmp_path: Path) -> None:
    report = json.loads(continuo("demo", "--bars", "2", "--seed", "1", "--out", str(tmp_path), "--json"))
    assert report["model"] == "flagship"
    assert report["notes"] > 8
    assert read_score(tmp_path / "continuation.mid").notes
    with wave.open(str(tmp_path / "continuation.wav")) as sound:
        assert sound.getnframes() / sound.getframerate() > 20
    assert (tmp_path / "continuation.png").stat().st_size > 10_000
    assert "Traceback" not in (tmp_path / "daemon.log").read_text()


@pytest.mark.live
@pytest.mark.jack
@pytest.mark.skipif("JACK_DEFAULT_SERVER" not in os.environ, reason="needs tests/with_jack.sh")
def test_the_demo_names_its_midi_port(tmp_path: Path) -> None:
    report = json.loads(continuo("demo", "--bars", "1", "--seed", "1", "--out", str(tmp_path), "--json"))
    assert "Continuo" in report["midi_port"]


@pytest.mark.live
def test_an_interrupted_demo_leaves_no_daemon_behind(tmp_path: Path) -> None:
    command = [*CONTINUO, "demo", "--bars", "64", "--out", str(tmp_path), "--midi", "none"]
    # A shell's background job ignores Ctrl-C, and so would what it starts.
    heeds_interrupts = functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=heeds_interrupts
    ) as process:
        log = tmp_path / "daemon.log"
        wait_until(lambda: log.exists() and "ready" in log.read_text())
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_S) == 130
        assert process.stderr is not None
        assert "Traceback" not in process.stderr.read()
    assert "ended: " in log.read_text()


def test_the_doctor_finds_this_machine_fit() -> None:
    report = json.loads(continuo("doctor", "--json", "--osc-port", "17401"))
    assert report["ok"] is True
    assert [check["check"] for check in report["checks"]][-1] == "speed"
