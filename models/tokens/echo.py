"""What stood at the same place bars ago: the guess of somebody who expects the music to repeat.

Four lags are fixed, 1, 2, 4 and 8 bars; the fifth is recalled: it leads to the bar that followed what most resembles
the last bars, however long ago (`recall`). The same code serves training (a whole window, every event predicted from
those before it) and playing (one field at a time). It counts nothing and weighs nothing: how far to believe it is the
network's business.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence

import numpy as np

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
"""Bars back, the fixed ones."""
ECHOES = len(LAGS) + 1
"""The fixed lags and the recalled one."""
HITS = 2**ECHOES
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
REST: Row = (1, 0, REST_SLOT, 0, 0, 0)


class Echo:
    """The notes of generated parts so far, found by bar.

    Args:
        kind: (P,) drums 0, bass 1, other 2, by slot.
        first_bar: the fixed lags know nothing before it.
        recalled: the recalled lag of a bar, 0 = none.
    """

    def __init__(self, kind: Sequence[int], first_bar: int, recalled: Callable[[int], int]) -> None:
        self._kind = kind
        self._first_bar = first_bar
        self._recalled = recalled
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

    def _sources(self, bar: int) -> list[int | None]:
        """The bar that each lag leads to from `bar`; None where it leads nowhere."""
        fixed = [bar - lag if bar - lag >= self._first_bar else None for lag in LAGS]
        lag = self._recalled(bar)
        return [*fixed, bar - lag if lag else None]

    def hits(self, row: Row, bar: int) -> int:
        """Which lags an event agrees with, one bit each: the same part struck the same pitch at the same place."""
        if row[SLOT] >= GIVEN_SLOT:
            return 0
        order = self.order(row)
        bits = 0
        for bit, source in enumerate(self._sources(bar)):
            if source is not None:
                at = bisect_right(self._orders.get(source, ()), order)
                bits |= (at > 0 and self._orders[source][at - 1] == order) << bit
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
        nexts = self._nexts(bar)
        floor = None if last is None or last[SLOT] == REST_SLOT else self._floor(last)
        for source, following in zip(self._sources(bar), nexts, strict=True):
            here = None
            if floor is not None and source is not None:
                here = self._next(source, floor)
            if here is not None:
                guesses.append((0, here[POSITION]))
            elif following is not None and last is not None:
                guesses.append((1, self._first_position(following)))
            else:
                guesses.append((NOTHING, NOTHING))
        return guesses

    def _nexts(self, bar: int) -> list[int | None]:
        """The bar that each lag leads to from the bar after `bar`; the recalled lag goes on as it is."""
        fixed = [bar + 1 - lag if bar + 1 - lag >= self._first_bar else None for lag in LAGS]
        lag = self._recalled(bar)
        return [*fixed, bar + 1 - lag if lag else None]

    def _first_position(self, bar: int) -> int:
        first = self._next(bar, FIRST)
        return 0 if first is None else first[POSITION]

    def _floor(self, last: Row) -> Order:
        """Everything after it in its bar comes later than this."""
        return self.order(last) if last[SLOT] < GIVEN_SLOT else (last[POSITION], -1, -1, -1)

    def position(self, last: Row | None, bar: int, dbar: int) -> list[int]:
        """Position of the next event by each lag, once its bar is known."""
        return self._positions(self.ahead(last, bar), bar, dbar)

    def _positions(self, ahead: Sequence[tuple[int, int]], bar: int, dbar: int) -> list[int]:
        if dbar == 1:
            return [NOTHING if source is None else self._first_position(source) for source in self._sources(bar + 1)]
        return [position if guess == 0 else NOTHING for guess, position in ahead]

    def _at(self, last: Row | None, source: int | None, dbar: int, position: int) -> list[Row]:
        """What stood in a bar at the place of the next event, as far as the order of one onset still allows it."""
        if source is None:
            return []
        tie = last is not None and dbar == 0 and last[SLOT] < GIVEN_SLOT and last[POSITION] == position
        orders = self._orders.get(source, ())
        begin = bisect_right(orders, self.order(last) if tie and last is not None else (position, -1, -1, -1))
        end = bisect_right(orders, (position + 1, -1, -1, -1))
        return self._rows[source][begin:end] if begin < end else []

    def _stood(self, last: Row | None, bar: int, dbar: int, position: int) -> list[list[Row]]:
        """By each lag, what stood at the place of the next event; a bar that was empty gives one REST at its line."""
        found = []
        for source in self._sources(bar + dbar):
            rows = self._at(last, source, dbar, position)
            if not rows and dbar == 1 and position == 0 and source is not None and not self._orders.get(source):
                rows = [REST]
            found.append(rows)
        return found

    def field(self, field: int, last: Row | None, bar: int, known: Sequence[int]) -> list[int]:
        """The value of a field of the next event by each lag, the fields before it known.

        Of a note's pitch, duration and velocity: those of the known part's note there; of the known pitch, where that
        stood there too.

        Args:
            last: the event before; None at the start.
            bar: the bar it stands in.
        """
        if field == DBAR:
            return [guess[0] for guess in self.ahead(last, bar)]
        if field == POSITION:
            return self.position(last, bar, known[DBAR])
        stood = self._stood(last, bar, known[DBAR], known[POSITION])
        if field == SLOT:
            return [rows[0][SLOT] if rows else NOTHING for rows in stood]
        notes = notes_of(stood, known[SLOT], known[PITCH] if len(known) > PITCH else None)
        return [NOTHING if note is None else note[field] for note in notes]

    def whole(self, last: Row | None, bar: int, row: Row) -> list[list[int]]:
        """`field` for every field of the next event, (COLUMNS, ECHOES), and where each lag is ahead."""
        ahead = self.ahead(last, bar)
        position = self._positions(ahead, bar, row[DBAR])
        stood = self._stood(last, bar, row[DBAR], row[POSITION])
        columns = [[guess for guess, _ in ahead], position, [rows[0][SLOT] if rows else NOTHING for rows in stood]]
        if row[SLOT] < GIVEN_SLOT:
            columns.append([NOTHING if n is None else n[PITCH] for n in notes_of(stood, row[SLOT], None)])
            notes = notes_of(stood, row[SLOT], row[PITCH])
            columns += [[NOTHING if n is None else n[field] for n in notes] for field in (DURATION, VELOCITY)]
        else:
            columns += [[NOTHING] * ECHOES] * (AHEAD - PITCH)
        return [*columns, [where for _, where in ahead]]


def notes_of(stood: Sequence[Sequence[Row]], slot: int, pitch: int | None) -> list[Row | None]:
    """By each lag, the note of a slot: the one of the pitch where it stands there, else the first."""
    found: list[Row | None] = []
    for rows in stood:
        mine = [row for row in rows if row[SLOT] == slot]
        same = [row for row in mine if row[PITCH] == pitch] if pitch is not None else []
        found.append(next(iter(same or mine), None))
    return found


def echoes(
    tokens: IntArray,
    bar: IntArray,
    kind: IntArray,
    first_bar: int,
    recalled: IntArray,
    before: Sequence[tuple[Row, int]],
) -> tuple[IntArray, IntArray]:
    """Every event's guesses and hits in one window.

    Args:
        tokens: (T, 6).
        bar: (T,) the bar each stands in.
        recalled: (bars,) the recalled lag of every bar of the piece.
        before: events with their bars that came before the window, in order, for the recalled lag to lead to.

    Returns:
        (T, COLUMNS, ECHOES) guesses, each from the events before and the event's own earlier fields, and (T,) hits.
    """
    echo = Echo(kind.tolist(), first_bar, lambda at: int(recalled[at]) if 0 <= at < len(recalled) else 0)
    for row, here in before:
        echo.add(row, here)
    guesses = np.full((len(tokens), COLUMNS, ECHOES), NOTHING, dtype=np.int64)
    hits = np.zeros(len(tokens), dtype=np.int64)
    last, last_bar = None, first_bar - 1
    for at, (row, here) in enumerate(zip(map(tuple, tokens.tolist()), bar.tolist(), strict=True)):
        if row[SLOT] < GIVEN_SLOT or row[SLOT] >= REST_SLOT:
            guesses[at] = echo.whole(last, last_bar, row)
            hits[at] = echo.hits(row, here)
        echo.add(row, here)
        last, last_bar = row, here
    return guesses, hits
