"""The MIDI child as a process, its port a file: whatever ends it ends every note."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.midi_child import EXIT_NO_PORT, EXIT_PORT_LOST
from bridge.midi_records import (
    Beat,
    Command,
    Failed,
    Ready,
    build_command,
    cancel,
    leave,
    note_off,
    note_on,
    panic,
    parse_report,
)
from bridge.notes import all_sound_off
from tests.fakes import MS, SECOND
from tests.wire import AHEAD_NS, ROOT, heard, messages, wait_until, wire_child

ALL_OFF_ON_CHANNEL_2 = [bytes(message) for message in all_sound_off(2)]


class Child:
    """A MIDI child on a file."""

    def __init__(self, path: Path, manner: str = "well", *arguments: str) -> None:
        self.path = path
        self.process = subprocess.Popen(
            [*wire_child(path, manner), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )
        assert self.process.stdout is not None
        self.first_report = parse_report(self.process.stdout.readline())

    def send(self, *commands: Command) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(b"".join(build_command(command) for command in commands))
        self.process.stdin.flush()

    def hold_two_notes(self) -> None:
        """Strike two notes on channel 2 whose ends are an hour away."""
        now_ns = time.perf_counter_ns() + AHEAD_NS
        for note, pitch in enumerate((60, 64)):
            self.send(note_on(now_ns, 1, note, 2, pitch, 90), note_off(now_ns + 3600 * SECOND, 1, note, 2, pitch))
        wait_until(lambda: len(heard(self.path).sounding) == 2)

    def ended(self) -> int:
        """Wait for its end; the exit code."""
        return self.process.wait(20)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            try:
                pipe.close()
            except BrokenPipeError:
                continue


@pytest.fixture
def wire(tmp_path: Path) -> Path:
    return tmp_path / "wire"


@pytest.fixture
def child(wire: Path) -> Iterator[Child]:
    child = Child(wire)
    yield child
    child.close()


def assert_all_ended(wire: Path) -> None:
    """Every note has its note-off, then its channel was quietened, then the port was closed."""
    assert not heard(wire).sounding
    assert len(heard(wire).controls) == 3, "once is enough"
    assert [data for _, data in messages(wire)][-3:] == ALL_OFF_ON_CHANNEL_2
    assert wire.read_text().endswith("closed\n")


def test_notes_are_played_in_order_at_or_after_their_time(child: Child, wire: Path) -> None:
    assert child.first_report == Ready(
        "Continuo", "wire", isinstance(child.first_report, Ready) and child.first_report.is_realtime
    )
    start_ns = time.perf_counter_ns() + 50 * MS
    due = []
    for note in range(20):
        on_ns = start_ns + note * 10 * MS
        child.send(note_off(on_ns + 5 * MS, 1, note, 0, 60), note_on(on_ns, 1, note, 0, 60, 1 + note))
        due += [on_ns, on_ns + 5 * MS]
    wait_until(lambda: len(messages(wire)) == 40)
    assert [velocity for _, _, velocity in heard(wire).ons] == list(range(1, 21))
    assert all(sent_ns >= due_ns for (sent_ns, _), due_ns in zip(messages(wire), due, strict=True))


def test_the_end_of_the_pipe_ends_every_note(child: Child, wire: Path) -> None:
    child.hold_two_notes()
    assert child.process.stdin is not None
    child.process.stdin.close()
    assert child.ended() == 0
    assert_all_ended(wire)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_every_note(child: Child, wire: Path, number: signal.Signals) -> None:
    child.hold_two_notes()
    child.process.send_signal(number)
    assert child.ended() == 0
    assert_all_ended(wire)


def test_leaving_ends_every_note(child: Child, wire: Path) -> None:
    child.hold_two_notes()
    child.send(leave())
    assert child.ended() == 0
    assert_all_ended(wire)


def test_panic_ends_every_note_and_playing_goes_on(child: Child, wire: Path) -> None:
    child.hold_two_notes()
    child.send(panic())
    wait_until(lambda: not heard(wire).sounding)
    child.hold_two_notes()


def test_a_cancel_acts_at_once(child: Child, wire: Path) -> None:
    child.hold_two_notes()
    child.send(cancel(1))
    wait_until(lambda: [data for _, data in messages(wire)][-3:] == ALL_OFF_ON_CHANNEL_2)
    assert not heard(wire).sounding


def test_a_record_that_is_cut_in_two_is_put_together(child: Child, wire: Path) -> None:
    data = build_command(note_on(time.perf_counter_ns() + 4 * AHEAD_NS, 1, 1, 0, 60, 90))
    assert child.process.stdin is not None
    for piece in (data[:7], data[7:]):
        child.process.stdin.write(piece)
        child.process.stdin.flush()
        time.sleep(0.05)
    wait_until(lambda: len(heard(wire).ons) == 1)


def test_a_record_that_is_none_ends_every_note_and_is_reported(child: Child, wire: Path) -> None:
    child.hold_two_notes()
    child.send(Command(0, 77))  # type: ignore[arg-type]
    assert child.ended() != 0
    assert_all_ended(wire)
    assert child.process.stdout is not None
    last = parse_report(child.process.stdout.read().splitlines()[-1])
    assert isinstance(last, Failed)
    assert "77 is not a valid Kind" in last.problem


def test_the_child_reports_what_it_has_sent(child: Child, wire: Path) -> None:
    child.hold_two_notes()
    assert child.process.stdout is not None
    while True:
        report = parse_report(child.process.stdout.readline())
        assert isinstance(report, Beat)
        if report.sounding == 2:
            break
    assert (report.sent, sum(report.lateness.values())) == (2, 2)


def test_no_reader_of_reports_is_no_reason_to_stop(child: Child, wire: Path) -> None:
    assert child.process.stdout is not None
    child.process.stdout.close()
    time.sleep(0.3)
    child.hold_two_notes()


def test_without_a_midi_system_the_child_says_so_and_leaves(wire: Path) -> None:
    child = Child(wire, "absent")
    assert child.first_report == Failed("there is no MIDI here: build some")
    assert child.ended() == EXIT_NO_PORT
    child.close()


def test_a_midi_system_that_dies_is_noticed(wire: Path) -> None:
    child = Child(wire, "dies", "--client", "Mine")
    child.send(*(note_on(0, 1, note, 0, 60, 90) for note in range(3)), panic())
    child.send(*(note_on(time.perf_counter_ns() + AHEAD_NS, 1, note, 0, 60 + note, 90) for note in range(3)))
    assert child.ended() == EXIT_PORT_LOST
    assert child.process.stdout is not None
    last = parse_report(child.process.stdout.read().splitlines()[-1])
    assert last == Failed("the MIDI system behind Mine is gone: start it again")
    child.close()


def test_a_port_that_breaks_is_told(wire: Path) -> None:
    child = Child(wire, "breaks")
    child.send(*(note_on(time.perf_counter_ns() + AHEAD_NS, 1, note, 0, 60 + note, 90) for note in range(3)))
    assert child.ended() != 0
    assert child.process.stdout is not None
    last = parse_report(child.process.stdout.read().splitlines()[-1])
    assert isinstance(last, Failed)
    assert "RuntimeError: the wire broke" in last.problem
    child.close()


def test_a_panic_overtakes_an_unbroken_stream_of_notes(child: Child, wire: Path) -> None:
    start_ns = time.perf_counter_ns() + AHEAD_NS
    stream = 20_000
    child.send(*(note_on(start_ns + note * 500_000, 1, note, 0, note % 128, 90) for note in range(stream)))
    wait_until(lambda: bool(messages(wire)))
    child.send(panic())
    wait_until(lambda: len(heard(wire).controls) == 3)
    assert not heard(wire).sounding
    assert len(heard(wire).ons) < stream / 2


def test_channels_of_an_earlier_port_are_quietened_at_the_start(wire: Path) -> None:
    child = Child(wire, "well", "--silence", "2", "5")
    wait_until(lambda: len(messages(wire)) >= 6)
    assert [data for _, data in messages(wire)][:3] == ALL_OFF_ON_CHANNEL_2
    child.close()


def test_the_child_never_loads_what_makes_it_slow() -> None:
    code = "import sys, bridge.midi_child; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert not {"torch", "numpy", "mido", "pythonosc", "models", "logging"} & set(loaded.split())
