"""Token bars over real meters."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.music.constants import PPQ
from models.music.score import Meter
from models.tokens.grid import Grid
from models.tokens.vocabulary import POSITIONS, TICKS_PER_GRID

WHOLE = 4 * PPQ
METERS = st.lists(
    st.tuples(st.integers(1, 19), st.sampled_from((2, 4, 8, 16)), st.integers(1, 9000)), min_size=1, max_size=4
)


def meters_of(rows: list[tuple[int, int, int]]) -> list[Meter]:
    """Meters whose changes lie `gap` ticks apart, often between bar lines."""
    tick, meters = 0, []
    for numerator, denominator, gap in rows:
        meters.append(Meter(tick, numerator, denominator))
        tick += gap
    return meters


def test_bars_follow_the_meters() -> None:
    grid = Grid([Meter(0, 3, 4), Meter(3 * 3 * PPQ, 7, 8)])
    assert grid.starts(3 * 3 * PPQ).tolist() == [0, 1440, 2880, 4320, 4320 + 7 * 240]


def test_a_bar_longer_than_the_positions_is_split() -> None:
    grid = Grid([Meter(0, 9, 4)])
    assert grid.starts(0).tolist()[:2] == [0, WHOLE]
    assert grid.starts(9 * PPQ).tolist()[:5] == [0, WHOLE, 2 * WHOLE, 9 * PPQ, 9 * PPQ + WHOLE]


def test_two_whole_bars_are_just_short_enough_to_stay_in_one() -> None:
    assert Grid([Meter(0, 8, 4)]).starts(0).tolist() == [0, POSITIONS * TICKS_PER_GRID]


def test_a_tick_that_rounds_to_the_bar_line_belongs_to_the_next_bar() -> None:
    bars, positions = Grid([Meter(0, 4, 4)]).place(np.array([WHOLE - 11, WHOLE - 9, WHOLE]))
    assert list(zip(bars.tolist(), positions.tolist(), strict=True)) == [(0, 95), (1, 0), (1, 0)]


def test_bars_before_the_first_are_as_long_as_it() -> None:
    grid = Grid([Meter(0, 3, 4)])
    assert (grid.bar_to_tick(-2), grid.bar_ticks(-2)) == (-2 * 1440, 1440)


def test_a_tick_before_the_score_is_refused() -> None:
    with pytest.raises(ValueError, match="tick -5 lies before the score"):
        Grid([Meter(0, 4, 4)]).place(np.array([3, -5]))


@given(METERS, st.integers(0, 40_000))
def test_every_place_is_inside_its_bar_and_within_half_a_grid_tick(rows: list[tuple[int, int, int]], tick: int) -> None:
    grid = Grid(meters_of(rows))
    bars, positions = grid.place(np.array([tick]))
    bar, position = int(bars[0]), int(positions[0])
    assert 0 <= position < POSITIONS
    assert position * TICKS_PER_GRID < grid.bar_ticks(bar)
    assert abs(grid.place_to_tick(bar, position) - tick) <= TICKS_PER_GRID / 2


@given(METERS, st.integers(0, 40_000))
def test_the_first_place_is_the_nearest_that_is_not_before_the_tick(
    rows: list[tuple[int, int, int]], tick: int
) -> None:
    grid = Grid(meters_of(rows))
    bar, position = grid.first_place(tick)
    assert 0 <= grid.place_to_tick(bar, position) - tick < TICKS_PER_GRID
    assert position * TICKS_PER_GRID < grid.bar_ticks(bar)
    before = (bar, position - 1) if position else (bar - 1, -(-grid.bar_ticks(bar - 1) // TICKS_PER_GRID) - 1)
    assert bar == 0 or grid.place_to_tick(*before) < tick
