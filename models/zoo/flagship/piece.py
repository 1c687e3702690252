"""A context on the grid: what the flagship reads of it, and what it lets a player do. It holds no state."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.generator import Context, Controls
from models.music.constants import MAX_PARTS
from models.tokens.codec import OTHER_KIND, Cast, place_notes, tokenize
from models.tokens.grammar import Grammar, scale_pitches
from models.tokens.grid import Grid, IntArray
from models.tokens.header import Header, describe, part_classes
from models.tokens.vocabulary import TICKS_PER_GRID
from models.zoo.flagship.history import Event, History, Place, events_list
from models.zoo.flagship.reader import CONTEXT_BARS

FULLER_THAN_EVER = 2  # a bar closes at twice the events of the fullest one heard
LEAST_FULL_BAR = 64
HEARD_BARS = 256  # of a longer context only so much is heard
PHRASE = 16  # bars; what is counted modulo phrases stays in step


@dataclass(frozen=True, slots=True)
class Piece:
    """What a context says."""

    grid: Grid
    cast: Cast
    context: Context
    placed: NDArray[np.void]
    start_bar: int
    full_bar: int
    """Events at which a bar closes: no model may fill one for ever."""

    @classmethod
    def of(cls, context: Context) -> Piece:
        """Place a context."""
        grid = Grid(context.meters)
        placed = place_notes(context.notes, grid)
        start_bar = grid.first_place(context.start_tick)[0]
        heard = placed["bar"][placed["bar"] < start_bar]
        fullest = int(np.bincount(heard).max()) if len(heard) else 0
        full_bar = max(LEAST_FULL_BAR, FULLER_THAN_EVER * fullest)
        return cls(grid, Cast.of(context.parts, context.given_parts), context, placed, start_bar, full_bar)

    def history(self) -> History:
        """What is heard, and the given parts' future."""
        last = max(self.start_bar, int(self.placed["bar"].max(initial=0)) + 1)
        starts = self.grid.starts(self.grid.bar_to_tick(last + 1))
        first = max(0, self.start_bar - HEARD_BARS) // PHRASE * PHRASE
        events = events_list(tokenize(self.placed, self.cast, starts, first, last))
        return History(self.kinds().tolist(), events, self.start_bar, first)

    def kinds(self) -> IntArray:
        """(MAX_PARTS,) drums, bass or other by slot; an empty slot counts as other."""
        kind = np.full(MAX_PARTS, OTHER_KIND)
        kind[: len(self.cast.kind)] = self.cast.kind
        return kind

    def header(self, density: float) -> Header:
        """What the last bars sound like."""
        first = max(0, self.start_bar - CONTEXT_BARS)
        heard = self.placed[(self.placed["bar"] >= first) & (self.placed["bar"] < self.start_bar)]
        context = self.context
        bars, classes = max(1, self.start_bar - first), part_classes(context.parts)
        return describe(heard, classes, self.cast, bars, context.meters[0], context.bpm, density)

    def grammar(self, parts: frozenset[int], controls: Controls) -> Grammar:
        """What `parts` may play."""
        playing = parts & frozenset(range(len(self.context.parts))) - self.context.given_parts
        free = np.array([part in playing for part in range(MAX_PARTS)])
        return Grammar(self.kinds(), free, scale_pitches(controls.scale_root, controls.scale_mask))

    def event_at(self, row: tuple[int, ...], bar: int, position: int) -> Event:
        """An event with its place."""
        return Event(row, bar, self.true_place(bar, position))

    def true_place(self, bar: int, position: int) -> Place:
        """(grid ticks, bars) of a place of the grid."""
        start = self.grid.bar_to_tick(bar) / TICKS_PER_GRID
        return start + position, bar + position * TICKS_PER_GRID / self.grid.bar_ticks(bar)

    def bar_grid(self, bar: int) -> int:
        """Length of a bar in grid ticks, a broken last one counted."""
        return -(-self.grid.bar_ticks(bar) // TICKS_PER_GRID)
