"""Which bar is recalled: the one after what most resembles the last bars."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.tokens.recall import FAR, TAKEN, Recall, likeness, mark, recalled_lags

VERSE = [{1, 2, 3}, {4, 5, 6}, {7, 8, 9}]
CHORUS = [{11, 12}, {13, 14}, {15, 16}, {17, 18}]


def test_likeness_is_the_share_in_common() -> None:
    assert likeness({1, 2, 3}, {2, 3, 4}) == 0.5
    assert likeness({1}, {1}) == 1.0
    assert likeness(set(), set()) == 0.0


def test_a_verse_that_comes_back_recalls_itself_from_its_second_bar_on() -> None:
    song = VERSE + CHORUS + VERSE + CHORUS
    lags = recalled_lags(song)
    back = len(VERSE + CHORUS)
    assert (lags[: back + 1] == 0).all(), "nothing came back yet, and its first bar cannot be foreseen"
    assert (lags[back + 1 :] == back).all()


def test_lags_that_are_taken_are_left_to_the_fixed_ones() -> None:
    lags = recalled_lags([{1, 2}] * 12)
    assert not set(lags.tolist()) & set(TAKEN)
    assert lags[-1] == 3, "the nearest of those that are left"


def test_the_longer_likeness_wins() -> None:
    song = [{1}, {2}, {30}, {9}, {2}, {40}, {8}, {7}, {3}, {1}, {2}]
    assert recalled_lags(song)[-1] == 9, "after 1 then 2 came 30; after another 2 came 40"


def test_what_is_too_long_ago_is_forgotten() -> None:
    song = [{1}, {2}, *({100 + bar} for bar in range(FAR)), {1}]
    assert recalled_lags(song)[-1] == 0


def test_bars_that_resemble_little_recall_nothing() -> None:
    assert recalled_lags([{1, 2, 3, 4, 5}, {9}, {8}, {7}, {6}, {1, 20, 21, 22, 23}])[-1] == 0


def test_marks_are_distinct_for_numbers_and_arrays_alike() -> None:
    assert mark(2, 3, 4) != mark(3, 2, 4)
    columns = [np.array([value]) for value in (2, 3, 4)]
    assert mark(*columns).tolist() == [mark(2, 3, 4)]


@given(st.lists(st.sets(st.integers(0, 6), max_size=4), max_size=24), st.data())
def test_reopening_is_as_if_the_bars_had_never_been_closed(song: list[set[int]], data: st.DataObject) -> None:
    wanted = recalled_lags(song).tolist()
    recall = Recall()
    cut = data.draw(st.integers(0, len(song)))
    for at, marks in enumerate(song):
        recall.close(marks if at < cut else {99})
        recall.lag(at)
    recall.reopen(cut)
    for marks in song[cut:]:
        recall.close(marks)
    assert [recall.lag(bar) for bar in range(len(song) + 1)] == wanted
