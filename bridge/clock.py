"""Where time comes from, and how ticks lie on it. Nothing here sleeps.

The clock is `time.perf_counter_ns`: the same for every process of the machine, so a due time means the same in the
MIDI child. On Linux it is CLOCK_MONOTONIC; on Windows `time.monotonic` would step by 15 ms.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Protocol

from models.music.constants import DEFAULT_BPM, DEFAULT_DENOMINATOR, DEFAULT_NUMERATOR, PPQ
from models.music.score import Meter
from models.music.timebase import MeterMap


class Clock(Protocol):
    """A steady clock."""

    def now_ns(self) -> int:
        """Nanoseconds since some fixed instant; never goes back."""


class MonotonicClock:
    """The machine's own clock."""

    def now_ns(self) -> int:
        """Nanoseconds since some fixed instant; never goes back."""
        return time.perf_counter_ns()


@dataclass(frozen=True, slots=True)
class TempoLine:
    """Ticks on the clock at one steady tempo: a straight line through an anchor, so nothing drifts."""

    anchor_ns: int
    anchor_tick: float
    bpm: float

    def __post_init__(self) -> None:
        if not 0 < self.bpm < float("inf"):
            raise ValueError(f"bpm must be above 0, not {self.bpm}")

    def ns_at(self, tick: float) -> int:
        """The instant at which `tick` sounds."""
        return self.anchor_ns + round((tick - self.anchor_tick) * 60e9 / (self.bpm * PPQ))

    def exact_tick_at(self, ns: int) -> float:
        """Where the line stands at `ns`, between two ticks."""
        return self.anchor_tick + (ns - self.anchor_ns) * self.bpm * PPQ / 60e9

    def tick_at(self, ns: int) -> int:
        """The last tick that has begun at `ns`; undoes `ns_at` exactly."""
        nearest = round(self.exact_tick_at(ns))
        return nearest if self.ns_at(nearest) <= ns else nearest - 1

    def bent(self, ns: int, bpm: float) -> TempoLine:
        """The same position at `ns`, going on at another tempo."""
        return TempoLine(ns, self.exact_tick_at(ns), bpm)


@dataclass(frozen=True, slots=True)
class Transport:
    """Where the host is: one tempo line, playing or not, in one meter counted from song tick 0."""

    line: TempoLine = TempoLine(0, 0, DEFAULT_BPM)
    is_playing: bool = False
    meter: Meter = Meter(0, DEFAULT_NUMERATOR, DEFAULT_DENOMINATOR)

    def updated(self, ns: int, tick: int, bpm: float, is_playing: bool, meter: Meter) -> Transport:
        """What the host said at `ns`."""
        return Transport(TempoLine(ns, tick, bpm), is_playing, replace(meter, tick=0))

    def tick_at(self, ns: int) -> int:
        """The song tick at `ns`; stands still while stopped."""
        return self.line.tick_at(ns) if self.is_playing else int(self.line.anchor_tick)

    def ns_at(self, tick: int) -> int:
        """The instant of a song tick if the host plays on as it does now (while stopped: from the last word on)."""
        return self.line.ns_at(tick)

    def next_bar_line(self, tick: int) -> int:
        """The first bar line at or after a song tick."""
        return MeterMap([self.meter]).next_bar_line(tick)
