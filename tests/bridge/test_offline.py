from __future__ import annotations

from bridge.offline import Order, continue_score, only_continuation, span_ticks, tempo_at, whole_score
from models.music.score import Meter, Note, Part, Score, Tempo
from tests.echo_model import EchoModel

BAR = 1920


def score() -> Score:
    notes = [Note(0, 0, 60, 480, 90), Note(BAR, 0, 62, 480, 90), Note(BAR + 480, 1, 40, 240, 90)]
    return Score.build([Part(name="lead"), Part(name="bass")], notes, [Tempo(0, 90.0), Tempo(BAR, 100.0)], [], 2 * BAR)


def test_the_continuation_begins_on_the_bar_line_and_has_as_many_bars_as_asked() -> None:
    made = continue_score(score(), EchoModel().open(), Order(bars=3, seed=0))
    assert (made.start_tick, made.end_tick) == (2 * BAR, 5 * BAR)
    assert [note.onset_tick // BAR for note in made.notes] == [2, 2, 3, 3, 4, 4]


def test_a_meter_change_decides_how_long_a_bar_is() -> None:
    waltz = Score.build([Part()], [Note(BAR, 0, 60, 480, 90)], [], [Meter(0, 4, 4), Meter(BAR, 3, 4)], BAR + 1440)
    assert span_ticks(waltz, 2) == (BAR + 1440, BAR + 3 * 1440)


def test_only_the_wanted_parts_play_on() -> None:
    made = continue_score(score(), EchoModel().open(), Order(bars=2, seed=0, parts=frozenset({1})))
    assert {note.part for note in made.notes} == {1}


def test_the_same_seed_gives_the_same_notes_and_another_seed_others() -> None:
    one, same, other = (continue_score(score(), EchoModel().open(), Order(bars=2, seed=seed)) for seed in (7, 7, 8))
    assert one == same
    assert one != other


def test_progress_ends_at_the_whole_length() -> None:
    ticks: list[int] = []
    continue_score(score(), EchoModel().open(), Order(bars=2, seed=0), ticks.append)
    assert ticks == sorted(ticks)
    assert ticks[-1] == 2 * BAR


def test_the_whole_score_is_the_prompt_with_the_continuation_after_it() -> None:
    prompt = score()
    made = continue_score(prompt, EchoModel().open(), Order(bars=1, seed=0))
    whole = whole_score(prompt, made)
    assert whole.notes[: len(prompt.notes)] == prompt.notes
    assert whole.notes[len(prompt.notes) :] == made.notes
    assert (whole.parts, whole.tempos, whole.length_ticks) == (prompt.parts, prompt.tempos, 3 * BAR)


def test_the_continuation_alone_starts_at_tick_0_at_the_tempo_it_began_with() -> None:
    prompt = score()
    made = continue_score(prompt, EchoModel().open(), Order(bars=1, seed=0))
    alone = only_continuation(prompt, made)
    assert alone.notes[0].onset_tick == 0
    assert alone.tempos == (Tempo(0, 100.0),)
    assert alone.length_ticks == BAR


def test_the_tempo_in_force_is_the_last_one_before() -> None:
    assert [tempo_at(score(), tick).bpm for tick in (0, BAR - 1, BAR, 9 * BAR)] == [90.0, 90.0, 100.0, 100.0]
