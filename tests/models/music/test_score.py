"""Scores are put in order when they are built."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.music.constants import MAX_PARTS
from models.music.score import Meter, Note, Part, Score, Tempo, require_range

NOTES = st.builds(
    Note, st.integers(0, 999), st.integers(0, 2), st.integers(0, 127), st.integers(1, 99), st.integers(1, 127)
)


@given(notes=st.lists(NOTES))
def test_notes_are_sorted_by_onset_whatever_order_they_come_in(notes: list[Note]) -> None:
    score = Score.build([Part()] * 3, notes)
    assert score.notes == Score.build([Part()] * 3, reversed(notes)).notes
    onsets = [note.onset_tick for note in score.notes]
    assert onsets == sorted(onsets)


@given(notes=st.lists(NOTES, min_size=1))
def test_a_score_ends_with_its_last_note_unless_told(notes: list[Note]) -> None:
    assert Score.build([Part()] * 3, notes).length_ticks == max(note.end_tick for note in notes)
    assert Score.build([Part()] * 3, notes, length_ticks=5).length_ticks == 5


def test_maps_that_start_late_are_filled_from_tick_0() -> None:
    score = Score.build([], [], [Tempo(480, 90.0)], [Meter(960, 3, 4)])
    assert score.tempos == (Tempo(0, 120.0), Tempo(480, 90.0))
    assert score.meters == (Meter(0, 4, 4), Meter(960, 3, 4))


def test_maps_that_start_at_tick_0_replace_the_default() -> None:
    score = Score.build([], [], [Tempo(0, 90.0)], [Meter(0, 3, 4)])
    assert score.tempos == (Tempo(0, 90.0),)
    assert score.meters == (Meter(0, 3, 4),)


@pytest.mark.parametrize("part", [-1, 1])
def test_a_note_of_a_part_that_is_not_there_is_refused(part: int) -> None:
    with pytest.raises(ValueError, match=f"names part {part}, but there are only 1 parts"):
        Score.build([Part()], [Note(0, part, 60, 1, 64)])


def test_more_than_sixteen_parts_are_refused() -> None:
    with pytest.raises(ValueError, match="at most 16 parts, not 17"):
        Score.build([Part()] * (MAX_PARTS + 1), [])


@given(note=NOTES, ticks=st.integers(-100, 100))
def test_a_shifted_note_differs_in_its_onset_only(note: Note, ticks: int) -> None:
    shifted = note.shifted(ticks)
    assert shifted.onset_tick - note.onset_tick == ticks
    assert shifted.end_tick - note.end_tick == ticks
    assert shifted.shifted(-ticks) == note


@pytest.mark.parametrize(
    ("note", "field"),
    [
        (Note(0, 0, 128, 1, 64), "pitch"),
        (Note(0, 0, -1, 1, 64), "pitch"),
        (Note(0, 0, 60, 0, 64), "duration_ticks"),
        (Note(0, 0, 60, 1, 0), "velocity"),
        (Note(0, 0, 60, 1, 128), "velocity"),
        (Note(0, MAX_PARTS, 60, 1, 64), "part"),
        (Note(2**31, 0, 60, 1, 64), "onset_tick"),
    ],
)
def test_a_note_that_cannot_sound_names_the_field_at_fault(note: Note, field: str) -> None:
    with pytest.raises(ValueError, match=f"^{field} must be in range"):
        note.check()


@given(note=NOTES)
def test_a_note_that_can_sound_passes(note: Note) -> None:
    note.check()


@pytest.mark.parametrize("value", [1.0, "1", True, None])
def test_what_is_no_int_is_a_type_error(value: Any) -> None:  # noqa: ANN401 - any wrong kind
    with pytest.raises(TypeError, match="pitch must be an int"):
        require_range("pitch", value, 0, 127)


def test_a_program_outside_general_midi_is_refused() -> None:
    with pytest.raises(ValueError, match=r"program must be in range 0\.\.127, not 128"):
        Part(program=128)
