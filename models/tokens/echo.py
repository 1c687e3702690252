"""What stood at the same place 1, 2, 4 and 8 bars ago: the guess of somebody who expects the music to repeat.

The same code serves training (a whole window, every event predicted from those before it) and playing (one field at a
time). It counts nothing and weighs nothing: how far to believe it is the network's business.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.tokens.grid import IntArray
from models.tokens.vocabulary import (
    DBAR,
    DURATION,
    GIVEN_SLOT,
    PITCH,
    POSITION,
    REST_SLOT,
    SLOT,
    VELOCITY,
)

LAGS = (1, 2, 4, 8)
"""Bars back."""
HITS = 2 ** len(LAGS)
"""Ways in which an event may agree with the lags."""
AHEAD = 6
"""Column of the position that the next event would have; the columns before it are the six fields."""
COLUMNS = AHEAD + 1
NOTHING = -1
"""A lag says nothing: its bar lies before the music, or nothing stands there."""

Order = tuple[int, int, int, int]
"""(position, kind, pitch, slot): the order of notes within a bar."""
Row = tuple[int, ...]
FIRST: Order = (-1, -1, -1, -1)


class Echo:
    """The notes of generated parts so far, found by bar.

    Args:
        kind: (P,) drums 0, bass 1, other 2, by slot.
        first_bar: bars before it are unknown.
    """

    def __init__(self, kind: Sequence[int], first_bar: int) -> None:
        self._kind = kind
        self._first_bar = first_bar
        self._orders: dict[int, list[Order]] = {}
        self._rows: dict[int, list[Row]] = {}

    def order(self, row: Row) -> Order:
        """Where a note stands in its bar."""
        return row[POSITION], self._kind[row[SLOT]], row[PITCH], row[SLOT]

    def add(self, row: Row, bar: int) -> None:
        """One more event of the music; what is no generated part's note is passed over."""
        if row[SLOT] < GIVEN_SLOT:
            self._orders.setdefault(bar, []).append(self.order(row))
            self._rows.setdefault(bar, []).append(row)

    def drop(self, row: Row, bar: int) -> None:
        """Take the last event back."""
        if row[SLOT] < GIVEN_SLOT:
            self._orders[bar].pop()
            self._rows[bar].pop()

    def hits(self, row: Row, bar: int) -> int:
        """Which lags an event agrees with, one bit each: the same part struck the same pitch at the same place."""
        if row[SLOT] >= GIVEN_SLOT:
            return 0
        order = self.order(row)
        bits = 0
        for bit, lag in enumerate(LAGS):
            at = bisect_right(self._orders.get(bar - lag, ()), order)
            bits |= (at > 0 and self._orders[bar - lag][at - 1] == order) << bit
        return bits

    def _next(self, bar: int, after: Order) -> Row | None:
        orders = self._orders.get(bar, ())
        at = bisect_right(orders, after)
        return self._rows[bar][at] if at < len(orders) else None

    def ahead(self, last: Row | None, bar: int) -> list[tuple[int, int]]:
        """(dbar, position) of the next event by each lag.

        Args:
            last: the event before; None at the start.
            bar: the bar it stands in.
        """
        guesses = []
        for lag in LAGS:
            here = None
            if last is not None and last[SLOT] != REST_SLOT and bar - lag >= self._first_bar:
                here = self._next(bar - lag, self._floor(last))
            if here is not None:
                guesses.append((0, here[POSITION]))
            elif bar + 1 - lag >= self._first_bar and last is not None:
                there = self._next(bar + 1 - lag, FIRST)
                guesses.append((1, there[POSITION] if there is not None else 0))
            else:
                guesses.append((NOTHING, NOTHING))
        return guesses

    def _floor(self, last: Row) -> Order:
        """Everything after it in its bar comes later than this."""
        return self.order(last) if last[SLOT] < GIVEN_SLOT else (last[POSITION], -1, -1, -1)

    def position(self, last: Row | None, bar: int, dbar: int) -> list[int]:
        """Position of the next event by each lag, once its bar is known."""
        guesses = []
        for guess, lag in zip(self.ahead(last, bar), LAGS, strict=True):
            if guess[0] == dbar or guess[0] == NOTHING:
                guesses.append(guess[1])
            elif dbar == 1 and bar + 1 - lag >= self._first_bar:
                there = self._next(bar + 1 - lag, FIRST)
                guesses.append(there[POSITION] if there is not None else 0)
            else:
                guesses.append(NOTHING)
        return guesses

    def _at(self, last: Row | None, bar: int, dbar: int, position: int, lag: int) -> list[Row]:
        """What stood at the place of the next event, as far as the order of one onset still allows it."""
        source = bar + dbar - lag
        tie = last is not None and dbar == 0 and last[SLOT] < GIVEN_SLOT and last[POSITION] == position
        orders = self._orders.get(source, ())
        begin = bisect_right(orders, self.order(last) if tie and last is not None else (position, -1, -1, -1))
        end = bisect_right(orders, (position + 1, -1, -1, -1))
        return self._rows[source][begin:end] if begin < end else []

    def slot(self, last: Row | None, bar: int, dbar: int, position: int) -> list[int]:
        """Who plays next by each lag, once the place is known; REST where a whole bar was empty."""
        guesses = []
        for lag in LAGS:
            rows = self._at(last, bar, dbar, position, lag)
            source = bar + dbar - lag
            if rows:
                guesses.append(rows[0][SLOT])
            elif dbar == 1 and position == 0 and source >= self._first_bar and not self._orders.get(source):
                guesses.append(REST_SLOT)
            else:
                guesses.append(NOTHING)
        return guesses

    def note(self, last: Row | None, bar: int, known: Sequence[int]) -> list[Row | None]:
        """The note of the known slot by each lag; the one of the known pitch where that stands there, else the first.

        Args:
            known: (dbar, position, slot), or with the pitch (and more) after them.
        """
        guesses: list[Row | None] = []
        for lag in LAGS:
            rows = [row for row in self._at(last, bar, known[DBAR], known[POSITION], lag) if row[SLOT] == known[SLOT]]
            same = [row for row in rows if len(known) > PITCH and row[PITCH] == known[PITCH]]
            guesses.append(next(iter(same or rows), None))
        return guesses

    def field(self, field: int, last: Row | None, bar: int, known: Sequence[int]) -> list[int]:
        """The value of a field by each lag, the fields before it known."""
        if field == DBAR:
            return [guess[0] for guess in self.ahead(last, bar)]
        if field == POSITION:
            return self.position(last, bar, known[DBAR])
        if field == SLOT:
            return self.slot(last, bar, known[DBAR], known[POSITION])
        return [NOTHING if row is None else row[field] for row in self.note(last, bar, known)]


