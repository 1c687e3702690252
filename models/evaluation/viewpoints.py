"""Viewpoints: ways a listener may guess the next field of an event. They count nothing and weigh nothing.

Multiple viewpoints after Conklin and Witten (1995) and IDyOM (Pearce, 2005); those that look whole bars back are ours,
because the music of a band repeats by bars. T events.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from models.evaluation.past import LAGS, NOTHING, IntArray, Past, before, join, pack
from models.tokens.vocabulary import DBAR, DURATION, MAX_DBAR, PITCH, POSITION, SIZES, SLOT, VELOCITY

_FAR = 1 << 40


@dataclass(frozen=True, slots=True)
class View:
    """One way to guess a field: a context, and what the value is measured from."""

    name: str
    features: tuple[IntArray, ...]
    """Most telling first; the values are those before the event."""
    reference: IntArray
    """(T,): the guess is about (value - reference) modulo the field's size; 0 = about the value itself."""


def _copy(past: Past, field: int, guesses: list[IntArray], *context: IntArray) -> View:
    """How far the value is from what stood there bars ago."""
    size = SIZES[field]
    first = guesses[0]
    reference = np.where(first == NOTHING, 0, first)
    others = [np.where(guess == NOTHING, NOTHING, (guess - reference) % size) for guess in guesses[1:]]
    missing = (first == NOTHING).astype(np.int64)
    return View("copy", (missing, *context, past.hits(field, first), *others), reference)


def _verbatim(past: Past, field: int) -> View:
    """The last eight events as they were, velocity aside, as in Pachet's Continuator (2003)."""
    slot, pitch, position, duration = (past.fields[index] for index in (SLOT, PITCH, POSITION, DURATION))
    events = [before(((slot * 256 + pitch) * 256 + position) * 64 + duration, steps) for steps in range(1, 9)]
    pairs = [join(events[4], events[5]), join(events[6], events[7])]
    return View("verbatim", (_known(past, field), *events[:4], *pairs), past.zero)


def _own_verbatim(past: Past, field: int) -> View:
    """The last six events of the same slot."""
    columns = zip(*(past.earlier(index, 6) for index in (PITCH, POSITION, DURATION)), strict=True)
    events = [(pitch * 512 + position) * 512 + duration for pitch, position, duration in columns]
    return View("own verbatim", (past.fields[SLOT], _known(past, field), *events), past.zero)


def _known(past: Past, field: int) -> IntArray:
    """The fields of the present event before this one."""
    return pack(past.zero, *past.fields[:field])


def dbar_views(past: Past) -> Iterator[View]:
    """Ways to guess how many bars on the next event stands."""
    bar = np.concatenate([[0], past.bar[:-1]])
    guesses = [
        np.where(event < 0, NOTHING, (past.bar[event] + lag - bar).clip(0, MAX_DBAR))
        for lag, event in zip(LAGS, past.follow, strict=True)
    ]
    position, pitch, slot = (before(past.fields[field], 1) for field in (POSITION, PITCH, SLOT))
    role, chord = past.role(pitch), before(past.same_onset, 1)
    yield View("copy", (guesses[0], past.hits(DBAR, guesses[0]), guesses[1], guesses[2], position), past.zero)
    yield View("bars", (position, guesses[0], guesses[1], slot, guesses[2]), past.zero)
    yield View("sequence", (position, role, chord, before(past.fields[POSITION], 2), slot, pitch), past.zero)
    yield _verbatim(past, DBAR)


