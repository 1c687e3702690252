"""Rotary positions by index and by musical time."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.layers.rotary import BAR_PERIODS, TICK_PERIODS, rotary_frequencies, rotary_table, rotate

D = 64


def score_of(at_query: tuple[int, float, float], at_key: tuple[int, float, float]) -> float:
    """What a fixed query at (index, ticks, bars) finds in a fixed key elsewhere."""
    generator = torch.Generator().manual_seed(0)
    query, key = torch.randn(2, 1, D, generator=generator)
    frequencies = rotary_frequencies(D)

    def turned(x: torch.Tensor, at: tuple[int, float, float]) -> torch.Tensor:
        place = torch.tensor([[at[1], at[2]]], dtype=torch.float64)
        return rotate(x, *rotary_table(torch.tensor([at[0]]), place, frequencies))

    return float((turned(query, at_query) * turned(key, at_key)).sum())


WHERE = st.tuples(st.integers(0, 1000), st.integers(0, 5000), st.integers(0, 400).map(lambda n: n / 8))


@settings(max_examples=50, deadline=None)
@given(WHERE, WHERE, WHERE)
def test_only_distances_count(
    query: tuple[int, float, float], key: tuple[int, float, float], shift: tuple[int, float, float]
) -> None:
    moved = [tuple(a + b for a, b in zip(at, shift, strict=True)) for at in (query, key)]
    assert score_of(moved[0], moved[1]) == pytest.approx(score_of(query, key), abs=1e-3)


def test_every_distance_counts() -> None:
    here = (100, 960.0, 10.0)
    scores = {round(score_of(here, key), 3) for key in (here, (99, 960.0, 10.0), (100, 954.5, 10.0), (100, 960.0, 9.5))}
    assert len(scores) == 4


def test_turning_keeps_lengths() -> None:
    x = torch.randn(3, 5, D, generator=torch.Generator().manual_seed(1))
    place = torch.rand(3, 5, 2, dtype=torch.float64) * 100
    turned = rotate(x, *rotary_table(torch.arange(5).expand(3, -1), place, rotary_frequencies(D)))
    assert torch.allclose(turned.norm(dim=-1), x.norm(dim=-1), atol=1e-4)


def test_musical_pairs_come_round_after_their_period() -> None:
    _, by_time = rotary_frequencies(D)
    periods = [2 * math.pi / float(f) for f in by_time.sum(0)]
    assert periods == pytest.approx([*TICK_PERIODS, *BAR_PERIODS])
    assert (by_time != 0).sum(0).tolist() == [1] * (D // 4)


def test_far_into_a_long_session_places_are_still_told_apart() -> None:
    late = 2_000_000.0
    near, same = score_of((5, late, 100.0), (5, late + 1, 100.0)), score_of((5, late, 100.0), (5, late, 100.0))
    assert near == pytest.approx(score_of((5, 0.0, 100.0), (5, 1.0, 100.0)), abs=1e-3)
    assert near != pytest.approx(same, abs=1e-3)


def test_a_head_that_the_periods_do_not_fill_is_refused() -> None:
    with pytest.raises(ValueError, match="head_size must be 64, not 32"):
        rotary_frequencies(32)
