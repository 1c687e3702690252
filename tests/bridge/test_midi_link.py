"""One life of a child, from start to end."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.midi_link import MidiLink
from bridge.midi_records import Beat, Failed, Ready, note_on, parse_commands
from tests.fakes import SECOND
from tests.wire import AHEAD_NS, PATIENCE_S, heard, wait_until, wire_child


@pytest.fixture
def wire(tmp_path: Path) -> Path:
    return tmp_path / "wire"


@pytest.fixture
def link(wire: Path) -> Iterator[MidiLink]:
    link = MidiLink(["--client", "Mine"], wire_child(wire))
    yield link
    link.kill()


def test_the_first_report_says_that_the_port_is_open_and_the_next_that_it_lives(link: MidiLink) -> None:
    first = link.next_report(PATIENCE_S)
    assert isinstance(first, Ready)
    assert first.name == "Mine"
    assert isinstance(link.next_report(PATIENCE_S), Beat)


def test_closing_ends_the_notes_and_the_child(link: MidiLink, wire: Path) -> None:
    assert isinstance(link.next_report(PATIENCE_S), Ready)
    link.send(note_on(time.perf_counter_ns() + AHEAD_NS, 1, 1, 0, 60, 90))
    wait_until(lambda: len(heard(wire).sounding) == 1)
    link.close(PATIENCE_S)
    assert not heard(wire).sounding
    assert link.exit_code() == 0


def test_a_child_that_does_not_leave_is_killed(link: MidiLink) -> None:
    assert isinstance(link.next_report(PATIENCE_S), Ready)
    os.kill(link.pid, signal.SIGSTOP)
    link.close(0.1)
    assert link.exit_code() == -signal.SIGKILL


def test_the_end_of_a_child_is_its_last_report(link: MidiLink, wire: Path) -> None:
    link.kill()
    report: object = Failed("")
    while report is not None:
        report = link.next_report(PATIENCE_S)
    link.send(note_on(SECOND, 1, 1, 0, 60, 90))
    assert link.exit_code() == -signal.SIGKILL


def test_silence_is_told_from_the_end() -> None:
    link = MidiLink([], [sys.executable, "-c", "input()"])
    with pytest.raises(TimeoutError):
        link.next_report(0.05)
    link.kill()
    assert link.next_report(PATIENCE_S) is None


def test_the_child_finds_our_packages_wherever_the_daemon_was_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rtmidi.py").write_text("raise SystemExit(99)")
    link = MidiLink(["--backend", "alsa"])
    assert isinstance(link.next_report(PATIENCE_S), Ready | Failed)
    link.kill()


def test_commands_that_wait_together_are_written_together(link: MidiLink) -> None:
    """A chord was written note by note, and between two writes the model took its turn: it arrived as an arpeggio."""
    link.kill()
    commands = [note_on(SECOND, 1, number, 0, 60, 90) for number in range(40)]
    for command in [*commands, None, None]:
        link._commands.put(command)
    written = list(link._waiting())
    assert [command for records in written for command in parse_commands(records)] == commands
    assert len(written) == 2
