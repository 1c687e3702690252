"""The flagship as a `Generator`: notes in, notes out. It knows no clock: the caller asks in ticks of its own score.

Every choice is drawn from (seed, number of the event): what follows a `rewind` is what would have followed without.
"""

from __future__ import annotations

from collections.abc import Iterator

from models.generator import Context, Controls, Generator, GeneratorSpec
from models.music.constants import MAX_PARTS
from models.music.score import Note
from models.registry import ENTRIES
from models.tokens.grammar import Grammar
from models.tokens.vocabulary import (
    DBAR,
    DRUM_PITCH,
    DURATIONS,
    GIVEN_SLOT,
    POSITION,
    REST_SLOT,
    SLOT,
    TICKS_PER_GRID,
    bin_to_velocity,
)
from models.zoo.flagship.choice import Choice
from models.zoo.flagship.history import Event, History, Key
from models.zoo.flagship.network import FlagshipNetwork
from models.zoo.flagship.piece import Piece
from models.zoo.flagship.reader import Reader

REST = (1, 0, REST_SLOT, 0, 0, 0)
TRIES = 4  # draws of one event that must not fall before where the state stands


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
        device=network.absent.device.type,
    )


class FlagshipModel:
    """Weights, shared by every generator opened on them."""

    def __init__(self, network: FlagshipNetwork) -> None:
        self._network = network.eval()
        self.spec = spec_of(network)

    def open(self) -> Generator:
        """A fresh state."""
        return FlagshipGenerator(self._network)


class FlagshipGenerator:
    """One player's state."""

    def __init__(self, network: FlagshipNetwork) -> None:
        self._reader = Reader(network)
        self.reset(0)

    def reset(self, seed: int) -> None:
        """Forget everything."""
        self._reader.reset()
        self._piece: Piece | None = None
        self._history = History(())
        self._floor: Key = (0, 0)
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
        self._floor = (self._piece.start_bar, 0)
        self._density, self._kept = context.controls.density, None
        self._header = self._piece.header(self._density)
        yield from self._reader.read(self._history, self._header, self._piece.grid)

    def decode(self, until_tick: int, parts: frozenset[int], controls: Controls) -> Iterator[Note]:
        """Notes of `parts` up to before `until_tick`, in onset order.

        Raises:
            RuntimeError: nothing was prefilled, or a prefill was abandoned.
        """
        piece = self._ready(controls.density)
        until = piece.grid.first_place(until_tick)
        grammar = piece.grammar(parts, controls)
        if not grammar.free.any():
            self._rest(piece, until)
        while grammar.free.any() and (event := self._next(piece, grammar, parts, controls, until)) is not None:
            self._add(piece, event)
            if event.row[SLOT] < GIVEN_SLOT:
                yield note_of(event, piece.grid.place_to_tick(*event.key))
        self._floor = max(self._floor, until)

    def rewind(self, to_tick: int) -> None:
        """Forget what was made from `to_tick` on; given notes wait again.

        Raises:
            RuntimeError: nothing was prefilled, or a prefill was abandoned.
        """
        piece = self._ready(self._density)
        self._floor = max(piece.grid.first_place(to_tick), (piece.start_bar, 0))
        self._history.rewind(self._floor)
        self._kept = None
        self._reader.rewind(self._history, self._header, piece.grid)

    def _ready(self, density: float) -> Piece:
        """The piece, read with the density that is asked for."""
        if self._piece is None or not self._reader.is_ready:
            raise RuntimeError("there is no context yet: prefill first, to its end")
        if density != self._density:
            self._density, self._kept = density, None
            self._header = self._piece.header(density)
            for _ in self._reader.read(self._history, self._header, self._piece.grid):
                pass
        return self._piece

    def _make_room(self, piece: Piece) -> None:
        if self._reader.stepper.room == 0:
            self._reader.read_less(self._history, self._header, piece.grid)

    def _add(self, piece: Piece, event: Event) -> None:
        self._make_room(piece)
        self._history.append(event)
        self._reader.read_last(self._history)

    def _tell(self, piece: Piece) -> None:
        """Hear the next given note."""
        self._make_room(piece)
        self._history.tell()
        self._reader.read_last(self._history)

    def _rest(self, piece: Piece, until: Key) -> None:
        """Let the time pass with nobody playing: hear what is given, and rest where nothing is."""
        while True:
            waiting, next_bar = self._history.waiting, self._history.bar + 1
            if waiting is not None and waiting.key < until and waiting.bar <= next_bar:
                self._tell(piece)
            elif next_bar < until[0]:
                self._add(piece, piece.event_at(REST, next_bar, 0))
            else:
                return

    def _next(
        self, piece: Piece, grammar: Grammar, parts: frozenset[int], controls: Controls, until: Key
    ) -> Event | None:
        """The next event to make, given notes before it told first; None when it does not stand before `until`."""
        kept, self._kept = self._kept, None
        event = kept[0] if kept is not None and kept[1:] == (parts, controls) else None
        while event is None:
            event = self._propose(piece, grammar, controls)
            if event is None:
                waiting = self._history.waiting
                if waiting is not None and waiting.key >= until:
                    return None
                self._tell(piece)
        if event.key >= until:
            self._kept = (event, parts, controls)
            return None
        return event

    def _propose(self, piece: Piece, grammar: Grammar, controls: Controls) -> Event | None:
        """An event at or after the floor; None when a given note must be told first.

        What falls before the floor is drawn again, and only the last try has it masked: so a draw that stood late
        enough is found again after a rewind, whatever the floor is then.
        """
        self._make_room(piece)
        origin = self._reader.window.origin
        for attempt in range(TRIES):
            floor = self._floor if attempt == TRIES - 1 else (piece.start_bar, 0)
            seed = (self._seed, len(self._history), attempt)
            choice = Choice(piece, self._history, grammar, controls, seed, origin, floor)
            row = self._reader.stepper.propose(choice.choose, choice.places, choice.guesses)
            if row is None:
                return None
            event = piece.event_at(tuple(row), self._history.bar + row[DBAR], row[POSITION])
            if event.key >= self._floor or event.row[SLOT] == REST_SLOT:
                break
        return event


def note_of(event: Event, tick: int) -> Note:
    """The note an event stands for."""
    _, _, slot, pitch, duration, velocity = event.row
    return Note(tick, slot, pitch % DRUM_PITCH, DURATIONS[duration] * TICKS_PER_GRID, bin_to_velocity(velocity))