def echoes(tokens: IntArray, bar: IntArray, kind: IntArray, first_bar: int) -> tuple[NDArray[np.int64], IntArray]:
    """Every event's guesses and hits in one window.

    Args:
        tokens: (T, 6).
        bar: (T,) the bar each stands in.

    Returns:
        (T, COLUMNS, len(LAGS)) guesses, each from the events before and the event's own earlier fields, and (T,) hits.
    """
    echo = Echo(kind.tolist(), first_bar)
    guesses = np.full((len(tokens), COLUMNS, len(LAGS)), NOTHING, dtype=np.int64)
    hits = np.zeros(len(tokens), dtype=np.int64)
    last, last_bar = None, first_bar - 1
    for at, (row, here) in enumerate(zip(map(tuple, tokens.tolist()), bar.tolist(), strict=True)):
        if row[SLOT] < GIVEN_SLOT or row[SLOT] >= REST_SLOT:
            ahead = echo.ahead(last, last_bar)
            guesses[at, DBAR] = [guess[0] for guess in ahead]
            guesses[at, AHEAD] = [guess[1] for guess in ahead]
            guesses[at, POSITION] = echo.position(last, last_bar, row[DBAR])
            guesses[at, SLOT] = echo.slot(last, last_bar, row[DBAR], row[POSITION])
        if row[SLOT] < GIVEN_SLOT:
            guesses[at, PITCH] = echo.field(PITCH, last, last_bar, row[:PITCH])
            for field in (DURATION, VELOCITY):
                guesses[at, field] = echo.field(field, last, last_bar, row[: PITCH + 1])
            hits[at] = echo.hits(row, here)
        echo.add(row, here)
        last, last_bar = row, here
    return guesses, hits
