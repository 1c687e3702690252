"""What must be handed to the port next, and when: the scheduler without its thread. It knows no port and no clock.

Notes wait here by tick and become due times only when they are handed over, so a change of tempo moves all that wait.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from bridge.channels import ChannelMap
from bridge.clock import TempoLine
from bridge.midi_records import NOW, Command, cancel, note_off, note_on, panic, program
from models.music.score import Note

LOOKAHEAD_NS = 150_000_000
DROP_NS = 100_000_000
_SHORTEST_NS = 1_000_000  # no note-off comes sooner after its note-on, whatever the tempo does in between
_PROGRAM_AHEAD_NS = 10_000_000  # synths need a moment to change their sound


class _Off(NamedTuple):
    """A note-off that waits; sorts by tick."""

    tick: int
    note: int
    channel: int
    pitch: int
    on_ns: int


@dataclass(frozen=True, slots=True)
class TakeState:
    """How far one take is."""

    tag: int
    horizon_tick: int
    """Where its last known note ends."""
    waiting: int
    """Notes not yet handed to the port."""
    handed: int = 0
    late: int = 0
    """Notes handed after their time."""
    dropped: int = 0
    """Notes that came too late to be handed at all."""


@dataclass(slots=True)
class _Take:
    """One take; every tick is relative to its start."""

    tag: int
    line: TempoLine
    channels: ChannelMap
    ons: list[tuple[int, int, Note]] = field(default_factory=list)
    offs: list[_Off] = field(default_factory=list)
    is_finished: bool = False
    cut_ns: int | None = None
    last_off_ns: int = NOW
    horizon_tick: int = 0
    handed: int = 0
    late: int = 0
    dropped: int = 0

    def state(self) -> TakeState:
        return TakeState(self.tag, self.horizon_tick, len(self.ons), self.handed, self.late, self.dropped)

    def off_ns(self, off: _Off) -> int:
        """When a note-off is due: never before its note-on, which was handed over at another tempo perhaps."""
        return max(self.line.ns_at(off.tick), off.on_ns + _SHORTEST_NS)

    def is_over(self, now_ns: int) -> bool:
        """Whether nothing of it sounds or will."""
        if self.cut_ns is not None and now_ns >= self.cut_ns:
            return True
        return self.is_finished and not self.ons and not self.offs and now_ns >= self.last_off_ns

    def wake_ns(self, lookahead_ns: int) -> list[int]:
        """The instants at which it will have something to do."""
        instants = [] if self.cut_ns is None else [self.cut_ns]
        if self.ons:
            instants.append(self.line.ns_at(self.ons[0][0]) - lookahead_ns)
        if self.offs:
            instants.append(self.off_ns(self.offs[0]) - lookahead_ns)
        elif not self.ons and self.is_finished:
            instants.append(self.last_off_ns)
        return instants


class Timeline:
    """The takes that sound. Single-threaded: `Scheduler` guards it."""

    def __init__(self, lookahead_ns: int = LOOKAHEAD_NS, drop_ns: int = DROP_NS) -> None:
        self._lookahead_ns = lookahead_ns
        self._drop_ns = drop_ns
        self._takes: dict[int, _Take] = {}
        self._programs: dict[int, int] = {}
        self._over: list[TakeState] = []
        self._next_note = 0

    def start(self, tag: int, line: TempoLine, channels: ChannelMap) -> None:
        """Begin a take whose tick 0 sounds where `line` says.

        Raises:
            ValueError: a take of this tag sounds already.
        """
        if tag in self._takes:
            raise ValueError(f"take {tag} sounds already: give every take its own tag")
        self._takes[tag] = _Take(tag, line, channels)

    def add(self, tag: int, notes: Iterable[Note]) -> None:
        """Let notes wait for their time; notes of a take that is over are let go."""
        take = self._takes.get(tag)
        if take is None:
            return
        for note in notes:
            self._next_note = (self._next_note + 1) % 2**32
            heapq.heappush(take.ons, (note.onset_tick, self._next_note, note))
            take.horizon_tick = max(take.horizon_tick, note.end_tick)

    def finish(self, tag: int) -> None:
        """Say that no more notes come: the take is over when its last one has ended."""
        if take := self._takes.get(tag):
            take.is_finished = True

    def retime(self, tag: int, line: TempoLine) -> None:
        """Lay what still waits of a take on another line: new tempo, or a nudge from the host."""
        if take := self._takes.get(tag):
            take.line = line

    def cancel(self, tag: int, at_ns: int = NOW) -> list[Command]:
        """End a take at an instant, at once when none is given."""
        take = self._takes.get(tag)
        if take is None:
            return []
        for channel in take.channels.channels:
            self._programs.pop(channel, None)  # its program change may be among what is dropped
        take.cut_ns = at_ns
        return [cancel(tag, at_ns)]

    def panic(self) -> list[Command]:
        """End every take."""
        self._over += self.takes()
        self._takes.clear()
        self._programs.clear()
        return [panic()]

    def forget_programs(self) -> None:
        """The synth is another one: tell it every program anew."""
        self._programs.clear()

    def step(self, now_ns: int) -> tuple[list[Command], list[TakeState], int | None]:
        """What to hand over now in order of time, the takes that are over, and when to come again (None: never)."""
        commands: list[Command] = []
        for take in [take for take in self._takes.values() if take.is_over(now_ns)]:
            self._over.append(self._takes.pop(take.tag).state())
        over, self._over = self._over, []
        wakes: list[int] = []
        for take in self._takes.values():
            self._hand_ons(take, now_ns, commands)
            self._hand_offs(take, now_ns, commands)
            wakes += take.wake_ns(self._lookahead_ns)
        commands.sort(key=lambda command: command[:2])
        return commands, over, min(wakes, default=None)

    def take(self, tag: int) -> TakeState | None:
        """How far a take is; None when it is over."""
        take = self._takes.get(tag)
        return None if take is None else take.state()

    def takes(self) -> list[TakeState]:
        """How far every take is."""
        return [take.state() for take in self._takes.values()]

    def playhead_tick(self, tag: int, now_ns: int) -> int | None:
        """The take's own tick that sounds now, negative before it begins; None when it is over."""
        take = self._takes.get(tag)
        return None if take is None else take.line.tick_at(now_ns)

    def _hand_ons(self, take: _Take, now_ns: int, commands: list[Command]) -> None:
        while take.ons:
            due_ns = take.line.ns_at(take.ons[0][0])
            if take.cut_ns is not None and due_ns >= take.cut_ns:
                take.ons.clear()
                return
            if due_ns > now_ns + self._lookahead_ns:
                return
            _, number, note = heapq.heappop(take.ons)
            if now_ns - due_ns > self._drop_ns:
                take.dropped += 1
                continue
            take.late += now_ns > due_ns
            take.handed += 1
            channel = take.channels.channel_of(note.part)
            self._choose_program(take, channel, due_ns, commands)
            commands.append(note_on(due_ns, take.tag, number, channel, note.pitch, note.velocity))
            heapq.heappush(take.offs, _Off(note.end_tick, number, channel, note.pitch, max(due_ns, now_ns)))

    def _hand_offs(self, take: _Take, now_ns: int, commands: list[Command]) -> None:
        while take.offs:
            off = take.offs[0]
            due_ns = take.off_ns(off)
            if due_ns > now_ns + self._lookahead_ns:
                return
            heapq.heappop(take.offs)
            take.last_off_ns = max(take.last_off_ns, due_ns)
            commands.append(note_off(due_ns, take.tag, off.note, off.channel, off.pitch))

    def _choose_program(self, take: _Take, channel: int, due_ns: int, commands: list[Command]) -> None:
        """Set the channel's sound before the first note that needs it."""
        number = take.channels.programs.get(channel)
        if number is not None and self._programs.get(channel) != number:
            self._programs[channel] = number
            commands.append(program(due_ns - _PROGRAM_AHEAD_NS, take.tag, channel, number))
