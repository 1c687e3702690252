"""Bars as the flagship counts them: every bar line of a score, bars too long for the vocabulary cut in pieces."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.music.score import Meter
from models.music.timebase import MeterMap
from models.tokens.vocabulary import POSITIONS, SPLIT_BAR, TICKS_PER_GRID

IntArray = NDArray[np.int64]


class Grid:
    """Token bars of one score from tick 0 on, laid out as far as anyone asked."""

    def __init__(self, meters: Sequence[Meter]) -> None:
        self._meter_map = MeterMap(meters)
        self._bar = 0
        self._starts = [0]

    def _reach_tick(self, tick: int) -> None:
        while self._starts[-1] <= tick:
            self._add_bar()

    def _add_bar(self) -> None:
        """Append the line that ends the last bar, cutting a bar that is longer than the vocabulary's positions."""
        start = self._meter_map.bar_to_tick(self._bar)
        self._bar += 1
        end = self._meter_map.bar_to_tick(self._bar)
        if end - start > POSITIONS * TICKS_PER_GRID:
            self._starts.extend(range(start + SPLIT_BAR * TICKS_PER_GRID, end, SPLIT_BAR * TICKS_PER_GRID))
        self._starts.append(end)

    def starts(self, tick: int) -> IntArray:
        """Bar lines in ticks, from 0 to the first after `tick` or further."""
        self._reach_tick(tick)
        return np.array(self._starts, dtype=np.int64)

    def bar_to_tick(self, bar: int) -> int:
        """Tick of a bar line; bars before the first are as long as it."""
        if bar < 0:
            return bar * self.bar_ticks(0)
        while len(self._starts) <= bar:
            self._add_bar()
        return self._starts[bar]

    def bar_ticks(self, bar: int) -> int:
        """Length of one token bar in ticks."""
        return self.bar_to_tick(max(0, bar) + 1) - self.bar_to_tick(max(0, bar))

    def place(self, ticks: IntArray) -> tuple[IntArray, IntArray]:
        """Nearest (bar, position) of each tick; a tick that rounds to the next bar line belongs to the next bar.

        Raises:
            ValueError: a tick lies before the first bar.
        """
        if ticks.min(initial=0) < 0:
            raise ValueError(f"tick {ticks.min()} lies before the score: shift it so that it starts at 0 or later")
        starts = self.starts(int(ticks.max(initial=0)))
        bars = np.searchsorted(starts, ticks, side="right") - 1
        positions = np.rint((ticks - starts[bars]) / TICKS_PER_GRID).astype(np.int64)
        over = positions * TICKS_PER_GRID >= starts[bars + 1] - starts[bars]
        return bars + over, np.where(over, 0, positions)

    def first_place(self, tick: int) -> tuple[int, int]:
        """The first (bar, position) at or after a tick."""
        bar = int(np.searchsorted(self.starts(tick), tick, side="right")) - 1
        position = -(-(tick - self.bar_to_tick(bar)) // TICKS_PER_GRID)
        return (bar, position) if position * TICKS_PER_GRID < self.bar_ticks(bar) else (bar + 1, 0)

    def place_to_tick(self, bar: int, position: int) -> int:
        """The tick that a place of the grid stands for."""
        return self.bar_to_tick(bar) + position * TICKS_PER_GRID
