"""The contract of generators past the end of what a model can look at, where its memory is filled anew on the way."""

from __future__ import annotations

import pytest

from models.generator import Model
from models.music.score import Note
from tests.contracts.playing import ALL, MODELS, START_TICK, WHOLE, assert_sound, context_of, opened, play

LONG_BARS = 10


@pytest.fixture(params=sorted(MODELS), scope="module")
def forgetful(request: pytest.FixtureRequest) -> Model:
    """A tiny model that looks at no more than 64 notes."""
    return MODELS[request.param](64)


@pytest.fixture(scope="module")
def long_take(forgetful: Model) -> list[Note]:
    """Many times what it looks at."""
    return play(opened(forgetful, context_of()), bars=LONG_BARS)


def test_a_take_goes_on_past_the_memory(long_take: list[Note]) -> None:
    assert len(long_take) > 64
    assert_sound(long_take, START_TICK, START_TICK + LONG_BARS * WHOLE, ALL)
    assert long_take[-1].onset_tick >= START_TICK + (LONG_BARS - 2) * WHOLE


def test_slices_past_the_memory_play_what_one_stretch_plays(forgetful: Model, long_take: list[Note]) -> None:
    generator = opened(forgetful, context_of())
    assert [note for end in range(1, 2 * LONG_BARS + 1) for note in play(generator, end / 2)] == long_take


@pytest.mark.parametrize("to_bars", [0, 1.5, 7])
def test_what_follows_a_rewind_past_the_memory_is_what_would_have_followed_without(
    forgetful: Model, long_take: list[Note], to_bars: float
) -> None:
    """Once, the past was looked at from another point than before the rewind."""
    generator = opened(forgetful, context_of())
    play(generator, bars=LONG_BARS)
    to_tick = START_TICK + round(to_bars * WHOLE)
    generator.rewind(to_tick)
    assert play(generator, bars=LONG_BARS) == [note for note in long_take if note.onset_tick >= to_tick]
