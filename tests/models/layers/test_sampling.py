"""From logits to a choice, against numbers worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.layers.sampling import draw, probabilities, truncate

LOGITS = st.lists(st.floats(-20, 20), min_size=1, max_size=30).map(np.array)
HALVES = np.array([0.1, 0.5, 0.25, 0.15])


class Fixed:
    """A generator that draws one number."""

    def __init__(self, number: float) -> None:
        self._number = number

    def random(self) -> float:
        return self._number


def test_probabilities_are_a_softmax_over_what_is_legal() -> None:
    logits = np.array([0.0, math.log(3), 50.0], dtype=np.float32)
    legal = np.array([True, True, False])
    assert probabilities(logits, legal, 1.0).tolist() == pytest.approx([0.25, 0.75, 0.0])
    assert probabilities(logits, legal, 0.5).tolist() == pytest.approx([0.1, 0.9, 0.0])


def test_temperature_zero_takes_the_likeliest_legal_value() -> None:
    logits = np.array([1.0, 2.0, 9.0])
    assert probabilities(logits, np.array([True, True, False]), 0.0).tolist() == [0, 1, 0]


def test_nothing_legal_is_a_defect_and_said() -> None:
    with pytest.raises(ValueError, match="no value is legal"):
        probabilities(np.zeros(3), np.zeros(3, dtype=bool), 1.0)


@pytest.mark.parametrize(
    ("top_k", "top_p", "min_p", "kept"),
    [
        (0, 1.0, 0.0, [0.1, 0.5, 0.25, 0.15]),
        (2, 1.0, 0.0, [0, 2 / 3, 1 / 3, 0]),
        (0, 0.5, 0.0, [0, 1, 0, 0]),
        (0, 0.6, 0.0, [0, 2 / 3, 1 / 3, 0]),
        (0, 1.0, 0.3, [0, 5 / 9, 2.5 / 9, 1.5 / 9]),
        (0, 1.0, 1.0, [0, 1, 0, 0]),
        (9, 1.0, 0.0, [0.1, 0.5, 0.25, 0.15]),
        (1, 0.99, 0.5, [0, 1, 0, 0]),
        # The nucleus is taken of what top_k left: 0.6 of 0.75 is reached by the first alone.
        (2, 0.6, 0.0, [0, 1, 0, 0]),
        # min_p does not make the nucleus smaller: 0.8 of everything needs three, and they are above a quarter.
        (0, 0.8, 0.25, [0, 5 / 9, 2.5 / 9, 1.5 / 9]),
    ],
)
def test_truncation_by_hand(top_k: int, top_p: float, min_p: float, kept: list[float]) -> None:
    assert truncate(HALVES, top_k, top_p, min_p).tolist() == pytest.approx(kept)


def test_of_equals_the_first_is_kept() -> None:
    assert truncate(np.full(4, 0.25), 2, 1.0, 0.0).tolist() == [0.5, 0.5, 0, 0]


@given(LOGITS, st.integers(0, 40), st.floats(0.01, 1), st.floats(0, 1))
def test_truncation_keeps_the_likeliest_in_their_proportions(
    logits: np.ndarray, top_k: int, top_p: float, min_p: float
) -> None:
    weights = probabilities(logits, None, 1.0)
    kept = truncate(weights, top_k, top_p, min_p)
    chosen = kept > 0
    assert kept.sum() == pytest.approx(1)
    assert kept[weights.argmax()] > 0
    assert weights[chosen].min() >= weights[~chosen].max(initial=0)
    assert np.allclose(kept[chosen], weights[chosen] / weights[chosen].sum())
    assert not top_k or chosen.sum() <= top_k


@given(LOGITS, st.floats(0.1, 4))
def test_a_higher_temperature_is_flatter(logits: np.ndarray, temperature: float) -> None:
    cold, warm = probabilities(logits, None, temperature), probabilities(logits, None, 2 * temperature)
    assert warm.max() <= cold.max() + 1e-12


@pytest.mark.parametrize(
    ("number", "index"), [(0.0, 0), (0.099, 0), (0.1001, 1), (0.599, 1), (0.601, 2), (0.9999999, 3)]
)
def test_a_draw_is_where_the_number_falls(number: float, index: int) -> None:
    assert draw(HALVES, Fixed(number)) == index  # type: ignore[arg-type]


@pytest.mark.parametrize("number", [0.0, 0.5, 1 - 2**-53])
def test_what_has_no_weight_is_never_drawn(number: float) -> None:
    assert draw(np.array([0.0, 0.0, 1.0, 0.0]), Fixed(number)) == 2  # type: ignore[arg-type]


def test_draws_come_as_often_as_they_weigh() -> None:
    rng = np.random.default_rng(1)
    counts = np.bincount([draw(HALVES, rng) for _ in range(4000)], minlength=4)
    assert counts / 4000 == pytest.approx(HALVES, abs=0.03)
