"""The rules of order, one event at a time. `tests/models/zoo/flagship/test_likelihood.py` holds them to their twin."""

from __future__ import annotations

import numpy as np

from models.music.constants import MAX_PARTS
from models.tokens.grammar import Grammar, Last, scale_pitches
from models.tokens.vocabulary import DRUM_PITCH, GIVEN_SLOT, REST_SLOT

BAR = 96
KIND = np.array([0, 1, 2, 2] + [2] * 12)
DRUMS, BASS, PIANO, STRINGS = range(4)
START = Last()


def grammar(*playing: int, pitches: np.ndarray | None = None) -> Grammar:
    """A grammar in which these slots may play."""
    return Grammar(KIND, np.isin(np.arange(MAX_PARTS), playing), pitches)


def after(position: int, slot: int, pitch: int = 60) -> Last:
    """A note before the next event."""
    return Last(position, slot, pitch, is_start=False)


def where(mask: np.ndarray) -> list[int]:
    """The legal values."""
    return mask.nonzero()[0].tolist()


def test_the_first_event_opens_a_bar() -> None:
    assert where(grammar(PIANO).dbar(START, BAR, bar_is_full=False)) == [1]


def test_time_stays_in_the_bar_or_goes_on_by_one() -> None:
    assert where(grammar(PIANO).dbar(after(12, PIANO), BAR, bar_is_full=False)) == [0, 1]


def test_a_full_bar_closes() -> None:
    assert where(grammar(PIANO).dbar(after(12, PIANO), BAR, bar_is_full=True)) == [1]


def test_a_bar_that_rested_stays_empty() -> None:
    assert where(grammar(PIANO).dbar(after(0, REST_SLOT), BAR, bar_is_full=False)) == [1]


def test_a_bar_whose_last_onset_has_no_room_closes() -> None:
    highest = after(BAR - 1, PIANO, DRUM_PITCH - 1)
    assert where(grammar(PIANO).dbar(highest, BAR, bar_is_full=False)) == [1]
    assert where(grammar(PIANO, STRINGS).dbar(highest, BAR, bar_is_full=False)) == [0, 1]


def test_positions_lie_in_the_bar_and_never_go_back() -> None:
    assert where(grammar(PIANO).position(after(12, PIANO), 0, BAR)) == list(range(12, BAR))
    assert where(grammar(PIANO).position(after(12, PIANO), 1, 36)) == list(range(36))


def test_an_onset_without_room_is_left() -> None:
    assert where(grammar(DRUMS).position(after(12, PIANO), 0, BAR))[0] == 13


def test_kinds_of_one_onset_come_in_order() -> None:
    everybody = grammar(DRUMS, BASS, PIANO, STRINGS)
    assert where(everybody.slot(after(12, BASS), 0, 12)) == [BASS, PIANO, STRINGS]
    assert where(everybody.slot(after(12, BASS), 0, 13)) == [DRUMS, BASS, PIANO, STRINGS]


def test_pitches_of_one_kind_and_onset_rise_and_only_a_later_slot_doubles() -> None:
    both = grammar(PIANO, STRINGS)
    assert where(both.pitch(after(12, PIANO, 60), 0, 12, PIANO))[0] == 61
    assert where(both.pitch(after(12, PIANO, 60), 0, 12, STRINGS))[0] == 60
    assert where(both.pitch(after(12, STRINGS, 60), 0, 12, PIANO))[0] == 61
    assert where(both.pitch(after(12, BASS, 60), 0, 12, PIANO))[0] == 0
    assert where(both.pitch(after(12, PIANO, 60), 1, 12, PIANO))[0] == 0


def test_a_given_note_binds_nobody() -> None:
    given = after(12, PIANO + GIVEN_SLOT)
    assert where(grammar(DRUMS, BASS).slot(given, 0, 12)) == [DRUMS, BASS]
    assert where(grammar(BASS).pitch(given, 0, 12, BASS))[0] == 0


def test_drums_strike_drum_pitches_and_nobody_else_does() -> None:
    assert where(grammar(DRUMS).pitch(START, 1, 0, DRUMS)) == list(range(DRUM_PITCH, 2 * DRUM_PITCH))
    assert where(grammar(BASS).pitch(START, 1, 0, BASS)) == list(range(DRUM_PITCH))


def test_a_rest_stands_on_the_line_of_a_new_bar_only_and_nothing_ever_ends() -> None:
    assert where(grammar(PIANO).slot(after(12, PIANO), 1, 0)) == [PIANO, MAX_PARTS]
    assert where(grammar(PIANO).slot(after(12, PIANO), 1, 6)) == [PIANO]
    assert where(grammar(PIANO).slot(after(0, BASS), 0, 0)) == [PIANO]


def test_a_scale_binds_melodic_parts_and_not_drums() -> None:
    major = 0b101010110101
    pitches = scale_pitches(2, major)
    assert pitches is not None
    assert [pitch for pitch in where(pitches) if 60 <= pitch < 72] == [61, 62, 64, 66, 67, 69, 71]
    assert pitches[DRUM_PITCH:].all()
    assert scale_pitches(2, 0) is None


def test_a_part_without_a_legal_pitch_does_not_play() -> None:
    only_drums = np.arange(2 * DRUM_PITCH) >= DRUM_PITCH
    assert where(grammar(DRUMS, PIANO, pitches=only_drums).free) == [DRUMS]
