"""Events of one piece in order: what was heard, what was made, and what of a given part's future still waits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.tokens.codec import Events
from models.tokens.echo import Echo
from models.tokens.grammar import Last
from models.tokens.recall import Recall, mark
from models.tokens.vocabulary import DBAR, DRUM_PITCH, GIVEN_SLOT, PITCH, POSITION, REST_SLOT, SLOT

Place = tuple[float, float]
"""(grid ticks, bars) from the start of the piece."""
Key = tuple[int, int]
"""(bar, position): what events are ordered by."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event with where it stands."""

    row: tuple[int, ...]
    """The six fields; dbar is filled in when it joins a history."""
    bar: int
    place: Place
    hits: int = 0
    """The lags it agrees with, see `models.tokens.echo`; filled in when it joins a history."""

    @property
    def key(self) -> Key:
        """Where it stands in the order."""
        return self.bar, self.row[POSITION]


def events_list(events: Events) -> list[Event]:
    """One object an event."""
    rows = zip(events.tokens.tolist(), events.bar.tolist(), events.place.tolist(), strict=True)
    return [Event(tuple(row), bar, (place[0], place[1])) for row, bar, place in rows]


class History:
    """Grows at the end; never forgets what was heard before `start_bar`."""

    def __init__(
        self, kind: Sequence[int], events: Sequence[Event] = (), start_bar: int = 0, first_bar: int = 0
    ) -> None:
        """`kind` tells drums 0, bass 1 and others 2 by slot; nothing is known of bars before `first_bar`."""
        self.start_bar = start_bar
        self._first_bar = first_bar
        self._echo = Echo(kind, first_bar, self._recalled)
        self._recall = Recall()
        self._marks: dict[int, list[int]] = {}
        self.events: list[Event] = []
        for event in events:
            if event.bar < start_bar:
                self._add(event)
        self.heard = len(self.events)
        self._future = [event for event in events if event.bar >= start_bar and is_given(event)]
        self._told = 0

    def __len__(self) -> int:
        return len(self.events)

    @property
    def waiting(self) -> Event | None:
        """The next given note that was not told yet."""
        return self._future[self._told] if self._told < len(self._future) else None

    @property
    def bar(self) -> int:
        """The bar of the last event; before the first, the bar before it all."""
        return self.events[-1].bar if self.events else self.start_bar - 1

    @property
    def last(self) -> Last:
        """The last event, as the grammar wants it."""
        if not self.events:
            return Last()
        row = self.events[-1].row
        return Last(row[POSITION], row[SLOT], row[PITCH], is_start=False)

    def events_in_last_bar(self) -> int:
        """How full the bar is."""
        bar, count = self.bar, 0
        while count < len(self.events) and self.events[-1 - count].bar == bar:
            count += 1
        return count

    def append(self, event: Event) -> None:
        """Add what was made."""
        row = list(event.row)
        row[DBAR] = event.bar - self.bar
        self._add(Event(tuple(row), event.bar, event.place))

    def _add(self, event: Event) -> None:
        self.events.append(replace(event, hits=self._echo.hits(event.row, event.bar)))
        self._echo.add(event.row, event.bar)
        if event.row[SLOT] < REST_SLOT:
            bar = sounding_bar(event)
            self._marks.setdefault(bar, []).append(mark_of(event))
            self._recall.reopen(bar - self._first_bar)

    def _drop_last(self) -> Event:
        event = self.events.pop()
        self._echo.drop(event.row, event.bar)
        if event.row[SLOT] < REST_SLOT:
            bar = sounding_bar(event)
            self._marks[bar].remove(mark_of(event))
            self._recall.reopen(bar - self._first_bar)
        return event

    def _recalled(self, bar: int) -> int:
        """The lag that a bar recalls; every bar before it counts as it is now."""
        for closed in range(self._recall.closed, bar - self._first_bar):
            self._recall.close(self._marks.get(closed + self._first_bar, ()))
        return self._recall.lag(bar - self._first_bar)

    def guesses(self, field: int, known: Sequence[int]) -> list[int]:
        """What each lag would have a field of the next event be, the fields before it known."""
        return self._echo.field(field, self.events[-1].row if self.events else None, self.bar, known)

    def guesses_ahead(self) -> list[int]:
        """Where in its bar each lag would have the next event stand."""
        return [position for _, position in self._echo.ahead(self.events[-1].row if self.events else None, self.bar)]

    def tell(self) -> None:
        """Add the next given note."""
        event = self._future[self._told]
        self._told += 1
        self.append(event)

    def rewind(self, to: Key) -> None:
        """Drop what stands at or after a place, but nothing that was heard; given notes wait again."""
        while len(self.events) > self.heard and self.events[-1].key >= to:
            self._told -= is_given(self._drop_last())

    def arrays(
        self, first: int, last: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
        """Rows (T, 6), bars (T,), places (T, 2) and hits (T,) of a stretch."""
        stretch = self.events[first:last]
        rows = np.array([event.row for event in stretch], dtype=np.int64)
        places = np.array([event.place for event in stretch], dtype=np.float64)
        bars, hits = (
            np.array(column, dtype=np.int64) for column in zip(*((e.bar, e.hits) for e in stretch), strict=True)
        )
        return rows, bars, places, hits


def sounding_bar(event: Event) -> int:
    """The bar a note truly sounds in; a given one's is the bar after the one it stands in."""
    return event.bar + is_given(event)


def mark_of(event: Event) -> int:
    """A note as the number that bars are compared by."""
    return mark(event.row[POSITION], event.row[SLOT] % GIVEN_SLOT, event.row[PITCH] % DRUM_PITCH)


def is_given(event: Event) -> bool:
    """Whether it is a given part's note."""
    return GIVEN_SLOT <= event.row[SLOT] < REST_SLOT
