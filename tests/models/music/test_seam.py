"""The continuation begins on the bar line a musician would choose."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.music.score import Meter, Note, Part, Score
from models.music.seam import END_SLACK_TICKS, MAX_REST_BARS, prompt_end_tick
from models.music.timebase import MeterMap

BAR = 1920


def score_with(onset_tick: int, duration_ticks: int, length_ticks: int | None = None, *meters: Meter) -> Score:
    note = Note(onset_tick, 0, 60, duration_ticks, 80)
    return Score.build([Part()], [note], meters=meters, length_ticks=length_ticks)


def test_music_that_fills_its_bars_is_continued_where_they_end() -> None:
    assert prompt_end_tick(score_with(2 * BAR - 480, 480)) == 2 * BAR


@pytest.mark.parametrize("ring_ticks", [1, 10, 480, BAR // 2])
def test_a_note_that_rings_over_the_bar_line_opens_no_empty_bar(ring_ticks: int) -> None:
    assert prompt_end_tick(score_with(BAR - 480, 480 + ring_ticks)) == BAR


def test_a_note_that_starts_on_a_bar_line_belongs_to_the_bar_it_starts() -> None:
    assert prompt_end_tick(score_with(BAR, 1)) == 2 * BAR


def test_a_clip_that_closes_with_rests_is_continued_at_its_own_end() -> None:
    assert prompt_end_tick(score_with(0, 480, 4 * BAR)) == 4 * BAR


@pytest.mark.parametrize("missing_ticks", [-END_SLACK_TICKS, 0, 1, END_SLACK_TICKS])
def test_a_chord_held_for_whole_bars_is_heard_out(missing_ticks: int) -> None:
    assert prompt_end_tick(score_with(0, 3 * BAR - missing_ticks)) == 3 * BAR


def test_an_end_between_bar_lines_says_nothing() -> None:
    assert prompt_end_tick(score_with(0, 480, 3 * BAR + BAR // 2)) == BAR


def test_a_forgotten_end_marker_far_away_is_not_believed() -> None:
    assert prompt_end_tick(score_with(0, 480, (MAX_REST_BARS + 1) * BAR)) == BAR
    assert prompt_end_tick(score_with(0, 480, MAX_REST_BARS * BAR)) == MAX_REST_BARS * BAR


def test_the_bar_line_is_that_of_the_meter_in_force() -> None:
    meters = Meter(0, 4, 4), Meter(BAR, 3, 4)
    assert prompt_end_tick(score_with(BAR + 10, 100, None, *meters)) == BAR + 1440


def test_a_score_without_notes_is_continued_at_once() -> None:
    assert prompt_end_tick(Score.build([], [])) == 0


@given(onset_tick=st.integers(0, 50_000), duration_ticks=st.integers(1, 20_000), rest_ticks=st.integers(0, 20_000))
def test_the_seam_is_a_bar_line_after_the_last_onset(onset_tick: int, duration_ticks: int, rest_ticks: int) -> None:
    meters = Meter(0, 4, 4), Meter(2000, 7, 8), Meter(30_000, 5, 4)
    score = score_with(onset_tick, duration_ticks, onset_tick + duration_ticks + rest_ticks, *meters)
    seam = prompt_end_tick(score)
    assert seam > onset_tick
    assert MeterMap(score.meters).next_bar_line(seam) == seam
