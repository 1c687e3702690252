from __future__ import annotations

from bridge.speed_probe import context_of, looped, measure, medians
from models.music.score import Note, Part, Score
from tests.echo_model import EchoModel

BAR = 1920


def score() -> Score:
    notes = [Note(beat * 480, 0, 60 + beat, 240, 90) for beat in range(8)]
    return Score.build([Part()], notes, length_ticks=2 * BAR)


def test_the_model_is_told_what_lies_before_the_bar_line() -> None:
    context = context_of(score())
    assert (context.start_tick, len(context.notes), context.bpm) == (2 * BAR, 8, 120.0)


def test_a_looped_context_has_exactly_as_many_notes_as_asked_all_before_its_end() -> None:
    for count in (1, 7, 8, 9, 512):
        context = looped(context_of(score()), count)
        assert len(context.notes) == count
        assert list(context.notes) == sorted(context.notes)
        assert max(note.onset_tick for note in context.notes) == context.start_tick - 480
        assert context.start_tick % (2 * BAR) == 0


def test_notes_are_counted_per_second() -> None:
    figures = measure(EchoModel().open(), context_of(score()), 6 * BAR, seed=1)
    assert figures["notes_per_second"] > 0
    assert figures["prefill_ms"] >= 0
    assert figures["first_note_ms"] >= 0


def test_a_model_that_plays_nothing_is_no_division_by_zero() -> None:
    assert measure(EchoModel().open(), context_of(score()), 2 * BAR, seed=1)["notes_per_second"] == 0.0


def test_the_median_is_taken_figure_by_figure() -> None:
    assert medians([{"a": 1.0, "b": 9.0}, {"a": 3.0, "b": 7.0}, {"a": 2.0, "b": 8.0}]) == {"a": 2.0, "b": 8.0}
