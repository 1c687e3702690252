"""Ticks, beats, bars and seconds, there and back."""

from __future__ import annotations

from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.music.constants import PPQ
from models.music.score import Meter, Tempo
from models.music.timebase import MeterMap, TempoMap, bar_ticks, beats_to_ticks, ticks_to_beats, ticks_to_s

BAR = 4 * PPQ
TICKS = st.integers(-20_000, 200_000)
SIGNATURES = st.tuples(st.integers(1, 15), st.sampled_from([1, 2, 4, 8, 16, 32]))


@st.composite
def meter_maps(draw: st.DrawFn) -> MeterMap:
    """Meter changes at any tick, on bar lines or between them."""
    steps = draw(st.lists(st.integers(1, 30_000), max_size=5))
    ticks = accumulate(steps, initial=0)
    return MeterMap([Meter(tick, *draw(SIGNATURES)) for tick in ticks])


@st.composite
def tempo_maps(draw: st.DrawFn) -> TempoMap:
    steps = draw(st.lists(st.integers(1, 30_000), max_size=5))
    ticks = accumulate(steps, initial=0)
    return TempoMap([Tempo(tick, draw(st.floats(20, 400))) for tick in ticks])


@pytest.mark.parametrize(
    ("numerator", "denominator", "ticks"), [(4, 4, 1920), (3, 4, 1440), (6, 8, 1440), (7, 8, 1680), (1, 128, 15)]
)
def test_a_bar_is_as_long_as_its_meter_says(numerator: int, denominator: int, ticks: int) -> None:
    assert bar_ticks(Meter(0, numerator, denominator)) == ticks


@given(ticks=TICKS)
def test_ticks_survive_as_beats(ticks: int) -> None:
    assert beats_to_ticks(ticks_to_beats(ticks)) == ticks


def test_a_beat_at_120_lasts_half_a_second() -> None:
    assert ticks_to_s(PPQ, 120.0) == 0.5


def test_bars_and_positions_of_common_time() -> None:
    bars = MeterMap([Meter(0, 4, 4)])
    assert [bars.tick_to_bar(tick) for tick in (0, 1919, 1920, 2000)] == [(0, 0), (0, 1919), (1, 0), (1, 80)]


def test_ticks_before_the_start_lie_in_negative_bars() -> None:
    bars = MeterMap([Meter(0, 4, 4)])
    assert bars.tick_to_bar(-1) == (-1, BAR - 1)
    assert bars.bar_to_tick(-2) == -2 * BAR


def test_a_meter_change_on_a_bar_line_changes_the_bars_after_it() -> None:
    bars = MeterMap([Meter(0, 4, 4), Meter(2 * BAR, 3, 4)])
    assert [bars.bar_to_tick(bar) for bar in range(5)] == [0, 1920, 3840, 5280, 6720]
    assert [bars.bar_length(bar) for bar in range(4)] == [1920, 1920, 1440, 1440]


def test_a_meter_change_inside_a_bar_cuts_it_short() -> None:
    bars = MeterMap([Meter(0, 4, 4), Meter(BAR + 480, 3, 4)])
    assert [bars.bar_to_tick(bar) for bar in range(4)] == [0, 1920, 2400, 3840]
    assert bars.bar_length(1) == 480
    assert bars.tick_to_bar(2399) == (1, 479)
    assert bars.tick_to_bar(2400) == (2, 0)


def test_the_meter_in_force_changes_at_its_tick() -> None:
    first, second = Meter(0, 4, 4), Meter(BAR, 3, 4)
    bars = MeterMap([first, second])
    assert [bars.meter_at(tick) for tick in (-5, 0, BAR - 1, BAR)] == [first, first, first, second]


@given(bars=meter_maps(), tick=TICKS)
def test_a_tick_lies_inside_its_bar(bars: MeterMap, tick: int) -> None:
    bar, position = bars.tick_to_bar(tick)
    assert bars.bar_to_tick(bar) + position == tick
    assert 0 <= position < bars.bar_length(bar)


@given(bars=meter_maps(), bar=st.integers(-10, 100))
def test_a_bar_line_is_the_start_of_its_bar(bars: MeterMap, bar: int) -> None:
    assert bars.tick_to_bar(bars.bar_to_tick(bar)) == (bar, 0)


@given(bars=meter_maps(), tick=TICKS)
def test_the_next_bar_line_is_the_first_at_or_after_the_tick(bars: MeterMap, tick: int) -> None:
    line = bars.next_bar_line(tick)
    bar, position = bars.tick_to_bar(line)
    assert position == 0
    assert bars.bar_to_tick(bar - 1) < tick <= line


def test_seconds_follow_tempo_changes() -> None:
    tempo = TempoMap([Tempo(0, 120.0), Tempo(960, 60.0), Tempo(1440, 240.0)])
    assert [tempo.tick_to_s(tick) for tick in (0, 480, 960, 1440, 1920)] == [0.0, 0.5, 1.0, 2.0, 2.25]


@given(tempo=tempo_maps(), tick=TICKS)
def test_ticks_survive_as_seconds(tempo: TempoMap, tick: int) -> None:
    assert tempo.s_to_tick(tempo.tick_to_s(tick)) == tick


@given(tempo=tempo_maps(), tick=TICKS, later=st.integers(1, 10_000))
def test_later_ticks_come_later(tempo: TempoMap, tick: int, later: int) -> None:
    assert tempo.tick_to_s(tick) < tempo.tick_to_s(tick + later)
