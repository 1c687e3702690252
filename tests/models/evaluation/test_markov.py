"""An honest baseline: true probabilities, of what is known at the time, that fall where music repeats."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.evaluation.context_counts import context_keys, running_counts
from models.evaluation.markov import Gate, Listening, MarkovModel, blend
from models.evaluation.past import Past
from models.evaluation.viewpoints import BAR_VIEWS
from models.tokens.vocabulary import FIELDS, SIZES, SLOT

BAR = np.array([[1, 0, 0, 40, 23, 20], [0, 0, 3, 60, 40, 16], [0, 48, 0, 43, 23, 20], [0, 48, 3, 64, 40, 16]])


def noise(events: int, seed: int) -> np.ndarray:
    draw = np.random.default_rng(seed)
    return np.stack([draw.integers(0, min(size, 9), events) for size in SIZES], axis=1)


def tune(bars: int, seed: int) -> np.ndarray:
    """A few bars of noise, again and again."""
    return np.tile(noise(12, seed), (bars, 1))


@pytest.fixture(scope="module")
def trained() -> MarkovModel:
    model = MarkovModel()
    model.train([tune(6, seed) for seed in range(16)], tuning_pieces=[tune(6, seed) for seed in range(16, 20)])
    return model


def test_method_c_gives_the_probability_computed_by_hand() -> None:
    # "abab" then "a": order 0 saw a, b twice each; order 1 saw "a" after "b" once, so "a" has
    # 1/2 x 1 + 1/2 (4/6 x 2/4 + 2/6 x 1/4) = 17/24 of an alphabet of four.
    letters = np.array([0, 1, 0, 1, 0])
    before = np.array([9, 0, 1, 0, 1])
    counts = running_counts(context_keys([before], 5), letters)
    probability, sureness = blend(counts, 4)
    assert probability[4] == pytest.approx(17 / 24)
    assert sureness[4] == pytest.approx(1 / 2)
    assert probability[0] == pytest.approx(1 / 4)
    assert sureness[0] == 0.0


def test_a_gate_learns_to_listen_to_the_better_expert() -> None:
    probability = np.array([[0.9] * 500, [0.1] * 500])
    sureness = np.full((2, 500), 0.5)
    clues = Gate.clues(probability, sureness)
    gate = Gate.level(2)
    assert gate.mix(probability, clues) == pytest.approx(0.5)
    gate.fit(probability, clues)
    assert gate.mix(probability, clues)[1:].min() > 0.85


def test_a_gate_knows_no_outcome_before_it_happened() -> None:
    draw = np.random.default_rng(3)
    probability, sureness = draw.uniform(0.1, 1, (3, 50)), draw.uniform(0, 1, (3, 50))
    changed = probability.copy()
    changed[:, 30] = 0.01
    assert (Gate.clues(probability, sureness)[:31] == Gate.clues(changed, sureness)[:31]).all()
    assert (Gate.clues(probability, sureness)[31] != Gate.clues(changed, sureness)[31]).any()


@pytest.mark.parametrize("field", range(len(FIELDS)), ids=FIELDS)
def test_the_probabilities_of_a_field_sum_to_one(trained: MarkovModel, field: int) -> None:
    adapt = field != SLOT
    piece = np.concatenate([tune(1, 3), BAR, BAR])[:19]
    total = 0.0
    for value in range(SIZES[field]):
        piece[-1, field:] = 0
        piece[-1, field] = value
        total += 2.0 ** -trained.field_bits(Past(piece), field, adapt)[-1]
    assert total == pytest.approx(1.0, abs=1e-9)


@settings(max_examples=12, deadline=None)
@given(
    data=st.lists(st.tuples(*(st.integers(0, min(size, 5) - 1) for size in SIZES)), max_size=12),
    field=st.sampled_from([0, 2, 4, 5]),
)
def test_the_probabilities_sum_to_one_after_any_past(
    trained: MarkovModel, data: list[tuple[int, ...]], field: int
) -> None:
    piece = np.array([*data, (0,) * len(FIELDS)])
    total = 0.0
    for value in range(SIZES[field]):
        piece[-1, field] = value
        total += 2.0 ** -trained.field_bits(Past(piece), field)[-1]
    assert total == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize("events", [1, 2, 13, 24])
def test_what_comes_later_changes_nothing_before_it(trained: MarkovModel, events: int) -> None:
    piece = tune(3, 99)
    assert trained.bits(piece[:events]) == pytest.approx(trained.bits(piece)[:events], abs=1e-9)


def test_a_repeated_bar_costs_less_each_time() -> None:
    bits = MarkovModel().bits(np.tile(BAR, (8, 1))).sum(axis=1).reshape(8, len(BAR)).mean(axis=1)
    assert (np.diff(bits) < 0).all()
    assert bits[-1] < bits[0] / 4


def test_training_on_pieces_that_repeat_makes_repeats_cheaper(trained: MarkovModel) -> None:
    piece = tune(3, 99)
    assert trained.bits(piece)[24:].sum() < 0.7 * MarkovModel().bits(piece)[24:].sum()


def test_a_piece_it_was_trained_on_is_cheap_even_without_adapting(trained: MarkovModel) -> None:
    assert trained.bits(tune(6, 0), adapt=False).mean() < 0.5 * trained.bits(tune(6, 99), adapt=False).mean()


def test_an_untrained_model_thinks_every_first_value_equally_likely() -> None:
    assert MarkovModel().bits(BAR[:1])[0] == pytest.approx(np.log2(SIZES))


def test_a_short_order_forgets_the_longer_contexts() -> None:
    piece = np.tile(noise(40, 1), (4, 1))
    assert MarkovModel(order=1).bits(piece).sum() > MarkovModel().bits(piece).sum()


def test_fewer_than_ten_pieces_are_counted_and_nothing_is_fitted() -> None:
    model = MarkovModel()
    model.train([BAR] * 3)
    assert model.bits(BAR, adapt=False).sum() < MarkovModel().bits(BAR, adapt=False).sum()
    assert model.bytes > MarkovModel().bytes


def test_pieces_for_tuning_may_be_chosen() -> None:
    model = MarkovModel()
    model.train([tune(6, 1)] * 2, tuning_pieces=[tune(6, 2), BAR[:0]])
    assert np.isfinite(model.bits(tune(6, 3))).all()


def test_an_empty_piece_has_no_bits() -> None:
    assert MarkovModel().bits(BAR[:0]).shape == (0, len(FIELDS))


def test_who_does_not_go_by_bars_takes_no_view_that_looks_bars_back() -> None:
    past = Past(tune(3, 0))
    for field in range(len(FIELDS)):
        every = [view.name for view in Listening().views(field, past)]
        few = [view.name for view in Listening(by_bars=False).views(field, past)]
        assert set(every) - set(few) and set(every) - set(few) <= BAR_VIEWS
        assert few and not set(few) & BAR_VIEWS
