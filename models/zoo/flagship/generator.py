"""The flagship as a `Generator`: notes in, notes out. It knows no clock: the caller asks in ticks of its own score.

Every choice is drawn from (seed, number of the event): what follows a `rewind` is what would have followed without.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from models.generator import Context, Controls, Generator, GeneratorSpec
from models.layers.sampling import draw, probabilities, truncate
from models.music.constants import MAX_PARTS
from models.music.score import Note
from models.registry import ENTRIES
from models.tokens.codec import OTHER_KIND, Cast, place_notes, tokenize
from models.tokens.grammar import Grammar, Last, scale_pitches
from models.tokens.grid import Grid
from models.tokens.header import Header, describe, part_classes
from models.tokens.vocabulary import (
    DBAR,
    DRUM_PITCH,
    DURATIONS,
    GIVEN_SLOT,
    PITCH,
    POSITION,
    REST_SLOT,
    SLOT,
    TICKS_PER_GRID,
    bin_to_velocity,
)
from models.zoo.flagship.history import Event, History, Place, events_list
from models.zoo.flagship.network import FlagshipNetwork
from models.zoo.flagship.reader import CONTEXT_BARS, Reader

FIELD_TEMPERATURE = (0.95, 0.95, 0.95, 1.0, 0.95, 0.9)  # times the control, field by field
FULLER_THAN_EVER = 2  # a bar closes at twice the events of the fullest one heard
LEAST_FULL_BAR = 64


def spec_of(network: FlagshipNetwork) -> GeneratorSpec:
    """What the flagship can do."""
    return GeneratorSpec(
        name="flagship",
        paper="Ryu et al., Nested Music Transformer, 2024; Thickstun et al., Anticipatory Music Transformer, 2023",
        quantum_ticks=1,
        max_context_notes=network.config.block_size,
        max_parts=MAX_PARTS,
        reads_prompt=True,
        controls=ENTRIES["flagship"].controls,
        parameters=sum(parameter.numel() for parameter in network.parameters()),
    )


class FlagshipModel:
    """Weights, shared by every generator opened on them."""

    def __init__(self, network: FlagshipNetwork) -> None:
        self._network = network.eval()
        self.spec = spec_of(network)

    def open(self) -> Generator:
        """A fresh state."""
        return FlagshipGenerator(self._network)


@dataclass(frozen=True, slots=True)
class Piece:
    """What a context says, on the grid."""

    grid: Grid
    cast: Cast
    context: Context
    placed: NDArray[np.void]
    start_bar: int
    full_bar: int = field(default=LEAST_FULL_BAR)

    @classmethod
    def of(cls, context: Context) -> Piece:
        """Place a context."""
        grid = Grid(context.meters)
        placed = place_notes(context.notes, grid)
        start_bar = int(grid.place(np.array([context.start_tick]))[0][0])
        heard = placed["bar"][placed["bar"] < start_bar]
        fullest = int(np.bincount(heard).max()) if len(heard) else 0
        full_bar = max(LEAST_FULL_BAR, FULLER_THAN_EVER * fullest)
        return cls(grid, Cast.of(context.parts, context.given_parts), context, placed, start_bar, full_bar)

    def history(self) -> History:
        """Everything heard, and the given parts' future."""
        last = max(self.start_bar, int(self.placed["bar"].max(initial=0)) + 1)
        starts = self.grid.starts(self.grid.bar_to_tick(last + 1))
        return History(events_list(tokenize(self.placed, self.cast, starts, 0, last)), self.start_bar)

    def header(self, density: float) -> Header:
        """What the last bars sound like."""
        first = max(0, self.start_bar - CONTEXT_BARS)
        heard = self.placed[(self.placed["bar"] >= first) & (self.placed["bar"] < self.start_bar)]
        context = self.context
        bars, classes = max(1, self.start_bar - first), part_classes(context.parts)
        return describe(heard, classes, self.cast, bars, context.meters[0], context.bpm, density)

    def grammar(self, parts: frozenset[int], controls: Controls) -> Grammar:
        """What `parts` may play."""
        kind = np.full(MAX_PARTS, OTHER_KIND)
        kind[: len(self.cast.kind)] = self.cast.kind
        playing = parts & frozenset(range(len(self.context.parts))) - self.context.given_parts
        free = np.array([part in playing for part in range(MAX_PARTS)])
        return Grammar(kind, free, scale_pitches(controls.scale_root, controls.scale_mask))

    def true_place(self, bar: int, position: int) -> Place:
        """(grid ticks, bars) of a place of the grid."""
        ticks = self.grid.bar_ticks(bar)
        start = self.grid.bar_to_tick(bar) / TICKS_PER_GRID
        return start + position, bar + position * TICKS_PER_GRID / ticks

    def bar_grid(self, bar: int) -> int:
        """Length of a bar in grid ticks, a broken last one counted."""
        return -(-self.grid.bar_ticks(bar) // TICKS_PER_GRID)


class FlagshipGenerator:
    """One player's state."""

    def __init__(self, network: FlagshipNetwork) -> None:
        self._reader = Reader(network)
        self.reset(0)

    def reset(self, seed: int) -> None:
        """Forget everything."""
        self._reader.reset()
        self._piece: Piece | None = None
        self._history = History()
        self._density = 1.0
        self.reseed(seed)

    def reseed(self, seed: int) -> None:
        """Draw from `seed` from here on."""
        self._seed = seed
        self._kept: tuple[Event, frozenset[int], Controls] | None = None

    def prefill(self, context: Context) -> Iterator[int]:
        """Absorb the context piece by piece; whole pieces that are held already are not read again."""
        self._piece = Piece.of(context)
        self._history = self._piece.history()
        self._density, self._kept = context.controls.density, None
        self._header = self._piece.header(self._density)
        yield from self._reader.read(self._history, self._header, self._piece.grid)

    def decode(self, until_tick: int, parts: frozenset[int], controls: Controls) -> Iterator[Note]:
        """Notes of `parts` up to before `until_tick`, in onset order.

        Raises:
            RuntimeError: nothing was prefilled.
        """
        piece = self._ready(controls.density)
        grammar = piece.grammar(parts, controls)
        while grammar.free.any():
            event = self._next(piece, grammar, parts, controls)
            tick = piece.grid.place_to_tick(event.bar, event.row[POSITION])
            if tick >= until_tick:
                self._kept = (event, parts, controls)
                return
            self._history.append(event)
            self._reader.read_last(self._history)
            if event.row[SLOT] < GIVEN_SLOT:
                yield note_of(event, tick)

    def rewind(self, to_tick: int) -> None:
        """Forget what was made from `to_tick` on; given notes wait again.

        Raises:
            RuntimeError: nothing was prefilled.
        """
        piece = self._ready(self._density)
        bars, positions = piece.grid.place(np.array([to_tick]))
        self._history.rewind(int(bars[0]), int(positions[0]))
        self._kept = None
        self._reader.rewind(self._history, self._header, piece.grid)

    def _ready(self, density: float) -> Piece:
        if self._piece is None:
            raise RuntimeError("there is no context yet: prefill first")
        if density != self._density:
            self._density = density
            self._header = self._piece.header(density)
            self._read_again(self._piece)
        return self._piece

    def _read_again(self, piece: Piece) -> None:
        self._kept = None
        for _ in self._reader.read(self._history, self._header, piece.grid):
            pass

    def _next(self, piece: Piece, grammar: Grammar, parts: frozenset[int], controls: Controls) -> Event:
        """The next event to make; the given notes before it are told first."""
        kept, self._kept = self._kept, None
        if kept is not None and kept[1:] == (parts, controls):
            return kept[0]
        while True:
            if self._reader.stepper.room == 0:
                self._read_again(piece)
            choice = Choice(piece, self._history, grammar, controls, self._seed)
            window = self._reader.window
            row = self._reader.stepper.propose(choice, lambda dbar, at, c=choice, w=window: c.place(dbar, at, w.origin))
            if row is not None:
                bar = self._history.bar + row[DBAR]
                return Event(tuple(row), bar, piece.true_place(bar, row[POSITION]))
            self._history.tell()
            self._reader.read_last(self._history)


class Choice:
    """Draws the fields of one event, each from what the grammar leaves."""

    def __init__(self, piece: Piece, history: History, grammar: Grammar, controls: Controls, seed: int) -> None:
        self._piece, self._history, self._grammar, self._controls = piece, history, grammar, controls
        self._last: Last = history.last
        self._rng = np.random.default_rng((seed, len(history)))
        self._chosen: list[int] = []

    def place(self, dbar: int, position: int, origin: int) -> tuple[int, Place]:
        """Bar and place of what is being chosen, counted from the window's `origin`."""
        bar = self._history.bar + dbar
        ticks, bars = self._piece.true_place(bar, position)
        return bar - origin, (ticks - self._piece.grid.bar_to_tick(origin) / TICKS_PER_GRID, bars - origin)

    def __call__(self, field: int, logits: NDArray[np.float32]) -> int | None:
        """The value of a field; None when a given note must be told first."""
        if field == SLOT and self._given_comes_first():
            return None
        controls = self._controls
        weights = probabilities(logits, self._legal(field), controls.temperature * FIELD_TEMPERATURE[field])
        value = draw(truncate(weights, controls.top_k, controls.top_p, controls.min_p), self._rng)
        if field == SLOT and value >= MAX_PARTS:
            value += REST_SLOT - MAX_PARTS
            if self._bar_has_given():
                return None
        self._chosen.append(value)
        return value

    def _legal(self, field: int) -> NDArray[np.bool_] | None:
        grammar, last, chosen = self._grammar, self._last, self._chosen
        bar = self._history.bar
        if field == DBAR:
            is_full = self._history.events_in_last_bar() >= self._piece.full_bar
            return grammar.dbar(last, self._piece.bar_grid(bar), is_full)
        if field == POSITION:
            return grammar.position(last, chosen[DBAR], self._piece.bar_grid(bar + chosen[DBAR]))
        if field == SLOT:
            return grammar.slot(last, chosen[DBAR], chosen[POSITION])
        if field == PITCH:
            return grammar.pitch(last, chosen[DBAR], chosen[POSITION], chosen[SLOT])
        return None

    def _given_comes_first(self) -> bool:
        waiting = self._history.waiting
        bar = self._history.bar + self._chosen[DBAR]
        return waiting is not None and waiting.key <= (bar, self._chosen[POSITION])

    def _bar_has_given(self) -> bool:
        waiting = self._history.waiting
        return waiting is not None and waiting.bar <= self._history.bar + self._chosen[DBAR]


def note_of(event: Event, tick: int) -> Note:
    """The note an event stands for."""
    _, _, slot, pitch, duration, velocity = event.row
    return Note(tick, slot, pitch % DRUM_PITCH, DURATIONS[duration] * TICKS_PER_GRID, bin_to_velocity(velocity))
