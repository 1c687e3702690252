"""From key presses on tracks and channels to parts with notes. It knows MIDI's habits, but reads no file.

Every tick in this module is the file's own; `Rescale` is the one way out to `PPQ`.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from models.music.constants import CHANNELS, DRUM_CHANNEL, MAX_PARTS, PPQ
from models.music.score import Note, Part


@dataclass(frozen=True, slots=True)
class ReadReport:
    """What had to be changed to make a score of a file; all zero for a clean one."""

    hanging_notes: int = 0
    """Notes nobody released; they now end with the file."""
    stray_releases: int = 0
    """Releases of keys that were not down; left out."""
    zero_length_notes: int = 0
    """Notes without length, in the file or after rescaling; they now last one tick."""
    merged_parts: int = 0
    """Parts that joined another of the same instrument, because there were more than `MAX_PARTS`."""
    dropped_parts: int = 0
    """Parts left out, those with the fewest notes, because there were still more than `MAX_PARTS`."""
    dropped_notes: int = 0
    """Notes of the dropped parts."""
    ignored_changes: int = 0
    """Tempo or meter changes without meaning (0 microseconds, 0 beats, a denominator above 128); left out."""

    @property
    def is_clean(self) -> bool:
        """Whether the score says all the file said about notes, tempo and meter."""
        return self == ReadReport()


@dataclass(frozen=True, slots=True)
class Rescale:
    """From a file's division to `PPQ`; each absolute tick is rounded on its own, so errors never add up."""

    ticks_per_quarter: int

    def to_score(self, tick: int) -> int:
        """The score's tick nearest to the file's (a half goes up)."""
        return (2 * tick * PPQ + self.ticks_per_quarter) // (2 * self.ticks_per_quarter)

    def to_file(self, tick: int) -> int:
        """The file's tick nearest to the score's (a half goes up)."""
        return (2 * tick * self.ticks_per_quarter + PPQ) // (2 * PPQ)


RawNote = tuple[int, int, int, int]
"""Onset tick, end tick, pitch, velocity."""


@dataclass(slots=True)
class Strip:
    """What one channel plays in one track of a file: the raw material of a part."""

    track: int
    channel: int
    name: str = ""
    program: int | None = None
    notes: list[RawNote] = field(default_factory=list)
    stray_releases: int = 0
    first_tick: int = -1
    _down: defaultdict[int, deque[tuple[int, int]]] = field(default_factory=lambda: defaultdict(deque))

    @property
    def is_drum(self) -> bool:
        """Whether this is General MIDI's percussion channel."""
        return self.channel == DRUM_CHANNEL

    def press(self, tick: int, pitch: int, velocity: int) -> None:
        """A key goes down."""
        if self.first_tick < 0:
            self.first_tick = tick
        self._down[pitch].append((tick, velocity))

    def release(self, tick: int, pitch: int) -> None:
        """A key comes up: of several presses still held, the oldest ends."""
        held = self._down[pitch]
        if held:
            onset_tick, velocity = held.popleft()
            self.notes.append((onset_tick, tick, pitch, velocity))
        else:
            self.stray_releases += 1

    def close(self, end_tick: int) -> int:
        """Release every key still down at `end_tick`; tells how many there were."""
        hanging = 0
        for pitch, held in self._down.items():
            hanging += len(held)
            self.notes += [(onset_tick, end_tick, pitch, velocity) for onset_tick, velocity in held]
            held.clear()
        return hanging


def gather_parts(strips: Sequence[Strip]) -> tuple[list[list[Strip]], ReadReport]:
    """The strips of each part, at most `MAX_PARTS` of them, in the order of the file.

    One strip makes one part. Only where that gives too many do strips of one instrument share a part, and only
    where that does not suffice are the parts with the fewest notes left out.
    """
    if len(strips) <= MAX_PARTS:
        return [[strip] for strip in strips], ReadReport()
    by_instrument: dict[tuple[bool, int | None], list[Strip]] = {}
    for strip in strips:
        by_instrument.setdefault((strip.is_drum, strip.program), []).append(strip)
    groups = list(by_instrument.values())
    by_size = sorted(range(len(groups)), key=lambda index: (-_note_count(groups[index]), index))
    dropped = [groups[index] for index in by_size[MAX_PARTS:]]
    report = ReadReport(
        merged_parts=len(strips) - len(groups),
        dropped_parts=len(dropped),
        dropped_notes=sum(map(_note_count, dropped)),
    )
    return [groups[index] for index in sorted(by_size[:MAX_PARTS])], report


def build_parts(
    groups: Iterable[Sequence[Strip]], scale: Rescale, report: ReadReport
) -> tuple[list[Part], list[Note], ReadReport]:
    """Parts and their notes at `PPQ`, and the report with the notes that had no length."""
    parts: list[Part] = []
    notes: list[Note] = []
    zero_length = 0
    for index, group in enumerate(groups):
        parts.append(Part(group[0].is_drum, group[0].program, group[0].name))
        for strip in group:
            for onset, end, pitch, velocity in strip.notes:
                onset_tick = scale.to_score(onset)
                duration_ticks = scale.to_score(end) - onset_tick
                if duration_ticks < 1:
                    zero_length += 1
                    duration_ticks = 1
                notes.append(Note(onset_tick, index, pitch, duration_ticks, velocity))
    return parts, notes, replace(report, zero_length_notes=zero_length)


def choose_channels(parts: Sequence[Part], taken: Iterable[int] = ()) -> list[int]:
    """A channel for each part: drums on the percussion channel, others each on a free one while they last.

    Then a part shares the channel of a part with its program, else it shares them in turn.
    """
    melodic = [channel for channel in range(CHANNELS) if channel != DRUM_CHANNEL]
    occupied = set(taken)
    free = [channel for channel in melodic if channel not in occupied]
    by_program: dict[int | None, int] = {}
    chosen: list[int] = []
    for index, part in enumerate(parts):
        if part.is_drum:
            chosen.append(DRUM_CHANNEL)
            continue
        if free:
            channel = free.pop(0)
            by_program.setdefault(part.program, channel)
        else:
            channel = by_program.get(part.program, melodic[index % len(melodic)])
        chosen.append(channel)
    return chosen


def _note_count(group: Iterable[Strip]) -> int:
    return sum(len(strip.notes) for strip in group)
