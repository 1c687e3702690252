"""What a listener may go by when guessing the next field of an event: the present event so far, and the past.

Columns are computed for a whole piece at once, yet each entry uses only what precedes it: earlier events, and the
present event's earlier fields. Letters: T events. Multiple viewpoints after Conklin and Witten (1995) and IDyOM (Pearce,
2005); the views that look whole bars back are ours, because band music repeats by bars.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from models.tokens.vocabulary import (
    DBAR,
    DRUM_PITCH,
    DURATION,
    FIELDS,
    MAX_DBAR,
    PITCH,
    POSITION,
    POSITIONS,
    REST_SLOT,
    SIZES,
    SLOT,
    VELOCITY,
)

IntArray = NDArray[np.int64]

LAGS = (1, 2, 4, 8)
"""Bars back."""
NOTHING = 300
"""Stands for a value that is not there; larger than any value."""
DRUM_ROLE = 12
UNKNOWN_ROLE = 13
MIDDLE_C = 60
_FAR = 1 << 40


@dataclass(frozen=True, slots=True)
class View:
    """One way to guess a field: a context, and what the value is measured from."""

    name: str
    features: tuple[IntArray, ...]
    """Most telling first; the values are those before the event."""
    reference: IntArray
    """(T,): the guess is about (value - reference) modulo the field's size; 0 = about the value itself."""


def _before(values: IntArray, steps: int) -> IntArray:
    """The value `steps` events ago."""
    return np.concatenate([np.full(min(steps, len(values)), NOTHING), values[: max(0, len(values) - steps)]])


def _pack(*columns: IntArray) -> IntArray:
    """Several small columns as one."""
    packed = np.zeros_like(columns[0])
    for column in columns:
        packed = packed * 1024 + column
    return packed


class Past:
    """A piece seen from each of its events."""

    def __init__(self, piece: IntArray) -> None:
        self.fields = [np.ascontiguousarray(piece[:, field], dtype=np.int64) for field in range(len(FIELDS))]
        self.zero = np.zeros(len(piece), dtype=np.int64)
        self.bar = np.cumsum(self.fields[DBAR])
        self.onset = self.bar * POSITIONS + self.fields[POSITION]
        self.same_onset = (np.diff(self.onset, prepend=-1) == 0).astype(np.int64)
        self.before_slot = self._previous(_pack(self.fields[SLOT]))
        self.nth = self._nth_of(self.onset * 64 + self.fields[SLOT])

    def _previous(self, keys: IntArray) -> IntArray:
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
        follower = _before(np.where(places >= 0, places + 1, in_time), 1)
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
        return sum((_before(right, steps) == 1).astype(np.int64) << (3 - steps) for steps in (1, 2, 3))

    def slot_hits(self, field: int, guess: IntArray) -> IntArray:
        """The same for the last two events of the slot."""
        right = (self.fields[field] == guess).astype(np.int64)
        last = self.before_slot
        before = np.where(last < 0, -1, self.before_slot[last])
        return np.where(last < 0, 0, right[last]) * 2 + np.where(before < 0, 0, right[before])


def _copy(past: Past, field: int, guesses: list[IntArray], *context: IntArray) -> View:
    """How far the value is from what stood there bars ago."""
    size = SIZES[field]
    first = guesses[0]
    reference = np.where(first == NOTHING, 0, first)
    others = [np.where(guess == NOTHING, NOTHING, (guess - reference) % size) for guess in guesses[1:]]
    missing = (first == NOTHING).astype(np.int64)
    return View("copy", (missing, *context, past.hits(field, first), *others), reference)


def dbar_views(past: Past) -> Iterator[View]:
    """Ways to guess how many bars on the next event stands."""
    bar = np.concatenate([[0], past.bar[:-1]])
    guesses = [
        np.where(event < 0, NOTHING, (past.bar[event] + lag - bar).clip(0, MAX_DBAR))
        for lag, event in zip(LAGS, past.follow, strict=True)
    ]
    position, pitch, slot = (_before(past.fields[field], 1) for field in (POSITION, PITCH, SLOT))
    role, chord = past.role(pitch), _before(past.same_onset, 1)
    yield View("copy", (guesses[0], past.hits(DBAR, guesses[0]), guesses[1], guesses[2], position), past.zero)
    yield View("bars", (position, guesses[0], guesses[1], slot, guesses[2]), past.zero)
    yield View("sequence", (position, role, chord, _before(past.fields[POSITION], 2), slot, pitch), past.zero)


def position_views(past: Past) -> Iterator[View]:
    """Ways to guess where in its bar the next event stands."""
    guesses = [
        np.where(event < 0, NOTHING, past.at(POSITION, event) + 256 * (past.bar[event] + lag != past.bar))
        for lag, event in zip(LAGS, past.follow, strict=True)
    ]
    plain = [np.where(guess >= 256, NOTHING, guess) for guess in guesses]
    now = _pack(past.fields[DBAR], _before(past.fields[POSITION], 1))
    pitch, slot = _before(past.fields[PITCH], 1), _before(past.fields[SLOT], 1)
    role, chord = past.role(pitch), _before(past.same_onset, 1)
    yield _copy(past, POSITION, plain, past.fields[DBAR])
    yield View("place", (now, plain[0], plain[1], slot, plain[2], plain[3]), past.zero)
    positions = [_before(past.fields[POSITION], steps) for steps in (2, 3, 4)]
    yield View("sequence", (now, role, chord, positions[0], slot, positions[1], positions[2]), past.zero)
    yield View("notes", (now, slot, pitch, _before(past.fields[DURATION], 1), positions[0]), past.zero)


