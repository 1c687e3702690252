"""The daemon's hand on the port: whatever happens to the child, there is another, and the daemon never waits."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bridge import midi, midi_link
from bridge.metrics import Metrics
from bridge.midi import LateNotes, MidiOut, NullMidiOut, PortEvent, PortLost, PortOpened, PortState, PortStatus
from bridge.midi_records import RECORD_BYTES, note_off, note_on, panic
from bridge.note_queue import DROP_NS, LATE_NS
from bridge.port_open import PortRequest
from tests.fakes import MS
from tests.wire import AHEAD_NS, heard, messages, wait_until, wire_child

PIPE_COMMANDS = 65_536 // RECORD_BYTES
MakeOut = Callable[..., MidiOut]


@pytest.fixture
def wire(tmp_path: Path) -> Path:
    return tmp_path / "wire"


@pytest.fixture
def events() -> list[PortEvent]:
    return []


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def make_out(wire: Path, events: list[PortEvent], metrics: Metrics) -> Iterator[MakeOut]:
    made: list[MidiOut] = []

    def make(child: list[str]) -> MidiOut:
        out = MidiOut(PortRequest(), metrics, events.append, child)
        made.append(out)
        out.start()
        return out

    yield make
    for out in made:
        out.stop()


def is_open(out: MidiOut) -> bool:
    return out.state.status is PortStatus.OPEN


def strike(out: MidiOut, pitch: int, late_ns: int = -AHEAD_NS) -> None:
    """A note without end."""
    out.send(note_on(time.perf_counter_ns() - late_ns, 1, pitch, 3, pitch, 90))


def test_the_port_opens_and_plays(make_out: MakeOut, wire: Path, events: list[PortEvent], metrics: Metrics) -> None:
    out = make_out(wire_child(wire))
    wait_until(lambda: is_open(out))
    assert (out.state.name, out.state.backend, out.state.problem) == ("Continuo", "wire", "")
    assert events == [PortOpened(out.state)]
    strike(out, 60)
    out.send(note_off(time.perf_counter_ns() + AHEAD_NS + 20 * MS, 1, 60, 3, 60))
    wait_until(lambda: metrics.snapshot().sent == 2)
    assert heard(wire).offs == 1


def test_stopping_ends_every_note_and_closes_the_port(make_out: MakeOut, wire: Path) -> None:
    out = make_out(wire_child(wire))
    wait_until(lambda: is_open(out))
    strike(out, 60)
    wait_until(lambda: len(heard(wire).sounding) == 1)
    out.stop()
    assert out.state.status is PortStatus.OFF
    assert len(heard(wire).ons) == 1
    assert not heard(wire).sounding
    assert wire.read_text().endswith("closed\n")


def test_stopping_while_the_port_opens_waits_for_nothing(make_out: MakeOut) -> None:
    out = make_out([sys.executable, "-c", "input()"])
    out.stop()
    assert out.state.status is PortStatus.OFF


def test_stopping_what_never_started_is_no_mistake() -> None:
    out = MidiOut(PortRequest(), Metrics())
    out.stop()
    assert out.state.status is PortStatus.OFF


def test_stopping_twice_is_no_mistake(make_out: MakeOut, wire: Path) -> None:
    out = make_out(wire_child(wire))
    out.stop()
    out.stop()
    assert out.state.status is PortStatus.OFF


def test_a_child_that_is_killed_is_replaced_and_its_channels_quietened(
    make_out: MakeOut, wire: Path, events: list[PortEvent]
) -> None:
    out = make_out(wire_child(wire))
    wait_until(lambda: is_open(out))
    first = out.state.child_pid
    assert first is not None
    strike(out, 60)
    wait_until(lambda: len(messages(wire)) == 1)
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: is_open(out) and out.state.child_pid != first)
    wait_until(lambda: len(messages(wire)) >= 4)
    assert [data for _, data in messages(wire)][1:4] == [b"\xb3\x40\x00", b"\xb3\x7b\x00", b"\xb3\x78\x00"]
    assert [type(event) for event in events] == [PortOpened, PortLost, PortOpened]


def test_a_child_that_is_stuck_is_killed_and_replaced(
    make_out: MakeOut, wire: Path, events: list[PortEvent], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(midi, "SILENT_S", 0.5)
    out = make_out(wire_child(wire, "hangs"))
    wait_until(lambda: is_open(out))
    for pitch in (60, 61, 62):
        strike(out, pitch)
    wait_until(lambda: len(events) == 3)
    assert events[1] == PortLost("the MIDI system does not answer: restart it")
    assert isinstance(events[2], PortOpened)


def test_a_child_that_takes_nothing_never_makes_the_daemon_wait(make_out: MakeOut, wire: Path) -> None:
    out = make_out(wire_child(wire))
    wait_until(lambda: is_open(out))
    pid = out.state.child_pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    for _ in range(3 * PIPE_COMMANDS):
        out.send(panic())
    assert out.state.child_pid == pid, (
        "the pipe is long full, and yet sending was quicker than the watch over the child"
    )
    wait_until(lambda: is_open(out) and out.state.child_pid != pid)


def test_a_child_that_leaves_too_much_waiting_is_killed(
    make_out: MakeOut, wire: Path, events: list[PortEvent], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(midi_link, "_MAX_WAITING", 100)
    monkeypatch.setattr(midi, "SILENT_S", 60.0)
    out = make_out(wire_child(wire))
    wait_until(lambda: is_open(out))
    pid = out.state.child_pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    for _ in range(PIPE_COMMANDS + 200):
        out.send(panic())
    wait_until(lambda: len(events) == 3)
    assert events[1] == PortLost("the MIDI process ended by itself (code -9): it is started again")


def test_a_midi_system_that_dies_is_told_with_its_cure(make_out: MakeOut, wire: Path, events: list[PortEvent]) -> None:
    out = make_out(wire_child(wire, "dies"))
    wait_until(lambda: is_open(out))
    for pitch in (60, 61, 62):
        strike(out, pitch)
    wait_until(lambda: len(events) >= 2)
    assert events[1] == PortLost("the MIDI system behind Continuo is gone: start it again")


def test_without_a_midi_system_the_daemon_is_told_once_and_it_is_tried_again(
    make_out: MakeOut, wire: Path, events: list[PortEvent], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(midi, "_LAST_RETRY_S", 0.05)
    out = make_out(wire_child(wire, "absent"))
    wait_until(lambda: out.state.status is PortStatus.ABSENT)
    time.sleep(1)
    assert events == [PortLost("there is no MIDI here: build some")]
    assert out.state.problem == "there is no MIDI here: build some"
    strike(out, 60)


def test_a_child_that_talks_nonsense_is_replaced(make_out: MakeOut, events: list[PortEvent]) -> None:
    make_out([sys.executable, "-c", "print('hello'); input()"])
    wait_until(lambda: bool(events))
    assert isinstance(events[0], PortLost)
    assert "no report: b'hello" in events[0].problem


def test_a_child_that_cannot_be_started_is_told(make_out: MakeOut, events: list[PortEvent]) -> None:
    make_out(["/no/such/python"])
    wait_until(lambda: bool(events))
    assert isinstance(events[0], PortLost)
    assert "could not be started" in events[0].problem


def test_late_notes_are_told_by_take(make_out: MakeOut, wire: Path, events: list[PortEvent], metrics: Metrics) -> None:
    out = make_out(wire_child(wire))
    wait_until(lambda: is_open(out))
    strike(out, 60, 2 * LATE_NS)
    strike(out, 61, 2 * DROP_NS)
    wait_until(lambda: out.late_notes(1) == 2)
    wait_until(lambda: metrics.snapshot().dropped == 1)
    assert metrics.snapshot().late == 1
    assert any(isinstance(event, LateNotes) and event.tag == 1 for event in events)
    assert out.late_notes(2) == 0


def test_no_port_on_purpose_takes_everything_in_silence() -> None:
    out = NullMidiOut()
    out.start()
    strike(out, 60)  # type: ignore[arg-type]
    out.stop()
    assert out.state == PortState()
    assert out.late_notes(1) == 0