def position_views(past: Past) -> Iterator[View]:
    """Ways to guess where in its bar the next event stands."""
    guesses = [
        np.where(event < 0, NOTHING, past.at(POSITION, event) + 256 * (past.bar[event] + lag != past.bar))
        for lag, event in zip(LAGS, past.follow, strict=True)
    ]
    plain = [np.where(guess >= 256, NOTHING, guess) for guess in guesses]
    now = pack(past.fields[DBAR], before(past.fields[POSITION], 1))
    pitch, slot = before(past.fields[PITCH], 1), before(past.fields[SLOT], 1)
    role, chord = past.role(pitch), before(past.same_onset, 1)
    yield _copy(past, POSITION, plain, past.fields[DBAR])
    yield View("place", (now, plain[0], plain[1], slot, plain[2], plain[3]), past.zero)
    positions = [before(past.fields[POSITION], steps) for steps in (2, 3, 4)]
    yield View("sequence", (now, role, chord, positions[0], slot, positions[1], positions[2]), past.zero)
    yield View("notes", (now, slot, pitch, before(past.fields[DURATION], 1), positions[0]), past.zero)
    yield _verbatim(past, POSITION)


def slot_views(past: Past) -> Iterator[View]:
    """Ways to guess which part plays it."""
    guesses = [past.at(SLOT, event) for event in past.aligned]
    slots = [before(past.fields[SLOT], steps) for steps in (1, 2, 3, 4)]
    pitch = before(past.fields[PITCH], 1)
    together, role = past.same_onset, past.role(pitch)
    chord = before(past.same_onset, 1)
    yield _copy(past, SLOT, guesses, together)
    yield View("place", (together, slots[0], guesses[0], past.fields[POSITION], guesses[1], guesses[2]), past.zero)
    yield View("sequence", (together, slots[0], past.fields[POSITION], slots[1], pitch, slots[2], slots[3]), past.zero)
    yield _verbatim(past, SLOT)
    yield View(
        "again", (together, role, chord, past.fields[POSITION], pitch), np.where(slots[0] == NOTHING, 0, slots[0])
    )


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
    low = past.low()
    above = (last - low) % SIZES[PITCH]
    neighbour = (np.where(past.same_onset == 1, before(past.fields[PITCH], 1), low) - low) % SIZES[PITCH]
    yield _copy(past, PITCH, guesses, past.slot_hits(PITCH, guesses[0]))
    yield View("place", (pack(role, chord), guesses[0], own[0], guesses[1], guesses[2]), past.zero)
    yield View("own place", (slot, pack(guesses[0], chord), guesses[1], own[0], guesses[2]), past.zero)
    yield View("melody", (pack(role, chord), own[0], own[1], position, own[2], own[3]), past.zero)
    yield View("own melody", (slot, own[0], pack(own[1], chord), own[2], position, own[3], own[4]), past.zero)
    yield View("interval", (pack(role, chord), steps[0], position, steps[1], steps[2], steps[3]), last)
    yield View("harmony", (pack(role, chord), above, neighbour, steps[0], position), low)
    yield _verbatim(past, PITCH)
    yield _own_verbatim(past, PITCH)


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
    key = past.previous(slot * 256 + pitch)
    before_key = np.where(key < 0, -1, key[key])
    same = [past.at(field, key), past.at(field, before_key)]
    chord = past.nth.clip(0, 3)
    gap = (past.onset - np.where(past.before_slot < 0, -_FAR, past.onset[past.before_slot])).clip(0, 1023)
    role = past.role(pitch)
    known = pack(role, past.fields[DURATION]) if field == VELOCITY else role
    neighbour = np.where(past.same_onset == 1, before(past.fields[field], 1), NOTHING)
    yield _copy(past, field, guesses, pack(same_pitch, chord), past.slot_hits(field, guesses[0]))
    yield View("key", (slot, pitch, position, guesses[0], guesses[1], own[0]), past.zero)
    yield View("again", (known, same[0], same[1], own[0], position), past.zero)
    yield View("line", (pack(role, chord), own[0], gap, position, own[1], own[2]), past.zero)
    yield View("own line", (slot, own[0], pack(chord, neighbour), pitch, position, own[1]), past.zero)
    yield _verbatim(past, field)
    yield _own_verbatim(past, field)


BAR_VIEWS = frozenset(("copy", "bars", "place", "own place", "key"))
"""Names of the viewpoints that look whole bars back."""
VIEWS = (dbar_views, position_views, slot_views, pitch_views, duration_views, velocity_views)
"""Per field of the vocabulary."""
