"""A piece of music as plain data: parts, notes, tempo and meter. It knows no files, no tokens and no clock.

Every tick is an int counted from the start of the score at `PPQ` ticks per quarter note.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TypeVar

from models.music.constants import (
    DEFAULT_BPM,
    DEFAULT_DENOMINATOR,
    DEFAULT_NUMERATOR,
    MAX_PARTS,
    MAX_PITCH,
    MAX_PROGRAM,
    MAX_VELOCITY,
)


def require_range(name: str, value: int, low: int, high: int) -> None:
    """Refuse a value outside `low..high`.

    Raises:
        TypeError: the value is no int.
        ValueError: it is outside the range.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be an int, not {type(value).__name__}")
    if not low <= value <= high:
        raise ValueError(f"{name} must be in range {low}..{high}, not {value}")


@dataclass(frozen=True, slots=True, order=True)
class Note:
    """One note; the order of the fields is the order notes sort in: by onset first."""

    onset_tick: int
    part: int
    pitch: int
    duration_ticks: int
    velocity: int

    @property
    def end_tick(self) -> int:
        """First tick at which the note no longer sounds."""
        return self.onset_tick + self.duration_ticks

    def shifted(self, ticks: int) -> Note:
        """The same note, `ticks` later."""
        return replace(self, onset_tick=self.onset_tick + ticks)

    def check(self) -> None:
        """Refuse a note that cannot sound.

        Raises:
            TypeError, ValueError: naming the field, its range and what came.
        """
        require_range("onset_tick", self.onset_tick, -(2**31), 2**31 - 1)
        require_range("duration_ticks", self.duration_ticks, 1, 2**31 - 1)
        require_range("pitch", self.pitch, 0, MAX_PITCH)
        require_range("velocity", self.velocity, 1, MAX_VELOCITY)
        require_range("part", self.part, 0, MAX_PARTS - 1)


@dataclass(frozen=True, slots=True)
class Part:
    """A row of the set: what plays, not where it is sent."""

    is_drum: bool = False
    program: int | None = None
    """General MIDI program 0-127, or None when nobody said."""
    name: str = ""

    def __post_init__(self) -> None:
        if self.program is not None:
            require_range("program", self.program, 0, MAX_PROGRAM)


@dataclass(frozen=True, slots=True, order=True)
class Tempo:
    """From `tick` on, `bpm` quarter notes a minute."""

    tick: int
    bpm: float


@dataclass(frozen=True, slots=True, order=True)
class Meter:
    """From `tick` on, bars of `numerator` notes of 1/`denominator`; `tick` starts a bar."""

    tick: int
    numerator: int
    denominator: int


@dataclass(frozen=True, slots=True)
class Score:
    """Parts with their notes (sorted), and the tempo and meter changes (sorted, the first at tick 0)."""

    parts: tuple[Part, ...]
    notes: tuple[Note, ...]
    tempos: tuple[Tempo, ...] = (Tempo(0, DEFAULT_BPM),)
    meters: tuple[Meter, ...] = (Meter(0, DEFAULT_NUMERATOR, DEFAULT_DENOMINATOR),)
    length_ticks: int = 0
    """Where the score ends; at least the last onset. Notes may ring past it."""

    @classmethod
    def build(
        cls,
        parts: Iterable[Part],
        notes: Iterable[Note],
        tempos: Iterable[Tempo] = (),
        meters: Iterable[Meter] = (),
        length_ticks: int | None = None,
    ) -> Score:
        """A score with sorted notes and changes, defaults at tick 0 where a map starts later.

        Raises:
            ValueError: a note names a part that is not there, or there are more than `MAX_PARTS` parts.
        """
        parts = tuple(parts)
        notes = tuple(sorted(notes))
        if len(parts) > MAX_PARTS:
            raise ValueError(f"a score has at most {MAX_PARTS} parts, not {len(parts)}")
        for note in notes:
            if not 0 <= note.part < len(parts):
                raise ValueError(f"a note names part {note.part}, but there are only {len(parts)} parts")
        last_end = max((note.end_tick for note in notes), default=0)
        return cls(
            parts,
            notes,
            tuple(_from_zero(sorted(tempos), Tempo(0, DEFAULT_BPM))),
            tuple(_from_zero(sorted(meters), Meter(0, DEFAULT_NUMERATOR, DEFAULT_DENOMINATOR))),
            last_end if length_ticks is None else length_ticks,
        )


T = TypeVar("T", Tempo, Meter)


def _from_zero(changes: list[T], default: T) -> list[T]:
    """The same changes, one per tick (the last wins), the first at tick 0."""
    by_tick: dict[int, T] = {default.tick: default}
    by_tick.update({change.tick: change for change in changes})
    return [by_tick[tick] for tick in sorted(by_tick)]
