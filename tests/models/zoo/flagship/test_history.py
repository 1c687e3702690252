"""What was heard, what was made, and what of a given part's future still waits."""

from __future__ import annotations

from models.generator import Context
from models.music.constants import PPQ
from models.music.score import Meter, Note, Part
from models.tokens.grammar import Last
from models.tokens.vocabulary import DBAR, GIVEN_SLOT, POSITION, REST_SLOT, SLOT
from models.zoo.flagship.history import History
from models.zoo.flagship.piece import Piece

WHOLE = 4 * PPQ
PARTS = (Part(program=33), Part(program=0))
GIVEN = frozenset({1})


def piece_of(*notes: Note, start_bar: int = 2, given: frozenset[int] = GIVEN) -> Piece:
    """A piece that goes on at a bar."""
    meters = (Meter(0, 4, 4),)
    return Piece.of(Context(PARTS, tuple(sorted(notes)), start_bar * WHOLE, meters, 120.0, given))


def given_at(*ticks: int) -> list[Note]:
    """Notes of the given part."""
    return [Note(tick, 1, 60, 120, 80) for tick in ticks]


def rows(history: History) -> list[tuple[int, int, int]]:
    """(dbar, position, slot) of every event."""
    return [(event.row[DBAR], event.row[POSITION], event.row[SLOT]) for event in history.events]


def test_what_is_heard_ends_at_the_start_and_given_notes_of_the_first_bar_are_heard_before_it() -> None:
    history = piece_of(Note(0, 0, 40, 120, 80), *given_at(2 * WHOLE, 3 * WHOLE + PPQ)).history()
    assert rows(history) == [(1, 0, 0), (1, 0, 1 + GIVEN_SLOT)]
    assert (len(history), history.heard, history.bar) == (2, 2, 1)
    assert history.waiting is not None
    assert history.waiting.key == (2, 24)


def test_notes_after_the_start_of_parts_that_are_not_given_are_unknown() -> None:
    history = piece_of(Note(0, 0, 40, 120, 80), Note(2 * WHOLE, 0, 41, 120, 80), given=frozenset()).history()
    assert rows(history) == [(1, 0, 0), (1, 0, REST_SLOT)]
    assert history.waiting is None


def test_before_anything_stands_the_bar_before() -> None:
    history = piece_of(start_bar=0).history()
    assert (history.bar, history.last, history.events_in_last_bar()) == (-1, Last(), 0)


def test_what_is_made_is_counted_from_the_event_before_it() -> None:
    piece = piece_of(Note(0, 0, 40, 120, 80))
    history = piece.history()
    history.append(piece.event_at((9, 12, 0, 50, 3, 4), 2, 12))
    history.append(piece.event_at((9, 24, 0, 50, 3, 4), 2, 24))
    assert rows(history)[-2:] == [(1, 12, 0), (0, 24, 0)]
    assert history.last == Last(24, 0, 50, is_start=False)
    assert history.events_in_last_bar() == 2


def test_a_rewind_drops_what_was_made_and_given_notes_wait_again() -> None:
    piece = piece_of(Note(0, 0, 40, 120, 80), *given_at(3 * WHOLE + PPQ, 4 * WHOLE))
    history = piece.history()
    heard = list(history.events)
    history.append(piece.event_at((0, 12, 0, 50, 3, 4), 2, 12))
    history.tell()
    history.append(piece.event_at((0, 48, 0, 50, 3, 4), 2, 48))
    history.tell()
    assert history.waiting is None
    history.rewind((2, 24))
    assert [event.key for event in history.events[len(heard) :]] == [(2, 12)]
    assert history.waiting is not None
    assert history.waiting.key == (2, 24)
    history.rewind((0, 0))
    assert history.events == heard


def test_a_rewind_to_after_what_still_waits_leaves_it_waiting() -> None:
    """Once, a given note that had not been told was taken for told."""
    history = piece_of(Note(0, 0, 40, 120, 80), *given_at(3 * WHOLE + PPQ)).history()
    history.rewind((5, 0))
    assert history.waiting is not None
