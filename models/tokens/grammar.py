"""What may follow what: masks that make an illegal event impossible, one event at a time. It knows no probabilities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.tokens.codec import DRUM_KIND
from models.tokens.grid import IntArray
from models.tokens.vocabulary import DRUM_PITCH, GIVEN_SLOT, MAX_DBAR, POSITIONS, REST_SLOT, SIZES

BoolArray = NDArray[np.bool_]
PITCHES = 2 * DRUM_PITCH
_POSITIONS = np.arange(POSITIONS)
_PITCHES = np.arange(PITCHES)


@dataclass(slots=True)
class Last:
    """The event before the next one."""

    position: int = 0
    slot: int = REST_SLOT
    pitch: int = 0
    is_start: bool = True

    @property
    def is_free_note(self) -> bool:
        """Whether it is a generated part's note, which binds the order of its onset."""
        return not self.is_start and self.slot < GIVEN_SLOT

    @property
    def is_rest(self) -> bool:
        """Whether its bar is settled as empty."""
        return not self.is_start and self.slot == REST_SLOT


class Grammar:
    """Rules over the slots of one cast.

    Args:
        kind: (P,) drums 0, bass 1, other 2.
        free: (P,) slots that may play.
        pitches: (256,) pitch values that may sound; None = all.
    """

    def __init__(self, kind: IntArray, free: BoolArray, pitches: BoolArray | None = None) -> None:
        self._kind = kind
        self._pitches = np.ones(PITCHES, dtype=bool) if pitches is None else pitches
        self._half = {True: self._pitches & (_PITCHES >= DRUM_PITCH), False: self._pitches & (_PITCHES < DRUM_PITCH)}
        highest = {drum: int(half.nonzero()[0].max(initial=-1)) for drum, half in self._half.items()}
        self._highest = np.where(kind == DRUM_KIND, highest[True], highest[False])
        self._slots = np.arange(len(kind))
        self.free = free & (self._highest >= 0)

    def _lows(self, last: Last) -> IntArray:
        """(P,) lowest pitch value each slot may strike together with the event before it."""
        same_kind = self._kind == self._kind[last.slot]
        lows: IntArray = np.where(same_kind, last.pitch + (self._slots <= last.slot), 0)
        return lows

    def _tie_slots(self, last: Last) -> BoolArray:
        """Slots that may still strike on the onset of the event before."""
        legal: BoolArray = self.free & (self._kind >= self._kind[last.slot]) & (self._highest >= self._lows(last))
        return legal

    def lowest_position(self, last: Last) -> int:
        """First position in the bar of the event before at which something may still happen."""
        if last.is_free_note and not self._tie_slots(last).any():
            return last.position + 1
        return last.position

    def dbar(self, last: Last, bar_grid: int, bar_is_full: bool) -> BoolArray:
        """(5,): stay in the bar while it has room, or go on by one; longer silences are rests."""
        legal = np.zeros(MAX_DBAR + 1, dtype=bool)
        legal[1] = True
        legal[0] = not (last.is_start or last.is_rest or bar_is_full) and self.lowest_position(last) < bar_grid
        return legal

    def position(self, last: Last, dbar: int, bar_grid: int) -> BoolArray:
        """(192,): inside the bar, not before the event before."""
        return ((self.lowest_position(last) if dbar == 0 else 0) <= _POSITIONS) & (bar_grid > _POSITIONS)

    def slot(self, last: Last, dbar: int, position: int) -> BoolArray:
        """(P + 2,): parts, REST, END (never: how long to go on is the caller's choice)."""
        tie = dbar == 0 and last.is_free_note and position == last.position
        parts = self._tie_slots(last) if tie else self.free
        return np.concatenate([parts, [dbar > 0 and position == 0, False]])

    def pitch(self, last: Last, dbar: int, position: int, slot: int) -> BoolArray:
        """(256,): of the part's kind, allowed, rising within one kind of one onset."""
        half = self._half[bool(self._kind[slot] == DRUM_KIND)]
        tie = dbar == 0 and last.is_free_note and position == last.position
        return half & (self._lows(last)[slot] <= _PITCHES) if tie else half


def scale_pitches(root: int, mask: int) -> BoolArray | None:
    """(256,) pitch values of a 12-bit scale, drums untouched; None when the mask limits nothing."""
    if mask == 0:
        return None
    melodic = [bool(mask >> ((pitch - root) % 12) & 1) for pitch in range(DRUM_PITCH)]
    return np.array(melodic + [True] * (SIZES[3] - DRUM_PITCH))
