"""What the daemon and its MIDI child say to each other: fixed-size commands down, one JSON line per report up.

Commands are the vocabulary of everything that plays: the scheduler makes them, ports and recorders take them.
This module imports only the standard library, because the child does.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from enum import IntEnum
from typing import NamedTuple, Protocol

NOW = 0  # a due time in the past: at once
NO_TAKE = 0  # the tag of commands that belong to no take


class Kind(IntEnum):
    """What a command does. At the same instant, commands act in this order."""

    CANCEL = 0
    """End the take's sounding notes, drop what it had pending; without a due time, quieten its channels too."""
    NOTE_OFF = 1
    PROGRAM = 2
    NOTE_ON = 3
    SILENCE = 4
    """All sound off on one channel, unless a note of ours sounds there."""
    PANIC = 5
    """All sound off on every channel used, drop everything pending; never waits."""
    QUIT = 6
    """Like panic, then close the port; never waits. For the MIDI child, not for a `NoteQueue`."""


class Command(NamedTuple):
    """One thing to do at the port; made by the functions below, which keep its values in range."""

    due_ns: int
    kind: Kind
    tag: int = NO_TAKE
    """The take it belongs to, 0 to 2^32-1."""
    note: int = 0
    """The same number in a note-on and its note-off, 0 to 2^32-1."""
    channel: int = 0
    data1: int = 0
    data2: int = 0


class NotePort(Protocol):
    """Whatever takes commands. `send` never blocks and never raises; any thread may call it."""

    def send(self, command: Command) -> None:
        """Take one command; it acts at its due time."""


def note_on(due_ns: int, tag: int, note: int, channel: int, pitch: int, velocity: int) -> Command:
    """Strike a pitch; velocity 0, which would be a note-off, becomes 1."""
    return Command(due_ns, Kind.NOTE_ON, tag, note, channel & 15, _clamp(pitch), max(1, _clamp(velocity)))


def note_off(due_ns: int, tag: int, note: int, channel: int, pitch: int) -> Command:
    """Release exactly the strike named `note`, if it still sounds."""
    return Command(due_ns, Kind.NOTE_OFF, tag, note, channel & 15, _clamp(pitch))


def program(due_ns: int, tag: int, channel: int, number: int) -> Command:
    """Choose the sound of a channel."""
    return Command(due_ns, Kind.PROGRAM, tag, 0, channel & 15, _clamp(number))


def cancel(tag: int, due_ns: int = NOW) -> Command:
    """End a take: at `due_ns`, or at once and with its channels quietened when no time is given."""
    return Command(due_ns, Kind.CANCEL, tag)


def silence(due_ns: int, channel: int) -> Command:
    """Quieten what an earlier port may have left sounding on a channel."""
    return Command(due_ns, Kind.SILENCE, channel=channel & 15)


def panic() -> Command:
    """All sound off now."""
    return Command(NOW, Kind.PANIC)


def leave() -> Command:
    """All sound off now, then close the port."""
    return Command(NOW, Kind.QUIT)


def _clamp(value: int) -> int:
    """A MIDI data byte: python-rtmidi checks none."""
    return min(127, max(0, int(value)))


_RECORD = struct.Struct("<qIIBBBB")  # 20 bytes: due_ns, tag, note, kind, channel, data1, data2
RECORD_BYTES = _RECORD.size


def build_command(command: Command) -> bytes:
    """The record that goes down the pipe."""
    return _RECORD.pack(
        command.due_ns, command.tag, command.note, command.kind, command.channel, command.data1, command.data2
    )


def parse_commands(data: bytes) -> Iterator[Command]:
    """The commands in a whole number of records.

    Raises:
        ValueError: a record is cut short, of no known kind, or has a value MIDI does not know.
    """
    if len(data) % RECORD_BYTES:
        raise ValueError(f"commands come in records of {RECORD_BYTES} bytes, {len(data)} is no multiple")
    for due_ns, tag, note, kind, channel, data1, data2 in _RECORD.iter_unpack(data):
        if channel > 15 or data1 > 127 or data2 > 127:
            raise ValueError(f"channel {channel}, data {data1} {data2} are no MIDI message")
        yield Command(due_ns, Kind(kind), tag, note, channel, data1, data2)


@dataclass(frozen=True, slots=True)
class Ready:
    """The port is open."""

    name: str
    """As other programs see it."""
    backend: str
    is_realtime: bool
    """Whether the system granted real-time scheduling (SCHED_FIFO)."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The port could not be opened, or is gone; the child exits after this."""

    problem: str
    """One sentence that ends in the cure."""


@dataclass(frozen=True, slots=True)
class Beat:
    """A sign of life, ten times a second; every count runs from the opening of the port."""

    sent: int
    """Note-ons and note-offs that reached the port."""
    late: int
    dropped: int
    sounding: int
    lateness: dict[int, int] = field(default_factory=dict)
    """Histogram bucket -> messages; see `bridge.metrics.Histogram`."""
    late_by_tag: dict[int, int] = field(default_factory=dict)
    """Late or dropped note-ons of the most recent takes that had any."""


Report = Ready | Failed | Beat
_REPORTS: dict[str, type[Ready] | type[Failed] | type[Beat]] = {"ready": Ready, "failed": Failed, "beat": Beat}


def build_report(report: Report) -> bytes:
    """One line of JSON."""
    return json.dumps({"is": type(report).__name__.lower(), **asdict(report)}, separators=(",", ":")).encode() + b"\n"


def parse_report(line: bytes) -> Report:
    """The report in one line.

    Raises:
        ValueError: the line is no report.
    """
    try:
        fields = json.loads(line)
        report = _REPORTS[fields.pop("is")](**fields)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"the MIDI child said something that is no report: {line[:80]!r}") from error
    if isinstance(report, Beat):
        return Beat(
            report.sent, report.late, report.dropped, report.sounding,
            _int_keys(report.lateness), _int_keys(report.late_by_tag),
        )  # fmt: skip
    return report


def _int_keys(counts: dict[int, int]) -> dict[int, int]:
    """JSON turns the keys of an object into text; turn them back."""
    return {int(key): value for key, value in counts.items()}
