"""The boring twins of real things: a clock moved by hand, ports that only remember, a synth that counts."""

from __future__ import annotations

from bridge.midi_records import Command
from bridge.note_queue import NoteQueue
from bridge.notes import Message

MS = 1_000_000
SECOND = 1_000 * MS


class ManualClock:
    """A clock that stands still until it is moved."""

    def __init__(self, ns: int = SECOND) -> None:
        self.ns = ns

    def now_ns(self) -> int:
        return self.ns

    def advance(self, ns: int) -> int:
        """Move on; returns the new instant."""
        self.ns += ns
        return self.ns


class FakePort:
    """A port that remembers its commands."""

    def __init__(self) -> None:
        self.commands: list[Command] = []

    def send(self, command: Command) -> None:
        self.commands.append(command)

    def taken(self) -> list[Command]:
        """The commands since the last call."""
        commands, self.commands = self.commands, []
        return commands


class Synth:
    """What a listener makes of MIDI bytes. A strict one fails where a pitch is struck or released twice."""

    def __init__(self, is_strict: bool = True) -> None:
        self._is_strict = is_strict
        self.sounding: set[tuple[int, int]] = set()
        self.ons: list[tuple[int, int, int]] = []
        """(channel, pitch, velocity)"""
        self.offs = 0
        self.controls: list[tuple[int, int, int]] = []
        self.programs: list[tuple[int, int]] = []

    def play(self, message: Message) -> None:
        """Obey one message."""
        status, channel = message[0] & 0xF0, message[0] & 0x0F
        if status == 0x90:
            assert message[2] > 0, "a note-on with velocity 0 hides a note-off"
            assert not self._is_strict or (channel, message[1]) not in self.sounding, (
                f"struck while it sounds: {message}"
            )
            self.sounding.add((channel, message[1]))
            self.ons.append((channel, message[1], message[2]))
        elif status == 0x80:
            assert not self._is_strict or (channel, message[1]) in self.sounding, f"released in silence: {message}"
            self.sounding.discard((channel, message[1]))
            self.offs += 1
        elif status == 0xB0:
            self.controls.append((channel, message[1], message[2]))
        elif status == 0xC0:
            self.programs.append((channel, message[1]))
        else:
            raise AssertionError(f"no message of ours: {message}")


class SoundingPort:
    """The MIDI child without its process: commands go through a `NoteQueue` to a synth as a manual clock moves."""

    def __init__(self, clock: ManualClock) -> None:
        self.synth = Synth()
        self.queue = NoteQueue()
        self.heard: list[tuple[int, Message]] = []
        """(instant, message)"""
        self._clock = clock

    def send(self, command: Command) -> None:
        self._play(self.queue.push(command))

    def advance(self, ns: int) -> None:
        """Move the clock on, playing everything at its time."""
        until_ns = self._clock.ns + ns
        while (due_ns := self.queue.next_due_ns) is not None and due_ns <= until_ns:
            self._clock.ns = max(self._clock.ns, due_ns)
            self._play(self.queue.pop(self._clock.ns))
        self._clock.ns = until_ns

    def end(self) -> None:
        """What the child does when its pipe ends."""
        self._play(self.queue.end_all())

    def _play(self, messages: list[Message]) -> None:
        for message in messages:
            self.heard.append((self._clock.ns, message))
            self.synth.play(message)