def slot_views(past: Past) -> Iterator[View]:
    """Ways to guess which part plays it."""
    guesses = [past.at(SLOT, event) for event in past.aligned]
    slots = [_before(past.fields[SLOT], steps) for steps in (1, 2, 3, 4)]
    pitch = _before(past.fields[PITCH], 1)
    together, role = past.same_onset, past.role(pitch)
    chord = _before(past.same_onset, 1)
    yield _copy(past, SLOT, guesses, together)
    yield View("place", (together, slots[0], guesses[0], past.fields[POSITION], guesses[1], guesses[2]), past.zero)
    yield View("sequence", (together, slots[0], past.fields[POSITION], slots[1], pitch, slots[2], slots[3]), past.zero)
    again = View(
        "again", (together, role, chord, past.fields[POSITION], pitch), np.where(slots[0] == NOTHING, 0, slots[0])
    )
    yield again


def pitch_views(past: Past) -> Iterator[View]:
    """Ways to guess the pitch of a part's next note."""
    guesses = [past.at(PITCH, event) for event in past.back]
    own = past.earlier(PITCH, 5)
    steps = [
        np.where((now == NOTHING) | (then == NOTHING), NOTHING, (now - then) % SIZES[PITCH])
        for now, then in zip(own, own[1:], strict=False)
    ]
    slot, position, chord = past.fields[SLOT], past.fields[POSITION], past.nth.clip(0, 7)
    role = past.role(own[0])
    last = np.where(own[0] == NOTHING, 0, own[0])
    low = past_low(past)
    above = (last - low) % SIZES[PITCH]
    neighbour = (np.where(past.same_onset == 1, _before(past.fields[PITCH], 1), low) - low) % SIZES[PITCH]
    yield _copy(past, PITCH, guesses, past.slot_hits(PITCH, guesses[0]))
    yield View("place", (_pack(role, chord), guesses[0], own[0], guesses[1], guesses[2]), past.zero)
    yield View("own place", (slot, _pack(guesses[0], chord), guesses[1], own[0], guesses[2]), past.zero)
    yield View("melody", (_pack(role, chord), own[0], own[1], position, own[2], own[3]), past.zero)
    yield View("own melody", (slot, own[0], _pack(own[1], chord), own[2], position, own[3], own[4]), past.zero)
    yield View("interval", (_pack(role, chord), steps[0], position, steps[1], steps[2], steps[3]), last)
    yield View("harmony", (_pack(role, chord), above, neighbour, steps[0], position), low)


def past_low(past: Past) -> IntArray:
    """The latest melodic pitch below middle C, the bass as a rule; middle C before the first."""
    pitch = past.fields[PITCH]
    events = np.where((pitch < MIDDLE_C) & (past.fields[SLOT] < REST_SLOT), np.arange(len(pitch)), -1)
    latest = np.concatenate([[-1], np.maximum.accumulate(events)[:-1]])
    return np.where(latest < 0, MIDDLE_C, pitch[latest])


def duration_views(past: Past) -> Iterator[View]:
    """Ways to guess how long it sounds."""
    yield from _touch_views(past, DURATION)


def velocity_views(past: Past) -> Iterator[View]:
    """Ways to guess how loud it is."""
    yield from _touch_views(past, VELOCITY)


def _touch_views(past: Past, field: int) -> Iterator[View]:
    guesses = [past.at(field, event) for event in past.back]
    same_pitch = (past.at(PITCH, past.back[0]) == past.fields[PITCH]).astype(np.int64)
    own = past.earlier(field, 3)
    slot, position, pitch = past.fields[SLOT], past.fields[POSITION], past.fields[PITCH]
    key = past._previous(slot * 256 + pitch)
    before_key = np.where(key < 0, -1, key[key])
    same = [past.at(field, key), past.at(field, before_key)]
    chord = past.nth.clip(0, 3)
    gap = (past.onset - np.where(past.before_slot < 0, -_FAR, past.onset[past.before_slot])).clip(0, 1023)
    role = past.role(pitch)
    known = _pack(role, past.fields[DURATION]) if field == VELOCITY else role
    neighbour = np.where(past.same_onset == 1, _before(past.fields[field], 1), NOTHING)
    yield _copy(past, field, guesses, _pack(same_pitch, chord), past.slot_hits(field, guesses[0]))
    yield View("key", (slot, pitch, position, guesses[0], guesses[1], own[0]), past.zero)
    yield View("again", (known, same[0], same[1], own[0], position), past.zero)
    yield View("line", (_pack(role, chord), own[0], gap, position, own[1], own[2]), past.zero)
    yield View("own line", (slot, own[0], _pack(chord, neighbour), pitch, position, own[1]), past.zero)


VIEWS = (dbar_views, position_views, slot_views, pitch_views, duration_views, velocity_views)
"""Per field of the vocabulary."""
