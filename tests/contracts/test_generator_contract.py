"""What every generator promises (`models/generator.py`), for every kind of model in the registry.

The models are tiny and random: what they play is noise, and a promise kept on noise is kept on music.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

import pytest

from models.generator import Context, Controls, Model
from models.music.constants import MAX_PARTS, PPQ
from models.music.score import Meter, Note, Part
from models.music.timebase import MeterMap
from models.registry import ENTRIES
from tests.contracts.playing import (
    ALL,
    BLOCK,
    MODELS,
    PLAIN,
    START_TICK,
    WHOLE,
    assert_sound,
    context_of,
    opened,
    play,
    read,
)
from tests.models.tiny import BAND, random_score


def test_every_kind_of_model_is_held_to_the_contract() -> None:
    assert MODELS.keys() == ENTRIES.keys()


@pytest.fixture(params=sorted(MODELS), scope="module")
def model(request: pytest.FixtureRequest) -> Model:
    """A tiny model of each kind."""
    return MODELS[request.param](BLOCK)


def test_notes_are_in_order_in_time_and_by_who_was_asked(model: Model) -> None:
    for parts in (ALL, frozenset({0}), frozenset({1, 3})):
        assert_sound(play(opened(model, context_of()), parts=parts), START_TICK, START_TICK + 2 * WHOLE, parts)


def test_no_part_strikes_a_pitch_twice_at_once(model: Model) -> None:
    struck = [(note.onset_tick, note.part, note.pitch) for note in play(opened(model, context_of()), bars=4)]
    assert len(struck) == len(set(struck))


def test_the_same_seed_plays_the_same_and_another_does_not(model: Model) -> None:
    first = play(opened(model, context_of()))
    assert play(opened(model, context_of())) == first
    assert play(opened(model, context_of(), seed=8)) != first


def test_a_reset_is_a_fresh_state(model: Model) -> None:
    generator = opened(model, context_of(seed=3))
    play(generator)
    generator.reset(7)
    read(generator, context_of())
    assert play(generator) == play(opened(model, context_of()))


def test_slices_play_what_one_stretch_plays(model: Model) -> None:
    at_once = play(opened(model, context_of()), bars=3)
    for step in (1, 1 / 3, 0.01):
        generator = opened(model, context_of())
        assert [note for end in range(1, round(3 / step) + 1) for note in play(generator, end * step)] == at_once


def test_each_slice_holds_its_own_time_only(model: Model) -> None:
    generator = opened(model, context_of())
    for beat in range(8):
        notes = play(generator, (beat + 1) / 4)
        assert all(beat * PPQ <= note.onset_tick - START_TICK < (beat + 1) * PPQ for note in notes)


@pytest.mark.parametrize("stop", [1, 2, 5])
def test_an_iterator_abandoned_at_any_note_loses_none(model: Model, stop: int) -> None:
    whole = play(opened(model, context_of()))
    generator = opened(model, context_of())
    first = list(islice(generator.decode(START_TICK + 2 * WHOLE, ALL, PLAIN), stop))
    assert [*first, *play(generator)] == whole
    assert len(first) == stop < len(whole)


def test_a_context_read_in_pieces_or_again_or_after_another_is_the_context(model: Model) -> None:
    context = context_of(bars=16, crowd=20)
    start = context.start_tick
    fresh = play(opened(model, context), start=start)
    again = opened(model, context_of(seed=5))
    play(again)
    for other in (context_of(bars=12, crowd=20), context, context_of(seed=2, bars=20, crowd=20), context):
        abandoned = again.prefill(other)
        next(abandoned)
        read(again, context)
        again.reseed(7)
        assert play(again, start=start) == fresh


def test_a_context_that_grew_is_read_as_if_it_were_new(model: Model) -> None:
    generator = opened(model, context_of(bars=12, crowd=20))
    made = play(generator, bars=4, start=12 * WHOLE)
    longer = context_of(bars=12, crowd=20)
    longer = replace(longer, notes=tuple(sorted([*longer.notes, *made])), start_tick=16 * WHOLE)
    read(generator, longer)
    assert play(generator, start=16 * WHOLE) == play(opened(model, longer), start=16 * WHOLE)


def test_progress_of_a_prefill_rises_to_the_whole(model: Model) -> None:
    progress = read(model.open(), context_of(bars=16, crowd=20))
    assert progress == sorted(progress)
    assert len(progress) > 1


def test_to_decode_without_a_whole_prefill_is_refused(model: Model) -> None:
    generator = model.open()
    with pytest.raises(RuntimeError, match="prefill first"):
        play(generator)
    next(generator.prefill(context_of(bars=16, crowd=20)))
    with pytest.raises(RuntimeError, match="prefill first"):
        play(generator)


@pytest.mark.parametrize("to_bars", [0, 0.25, 0.7, 1, 2.01, 3])
def test_what_follows_a_rewind_is_what_would_have_followed_without(model: Model, to_bars: float) -> None:
    whole = play(opened(model, context_of(given=frozenset({1}))), bars=4, parts=ALL - {1})
    generator = opened(model, context_of(given=frozenset({1})))
    play(generator, bars=3, parts=ALL - {1})
    to_tick = START_TICK + round(to_bars * WHOLE)
    generator.rewind(to_tick)
    rest = play(generator, bars=4, parts=ALL - {1})
    assert rest == [note for note in whole if note.onset_tick >= to_tick]


def test_a_rewind_never_reaches_before_the_context_ends(model: Model) -> None:
    generator = opened(model, context_of())
    notes = play(generator)
    generator.rewind(START_TICK - WHOLE)
    assert play(generator) == notes


def test_a_reseeded_second_try_is_another_and_the_first_seed_the_first(model: Model) -> None:
    generator = opened(model, context_of())
    first = play(generator)
    for seed, is_same in ((8, False), (7, True)):
        generator.rewind(START_TICK)
        generator.reseed(seed)
        assert (play(generator) == first) == is_same


@pytest.mark.parametrize("seed", range(6))
def test_a_second_try_or_other_controls_never_play_before_where_the_state_stands(model: Model, seed: int) -> None:
    """Once, what was drawn anew could fall before what had been played already."""
    generator = opened(model, context_of(), seed=seed)
    play(generator, bars=0.9)
    assert all(note.onset_tick >= START_TICK + 0.9 * WHOLE for note in play(generator, 1.5, controls=Controls(2.0)))
    generator.rewind(START_TICK + 700)
    generator.reseed(seed + 100)
    assert all(note.onset_tick >= START_TICK + 700 for note in play(generator, 1.5))


def test_given_parts_are_heard_but_never_played(model: Model) -> None:
    given = frozenset({1, 2})
    notes = play(opened(model, context_of(given=given)), parts=ALL)
    assert_sound(notes, START_TICK, START_TICK + 2 * WHOLE, ALL - given)


def test_the_future_of_given_parts_changes_what_is_played(model: Model) -> None:
    given = frozenset({1})
    one, other = (play(opened(model, context_of(given=given, future_seed=seed))) for seed in (1, 2))
    assert one != other


def test_a_part_that_is_not_given_hides_its_future(model: Model) -> None:
    plain = context_of()
    told = replace(plain, notes=tuple(sorted([*plain.notes, Note(START_TICK + 20, 2, 60, 120, 80)])))
    assert play(opened(model, told)) == play(opened(model, plain))


@pytest.mark.parametrize(("root", "mask"), [(0, 0b101010110101), (9, 0b000010010001), (4, 1)])
def test_melodic_parts_keep_to_the_scale(model: Model, root: int, mask: int) -> None:
    notes = play(opened(model, context_of()), bars=4, controls=Controls(scale_root=root, scale_mask=mask))
    melodic = [note.pitch for note in notes if not BAND[note.part].is_drum]
    assert melodic
    assert all(mask >> (pitch - root) % 12 & 1 for pitch in melodic)


@pytest.mark.parametrize("controls", [Controls(top_k=1), Controls(temperature=0.0), Controls(min_p=1.0)])
def test_where_only_the_likeliest_is_left_seeds_do_not_matter(model: Model, controls: Controls) -> None:
    one, other = (play(opened(model, context_of(), seed), controls=controls) for seed in (1, 2))
    assert one == other


def test_controls_change_what_is_played(model: Model) -> None:
    plain = play(opened(model, context_of()))
    for controls in (Controls(temperature=0.3), Controls(top_p=0.3), Controls(density=0.25)):
        assert play(opened(model, context_of()), controls=controls) != plain


@pytest.mark.parametrize("start_bars", [0, 3])
def test_an_empty_context_is_begun_from_nothing(model: Model, start_bars: int) -> None:
    context = Context(BAND, (), start_bars * WHOLE, (Meter(0, 4, 4),), 120.0)
    notes = play(opened(model, context), bars=3, start=start_bars * WHOLE)
    assert_sound(notes, start_bars * WHOLE, (start_bars + 3) * WHOLE, ALL)


def test_nobody_to_play_is_silence_and_time_passes(model: Model) -> None:
    for parts, given in ((frozenset[int](), frozenset[int]()), (frozenset({1}), frozenset({1})), (frozenset({9}), ALL)):
        generator = opened(model, context_of(given=given))
        assert play(generator, bars=2.5, parts=parts) == []
        assert all(note.onset_tick >= START_TICK + 2.5 * WHOLE for note in play(generator, bars=4))


def test_sixteen_parts_play_together(model: Model) -> None:
    parts = tuple(Part(is_drum=number == 9, program=number * 8) for number in range(MAX_PARTS))
    heard = random_score(0, parts=parts)
    context = Context(parts, heard.notes, START_TICK, heard.meters, 120.0)
    everybody = frozenset(range(MAX_PARTS))
    assert_sound(play(opened(model, context), parts=everybody), START_TICK, START_TICK + 2 * WHOLE, everybody)


def test_meters_may_change_before_at_and_after_the_start(model: Model) -> None:
    meters = (Meter(0, 4, 4), Meter(2 * WHOLE, 3, 4), Meter(2 * WHOLE + 4 * 1440, 9, 4), Meter(6 * WHOLE, 7, 16))
    start = MeterMap(meters).next_bar_line(4 * WHOLE)
    notes = tuple(note for note in random_score(0).notes if note.onset_tick < start)
    context = Context(BAND, notes, start, meters, 120.0)
    whole = play(opened(model, context), bars=4, start=start)
    assert_sound(whole, start, start + 4 * WHOLE, ALL)
    generator = opened(model, context)
    assert [note for bar in range(1, 5) for note in play(generator, bar, start=start)] == whole


def test_a_context_longer_than_the_memory_is_continued(model: Model) -> None:
    context = context_of(bars=40, crowd=40)
    assert len(context.notes) > 2 * BLOCK
    start = context.start_tick
    assert_sound(play(opened(model, context), start=start), start, start + 2 * WHOLE, ALL)


def test_one_bar_fuller_than_the_memory_is_continued(model: Model) -> None:
    crowd = tuple(
        Note(tick * 20, part, pitch, 60, 80) for tick in range(96) for part in range(4) for pitch in range(40, 50, 3)
    )
    assert len(crowd) > 2 * BLOCK
    context = Context(BAND, crowd, WHOLE, (Meter(0, 4, 4),), 120.0)
    assert_sound(play(opened(model, context), start=WHOLE), WHOLE, 3 * WHOLE, ALL)
