"""Columns of the past, on a piece small enough to count by hand."""

from __future__ import annotations

import numpy as np

from models.evaluation.past import DRUM_ROLE, MIDDLE_C, NOTHING, UNKNOWN_ROLE, Past, before
from models.tokens.vocabulary import DRUM_PITCH, PITCH, POSITION

# The fields in order: a bass in slot 0, a chord in slot 3; two bars, alike but for one note of the chord.
PIECE = np.array(
    [
        [1, 0, 0, 40, 23, 20],
        [0, 0, 3, 60, 40, 16],
        [0, 0, 3, 64, 40, 16],
        [0, 48, 0, 43, 23, 20],
        [1, 0, 0, 40, 23, 20],
        [0, 0, 3, 60, 40, 16],
        [0, 0, 3, 65, 40, 16],
        [0, 48, 0, 43, 23, 20],
    ]
)


def test_bars_and_onsets_are_summed_up() -> None:
    past = Past(PIECE)
    assert past.bar.tolist() == [1, 1, 1, 1, 2, 2, 2, 2]
    assert past.same_onset.tolist() == [0, 1, 1, 0, 0, 1, 1, 0]


def test_each_event_finds_the_one_before_it_in_its_slot() -> None:
    assert Past(PIECE).before_slot.tolist() == [-1, -1, 1, 0, 3, 2, 5, 4]


def test_each_event_finds_its_place_one_bar_back() -> None:
    assert Past(PIECE).back[0].tolist() == [-1, -1, -1, -1, 0, 1, 2, 3]
    assert Past(PIECE).back[1].tolist() == [-1] * 8


def test_the_event_to_come_is_the_one_that_came_a_bar_ago() -> None:
    assert Past(PIECE).follow[0].tolist()[5:] == [1, 2, 3]


def test_alignment_keeps_to_the_present_onset() -> None:
    piece = PIECE.copy()
    piece[7, POSITION] = 24
    assert Past(piece).aligned[0].tolist()[5:] == [1, 2, -1]


def test_fields_of_events_that_are_not_there_are_nothing() -> None:
    past = Past(PIECE)
    assert past.at(PITCH, np.array([-1] * 7 + [0])).tolist() == [NOTHING] * 7 + [40]
    assert past.earlier(PITCH, 2)[0].tolist() == [NOTHING, NOTHING, 60, 40, 43, 64, 60, 40]
    assert past.earlier(PITCH, 2)[1].tolist() == [NOTHING, NOTHING, NOTHING, NOTHING, 40, 60, 64, 43]


def test_hits_tell_how_a_guess_did_before_now() -> None:
    past = Past(PIECE)
    always_40 = np.full(8, 40)
    assert past.hits(PITCH, always_40).tolist() == [0, 4, 2, 1, 0, 4, 2, 1]


def test_the_low_note_is_the_last_below_middle_c() -> None:
    assert Past(PIECE).low().tolist() == [MIDDLE_C, 40, 40, 40, 43, 40, 40, 40]


def test_roles_are_octaves_or_drums() -> None:
    pitches = np.array([40, DRUM_PITCH + 36, NOTHING])
    assert Past(PIECE[:3]).role(pitches).tolist() == [3, DRUM_ROLE, UNKNOWN_ROLE]


def test_before_reaches_no_further_than_the_beginning() -> None:
    assert before(np.array([1, 2, 3]), 2).tolist() == [NOTHING, NOTHING, 1]
    assert before(np.array([1]), 5).tolist() == [NOTHING]


def test_a_piece_without_events_has_a_past_without_events() -> None:
    assert len(Past(PIECE[:0]).low()) == 0
