"""Conversions between ticks, beats, bars and seconds; pure, and blind to any clock."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from models.music.constants import PPQ
from models.music.score import Meter, Tempo


def bar_ticks(meter: Meter) -> int:
    """Length of one bar; a 1/128 bar still has ticks at 480 to the quarter."""
    return max(1, meter.numerator * 4 * PPQ // meter.denominator)


def beats_to_ticks(beats: float) -> int:
    """Quarter notes to the nearest tick."""
    return round(beats * PPQ)


def ticks_to_beats(ticks: int) -> float:
    """Ticks to quarter notes."""
    return ticks / PPQ


def ticks_to_s(ticks: int, bpm: float) -> float:
    """Length in seconds at one steady tempo."""
    return ticks * 60.0 / (bpm * PPQ)


class MeterMap:
    """Bars of a score with meter changes; a change between bar lines starts a new bar where it stands."""

    def __init__(self, meters: Sequence[Meter]) -> None:
        self._meters: list[Meter] = []
        self._ticks: list[int] = []
        self._bars: list[int] = []
        for meter in meters:
            if not self._meters:
                self._append(meter, 0)
                continue
            length = bar_ticks(self._meters[-1])
            whole = -(-(meter.tick - self._ticks[-1]) // length)
            self._append(meter, self._bars[-1] + whole)

    def _append(self, meter: Meter, bar: int) -> None:
        self._meters.append(meter)
        self._ticks.append(meter.tick)
        self._bars.append(bar)

    def tick_to_bar(self, tick: int) -> tuple[int, int]:
        """The bar that holds `tick`, and the ticks since its bar line. Ticks before 0 lie in negative bars."""
        at = max(0, bisect_right(self._ticks, tick) - 1)
        bars, position = divmod(tick - self._ticks[at], bar_ticks(self._meters[at]))
        return self._bars[at] + bars, position

    def bar_to_tick(self, bar: int) -> int:
        """Tick of the bar line that starts `bar`."""
        at = max(0, bisect_right(self._bars, bar) - 1)
        return self._ticks[at] + (bar - self._bars[at]) * bar_ticks(self._meters[at])

    def bar_length(self, bar: int) -> int:
        """Ticks from this bar line to the next (shorter where a meter change cuts the bar)."""
        return self.bar_to_tick(bar + 1) - self.bar_to_tick(bar)

    def meter_at(self, tick: int) -> Meter:
        """The meter in force at `tick`."""
        return self._meters[max(0, bisect_right(self._ticks, tick) - 1)]

    def next_bar_line(self, tick: int) -> int:
        """The first bar line at or after `tick`."""
        bar, position = self.tick_to_bar(tick)
        return tick if position == 0 else self.bar_to_tick(bar + 1)


class TempoMap:
    """Seconds of a score with tempo changes."""

    def __init__(self, tempos: Sequence[Tempo]) -> None:
        self._tempos = list(tempos)
        self._ticks = [tempo.tick for tempo in tempos]
        self._seconds = [0.0]
        for before, after in zip(self._tempos, self._tempos[1:], strict=False):
            self._seconds.append(self._seconds[-1] + ticks_to_s(after.tick - before.tick, before.bpm))

    def tick_to_s(self, tick: int) -> float:
        """Seconds from tick 0 to `tick`."""
        at = max(0, bisect_right(self._ticks, tick) - 1)
        return self._seconds[at] + ticks_to_s(tick - self._ticks[at], self._tempos[at].bpm)

    def s_to_tick(self, seconds: float) -> int:
        """The nearest tick to `seconds` after tick 0."""
        at = max(0, bisect_right(self._seconds, seconds) - 1)
        return self._ticks[at] + round((seconds - self._seconds[at]) * self._tempos[at].bpm * PPQ / 60.0)
