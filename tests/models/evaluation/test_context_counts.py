"""Counting by sorting, against counting by hand and by dictionary."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.evaluation.context_counts import CountTable, context_keys, running_counts

ABRACADABRA = np.array(list(b"abracadabra"), dtype=np.int64) - ord("a")
COLUMNS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 3)), min_size=1, max_size=40)


def letters_before(steps: int) -> np.ndarray:
    return np.concatenate([np.full(steps, 99), ABRACADABRA[:-steps]])


def test_running_counts_of_a_word_are_those_counted_by_hand() -> None:
    keys = context_keys([letters_before(1)], len(ABRACADABRA))
    counts = running_counts(keys, ABRACADABRA)
    assert counts.hits[0].tolist() == [0, 0, 0, 1, 0, 2, 0, 3, 1, 1, 4]
    assert counts.total[0].tolist() == list(range(11))
    assert counts.distinct[0].tolist() == [0, 1, 2, 3, 3, 4, 4, 5, 5, 5, 5]
    # The second "bra": "b" after "a" (seen once among b, c, d), then "r" after "b" and "a" after "r", seen once each.
    assert counts.hits[1].tolist()[8:] == [1, 1, 1]
    assert counts.total[1].tolist()[8:] == [3, 1, 1]
    assert counts.distinct[1].tolist()[8:] == [3, 1, 1]


def test_a_table_counts_a_whole_word() -> None:
    keys = context_keys([letters_before(1)], len(ABRACADABRA))
    table = CountTable(keys[1], ABRACADABRA)
    after_a = keys[1][[1, 1, 1, 1]]
    counts = table.look_up(after_a, np.array([1, 2, 3, 4]))
    assert counts.hits.tolist() == [2, 1, 1, 0]
    assert counts.total.tolist() == [4] * 4
    assert counts.distinct.tolist() == [3] * 4


def test_an_empty_table_knows_nothing() -> None:
    keys = context_keys([], 3)
    table = CountTable(np.zeros(0, dtype=np.uint64), np.zeros(0, dtype=np.int64))
    counts = table.look_up(keys[0], np.array([0, 1, 255]))
    assert [column.tolist() for column in counts] == [[0] * 3] * 3


def test_the_order_of_features_matters() -> None:
    one, two = np.array([1, 2]), np.array([2, 1])
    keys = context_keys([one, two], 2)
    assert keys[2][0] != keys[2][1]
    assert (keys[0] == keys[0][0]).all()


@given(rows=COLUMNS)
def test_running_counts_are_those_of_a_dictionary(rows: list[tuple[int, int, int]]) -> None:
    first, second, values = np.array(rows).T
    counts = running_counts(context_keys([first, second], len(rows)), values)
    for order in range(3):
        pairs: Counter[tuple[tuple[int, ...], int]] = Counter()
        for event, row in enumerate(rows):
            context = row[:order]
            same = {value: count for (other, value), count in pairs.items() if other == context}
            assert counts.hits[order, event] == same.get(row[2], 0)
            assert counts.total[order, event] == sum(same.values())
            assert counts.distinct[order, event] == len(same)
            pairs[context, row[2]] += 1


@given(rows=COLUMNS, asked=COLUMNS)
def test_a_table_counts_like_a_dictionary(rows: list[tuple[int, int, int]], asked: list[tuple[int, int, int]]) -> None:
    first, second, values = np.array(rows).T
    table = CountTable(context_keys([first, second], len(rows))[2], values)
    first, second, values = np.array(asked).T
    counts = table.look_up(context_keys([first, second], len(asked))[2], values)
    pairs = Counter(((one, two), value) for one, two, value in rows)
    for event, (one, two, value) in enumerate(asked):
        same = [count for (context, _), count in pairs.items() if context == (one, two)]
        assert counts.hits[event] == pairs[(one, two), value]
        assert (counts.total[event], counts.distinct[event]) == (sum(same), len(same))
