"""Which earlier bar the present one most likely repeats: the one that followed what most resembles the last bars.

Likeness is the share of notes two bars have in common (Jaccard), the nearer of three bars counting more. Bars that the
fixed lags of `models.tokens.echo` lead to are left to them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

import numpy as np

from models.music.constants import MAX_PARTS, MAX_PITCH
from models.tokens.grid import IntArray

WEIGHTS = (1.0, 0.5, 0.25)  # the bar before, the one before that, and one more
LEAST = 0.25  # of the weights' sum; what resembles less is no repetition
TAKEN = (1, 2, 4, 8)
FAR = 128  # bars; what is longer ago is forgotten

T = TypeVar("T", int, IntArray)
Mark = int
"""A note's place, part and pitch as one number."""


def mark(position: T, part: T, pitch: T) -> T:
    """A note as one number; numbers or whole arrays of them."""
    return (position * MAX_PARTS + part) * (MAX_PITCH + 1) + pitch


class Recall:
    """The bars of one piece, as sets of notes, and the lag that each recalls."""

    def __init__(self) -> None:
        self._bars: list[set[Mark]] = []
        self._likeness: list[list[float]] = []
        """Of each bar to those before it, the nearest last."""
        self._lags: list[int] = []

    def lag(self, bar: int) -> int:
        """The recalled lag of a bar whose predecessors were all closed; 0 = it recalls nothing."""
        while len(self._lags) <= bar:
            self._lags.append(self._best(len(self._lags)))
        return self._lags[bar] if bar >= 0 else 0

    def close(self, marks: Iterable[Mark]) -> None:
        """The next bar is complete."""
        self._bars.append(set(marks))
        known = len(self._bars) - 1
        self._likeness.append([likeness(other, self._bars[-1]) for other in self._bars[max(0, known - FAR) : known]])

    def reopen(self, bars: int) -> None:
        """Only the first `bars` bars are complete any more."""
        del self._bars[bars:], self._likeness[bars:], self._lags[bars + 1 :]

    @property
    def closed(self) -> int:
        """How many bars are complete."""
        return len(self._bars)

    def _best(self, bar: int) -> int:
        best, found = LEAST * sum(WEIGHTS), 0
        for source in range(bar - 1, max(0, bar - FAR), -1):
            if bar - source in TAKEN:
                continue
            score = 0.0
            for back, weight in enumerate(WEIGHTS, start=1):
                if source >= back and bar - back < len(self._bars):
                    score += weight * self._likeness[bar - back][source - bar]
            if score > best:
                best, found = score, bar - source
        return found


def likeness(one: set[Mark], other: set[Mark]) -> float:
    """Share of notes in common; empty bars are like nothing."""
    common = len(one & other)
    return common / (len(one) + len(other) - common) if common else 0.0


def recalled_lags(bars: Sequence[Iterable[Mark]]) -> IntArray:
    """(bars + 1,) the lag that each bar recalls, and the one after the last."""
    recall = Recall()
    for marks in bars:
        recall.close(marks)
    return np.array([recall.lag(bar) for bar in range(len(bars) + 1)], dtype=np.int64)
