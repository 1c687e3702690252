"""The draws of one event, each field from what the grammar leaves. It reads nothing and remembers nothing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.generator import Controls
from models.layers.sampling import draw, probabilities, truncate
from models.music.constants import MAX_PARTS
from models.tokens.echo import AHEAD
from models.tokens.grammar import Grammar
from models.tokens.vocabulary import DBAR, PITCH, POSITION, POSITIONS, REST_SLOT, SLOT, TICKS_PER_GRID
from models.zoo.flagship.history import History, Key, Place
from models.zoo.flagship.piece import Piece

FIELD_TEMPERATURE = (0.95, 0.95, 0.95, 1.0, 0.95, 0.9)  # times the control, field by field


class Choice:
    """A stepper's chooser and places for the event after a history.

    Args:
        seed: what the draws hang on.
        origin: the bar that the window's bars and places are counted from.
        floor: nothing may be drawn before it.
    """

    def __init__(
        self,
        piece: Piece,
        history: History,
        grammar: Grammar,
        controls: Controls,
        seed: tuple[int, ...],
        origin: int,
        floor: Key,
    ) -> None:
        self._piece, self._history, self._grammar, self._controls = piece, history, grammar, controls
        self._last, self._origin, self._floor = history.last, origin, floor
        self._rng = np.random.default_rng(seed)
        self._chosen: list[int] = []

    def places(self, dbar: int, position: int) -> tuple[int, Place]:
        """Bar and place of what is being chosen, counted from the window's origin."""
        bar = self._history.bar + dbar
        ticks, bars = self._piece.true_place(bar, position)
        start = self._piece.grid.bar_to_tick(self._origin) / TICKS_PER_GRID
        return bar - self._origin, (ticks - start, bars - self._origin)

    def guesses(self, field: int, known: Sequence[int]) -> list[int]:
        """What each lag would have a field be; for `AHEAD`, where it would have the next event stand."""
        return self._history.guesses_ahead() if field == AHEAD else self._history.guesses(field, known)

    def choose(self, field: int, logits: NDArray[np.float32]) -> int | None:
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
        if field == DBAR:
            return self._legal_dbar()
        if field == POSITION:
            bar = self._history.bar + chosen[DBAR]
            legal = grammar.position(last, chosen[DBAR], self._piece.bar_grid(bar))
            return legal & (np.arange(POSITIONS) >= self._lowest(bar))
        if field == SLOT:
            return grammar.slot(last, chosen[DBAR], chosen[POSITION])
        if field == PITCH:
            return grammar.pitch(last, chosen[DBAR], chosen[POSITION], chosen[SLOT])
        return None

    def _legal_dbar(self) -> NDArray[np.bool_]:
        bar = self._history.bar
        is_full = self._history.events_in_last_bar() >= self._piece.full_bar
        legal = self._grammar.dbar(self._last, self._piece.bar_grid(bar), is_full)
        if bar < self._floor[0]:
            legal[0] = False
        return legal

    def _lowest(self, bar: int) -> int:
        """First position of a bar that is not before the floor."""
        return self._floor[1] if bar == self._floor[0] else 0

    def _given_comes_first(self) -> bool:
        waiting = self._history.waiting
        bar = self._history.bar + self._chosen[DBAR]
        return waiting is not None and waiting.key <= (bar, self._chosen[POSITION])

    def _bar_has_given(self) -> bool:
        waiting = self._history.waiting
        return waiting is not None and waiting.bar <= self._history.bar + self._chosen[DBAR]
