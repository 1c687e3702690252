"""The draws of one event: what the grammar leaves, what a given note comes before, where nothing may stand."""

from __future__ import annotations

import numpy as np
import pytest

from models.generator import Context, Controls
from models.music.constants import MAX_PARTS, PPQ
from models.music.score import Meter, Note, Part
from models.tokens.vocabulary import DBAR, POSITION, REST_SLOT, SIZES, SLOT
from models.zoo.flagship.choice import Choice
from models.zoo.flagship.history import Key
from models.zoo.flagship.piece import Piece

WHOLE = 4 * PPQ
PARTS = (Part(program=33), Part(program=0))
START: Key = (2, 0)


def choice(*given_ticks: int, floor: Key = START) -> Choice:
    """Part 0 is about to play in bar 2; part 1's notes are given."""
    notes = (
        Note(0, 0, 40, 120, 80),
        Note(WHOLE, 0, 40, 120, 80),
        *(Note(tick, 1, 60, 120, 80) for tick in given_ticks),
    )
    piece = Piece.of(Context(PARTS, notes, 2 * WHOLE, (Meter(0, 4, 4),), 120.0, frozenset({1})))
    grammar = piece.grammar(frozenset({0}), Controls())
    return Choice(piece, piece.history(), grammar, Controls(), (1, 2, 3), 0, floor)


def wish(field: int, value: int) -> np.ndarray:
    """Logits that leave no doubt."""
    size = MAX_PARTS + 2 if field == SLOT else SIZES[field]
    return np.where(np.arange(size) == value, 100.0, 0.0).astype(np.float32)


def chosen(made: Choice, dbar: int, position: int, slot: int) -> list[int | None]:
    """What is drawn when these are wished for."""
    return [made.choose(field, wish(field, value)) for field, value in enumerate((dbar, position, slot))]


def test_what_is_wished_and_legal_is_drawn() -> None:
    assert chosen(choice(), 1, 24, 0) == [1, 24, 0]
    assert chosen(choice(), 1, 0, MAX_PARTS) == [1, 0, REST_SLOT]


@pytest.mark.parametrize(("position", "slot"), [(23, 0), (24, None), (25, None)])
def test_a_given_note_is_told_before_what_stands_at_or_after_its_place(position: int, slot: int | None) -> None:
    assert chosen(choice(3 * WHOLE + PPQ), 1, position, 0) == [1, position, slot]


def test_a_bar_in_which_something_is_given_does_not_rest() -> None:
    assert chosen(choice(3 * WHOLE + PPQ), 1, 0, MAX_PARTS) == [1, 0, None]
    assert chosen(choice(4 * WHOLE + PPQ), 1, 0, MAX_PARTS) == [1, 0, REST_SLOT]


def test_nothing_is_drawn_in_a_bar_before_the_floor() -> None:
    assert choice().choose(DBAR, wish(DBAR, 0)) == 1


def test_nothing_is_drawn_in_the_floors_bar_before_the_floor() -> None:
    for wished, drawn in ((29, range(30, 96)), (30, [30]), (95, [95])):
        made = choice(floor=(2, 30))
        made.choose(DBAR, wish(DBAR, 1))
        assert made.choose(POSITION, wish(POSITION, wished)) in drawn
