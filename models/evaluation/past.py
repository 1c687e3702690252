"""A piece seen from each of its events: columns of what was there before. It guesses nothing.

Columns are computed for a whole piece at once, yet each entry knows only earlier events, and of the present event the
fields before the one that is guessed. T events.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from models.tokens.vocabulary import DBAR, DRUM_PITCH, FIELDS, PITCH, POSITION, POSITIONS, REST_SLOT, SLOT

IntArray = NDArray[np.int64]

LAGS = (1, 2, 4, 8)
"""Bars back."""
NOTHING = 300
"""Stands for a value that is not there; larger than any value."""
DRUM_ROLE = 12
UNKNOWN_ROLE = 13
MIDDLE_C = 60


def before(values: IntArray, steps: int) -> IntArray:
    """The value `steps` events ago."""
    return np.concatenate([np.full(min(steps, len(values)), NOTHING), values[: max(0, len(values) - steps)]])


def pack(*columns: IntArray) -> IntArray:
    """Several small columns as one."""
    packed = np.zeros_like(columns[0])
    for column in columns:
        packed = packed * 1024 + column
    return packed


def join(first: IntArray, second: IntArray) -> IntArray:
    """Two large columns as one, where accidents do no harm."""
    return first * 1_000_003 + second


class Past:
    """A piece seen from each of its events."""

    def __init__(self, piece: IntArray) -> None:
        self.fields = [np.ascontiguousarray(piece[:, field], dtype=np.int64) for field in range(len(FIELDS))]
        self.zero = np.zeros(len(piece), dtype=np.int64)
        self.bar = np.cumsum(self.fields[DBAR])
        self.onset = self.bar * POSITIONS + self.fields[POSITION]
        self.same_onset = (np.diff(self.onset, prepend=-1) == 0).astype(np.int64)
        self.before_slot = self.previous(pack(self.fields[SLOT]))
        self.nth = self._nth_of(self.onset * 64 + self.fields[SLOT])

    def previous(self, keys: IntArray) -> IntArray:
        """The latest earlier event with the same key, or -1."""
        order = np.argsort(keys, kind="stable")
        previous = np.full(len(keys), -1)
        same = keys[order[1:]] == keys[order[:-1]]
        previous[order[1:][same]] = order[:-1][same]
        return previous

    def _nth_of(self, keys: IntArray) -> IntArray:
        """How many earlier events have the same key."""
        order = np.argsort(keys, kind="stable")
        ranks = np.arange(len(keys))
        new = np.diff(keys[order], prepend=-1) != 0
        nth = np.empty(len(keys), dtype=np.int64)
        nth[order] = ranks - np.maximum.accumulate(np.where(new, ranks, 0))
        return nth

    def at(self, field: int, events: IntArray) -> IntArray:
        """A field of earlier events; `NOTHING` where there is none."""
        return np.where(events < 0, NOTHING, self.fields[field][events])

    def find(self, keys: IntArray, wanted: IntArray) -> IntArray:
        """The event with each wanted key, or -1; `keys` are distinct per event but for accidents."""
        order = np.argsort(keys, kind="stable")
        at = np.searchsorted(keys[order], wanted).clip(0, max(0, len(keys) - 1))
        found = order[at]
        return np.where((keys[found] == wanted) & (found < np.arange(len(keys))), found, -1)

    def place_back(self, bars: int) -> IntArray:
        """The event of the same slot at the same place of an earlier bar, as manieth of its chord; or -1."""
        keys = (self.onset * 64 + self.fields[SLOT]) * 128 + self.nth.clip(0, 127)
        return self.find(keys, keys - bars * POSITIONS * 64 * 128)

    def follow_back(self, bars: int) -> IntArray:
        """The event after the one that, bars ago, corresponds to the event before this; or -1."""
        places = self.place_back(bars)
        in_time = np.searchsorted(self.onset, self.onset - bars * POSITIONS, side="right")
        follower = before(np.where(places >= 0, places + 1, in_time), 1)
        return np.where(follower < np.arange(len(follower)), follower, -1)

    @cached_property
    def back(self) -> tuple[IntArray, ...]:
        """`place_back` of every lag."""
        return tuple(self.place_back(bars) for bars in LAGS)

    @cached_property
    def follow(self) -> tuple[IntArray, ...]:
        """`follow_back` of every lag."""
        return tuple(self.follow_back(bars) for bars in LAGS)

    @cached_property
    def aligned(self) -> tuple[IntArray, ...]:
        """`follow`, moved on to the onset of the present event; -1 where nothing sounds there."""
        found = []
        for bars, follow in zip(LAGS, self.follow, strict=True):
            target = self.onset - bars * POSITIONS
            first = np.searchsorted(self.onset, target)
            event = np.where((follow >= 0) & (self.onset[follow] == target), follow, first)
            exists = (event < np.arange(len(event))) & (self.onset[event.clip(0, len(event) - 1)] == target)
            found.append(np.where(exists, event, -1))
        return tuple(found)

    def role(self, pitches: IntArray) -> IntArray:
        """What kind of part played a pitch: drums, or which octave."""
        role = np.where(pitches >= DRUM_PITCH, DRUM_ROLE, pitches // 12)
        return np.where(pitches == NOTHING, UNKNOWN_ROLE, role)

    def low(self) -> IntArray:
        """The latest melodic pitch below middle C, the bass as a rule; middle C before the first."""
        pitch = self.fields[PITCH]
        is_low = (pitch < MIDDLE_C) & (self.fields[SLOT] < REST_SLOT)
        latest = before(np.maximum.accumulate(np.where(is_low, np.arange(len(pitch)), -1)), 1)
        latest[:1] = -1
        return np.where(latest < 0, MIDDLE_C, pitch[latest])

    def earlier(self, field: int, count: int) -> list[IntArray]:
        """A field of the latest events of the same slot, the latest first."""
        values, event = [], self.before_slot
        for _ in range(count):
            values.append(self.at(field, event))
            event = np.where(event < 0, -1, self.before_slot[event])
        return values

    def hits(self, field: int, guess: IntArray) -> IntArray:
        """Whether the guess was right for the last three events, the last in the highest bit."""
        right = (self.fields[field] == guess).astype(np.int64)
        return sum((before(right, steps) == 1).astype(np.int64) << (3 - steps) for steps in (1, 2, 3))

    def slot_hits(self, field: int, guess: IntArray) -> IntArray:
        """The same for the last two events of the slot."""
        right = (self.fields[field] == guess).astype(np.int64)
        last = self.before_slot
        before = np.where(last < 0, -1, self.before_slot[last])
        return np.where(last < 0, 0, right[last]) * 2 + np.where(before < 0, 0, right[before])
