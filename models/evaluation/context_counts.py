"""How often a value followed a context: over a whole corpus, or so far in one piece. It weighs no evidence.

A context is a chain of features, the most telling first; order k knows the first k of them. Keys are hashes of 55 bits
with the value in 8 more below them, so the pairs of one context are neighbours once sorted; that any two of a million
contexts meet by accident has probability 1e-5. Letters: K orders (0 to the longest), T events.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]
KeyArray = NDArray[np.uint64]

VALUE_BITS = 8
_CONTEXT_SHIFT = np.uint64(64 - 55)
_NO_PAIR = np.uint64(2**64 - 1)  # larger than any pair
_SEEDS = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))


class Counts(NamedTuple):
    """What was seen before, each (K, T)."""

    hits: IntArray
    """How often the context was followed by this very value."""
    total: IntArray
    """How often the context was seen."""
    distinct: IntArray
    """By how many different values it was followed."""


def context_keys(features: Sequence[IntArray], events: int) -> KeyArray:
    """Keys of the contexts of every order, (K, T) with K = features + 1; the empty context first."""
    keys = np.zeros((len(features) + 1, events), dtype=np.uint64)
    for order, feature in enumerate(features):
        keys[order + 1] = _mix(keys[order] + _SEEDS[0] * (feature.astype(np.uint64) + np.uint64(order + 2)))
    return keys >> _CONTEXT_SHIFT


def _mix(keys: KeyArray) -> KeyArray:
    """Spread every bit over all others (the finaliser of SplitMix64: Steele, Lea and Flood, 2014)."""
    keys = (keys ^ (keys >> np.uint64(30))) * _SEEDS[1]
    keys = (keys ^ (keys >> np.uint64(27))) * _SEEDS[2]
    return keys ^ (keys >> np.uint64(31))


def _pairs(contexts: KeyArray, values: IntArray) -> KeyArray:
    return (contexts << np.uint64(VALUE_BITS)) | values.astype(np.uint64)


class CountTable:
    """Counts of one order over a corpus, as a sorted array of distinct pairs."""

    def __init__(self, contexts: KeyArray, values: IntArray) -> None:
        pairs = np.sort(_pairs(contexts, values))
        first = np.flatnonzero(np.concatenate([[True], pairs[1:] != pairs[:-1]])) if len(pairs) else np.zeros(0, int)
        self._pairs = np.append(pairs[first], _NO_PAIR)
        self._before = np.append(first, len(pairs)).astype(np.uint32)  # events in front of each pair

    @property
    def bytes(self) -> int:
        """Memory held."""
        return self._pairs.nbytes + self._before.nbytes

    def look_up(self, contexts: KeyArray, values: IntArray) -> Counts:
        """Counts for each (context, value), each (T,)."""
        first = contexts << np.uint64(VALUE_BITS)
        low = np.searchsorted(self._pairs, first)
        high = np.searchsorted(self._pairs, first + np.uint64(1 << VALUE_BITS))
        wanted = _pairs(contexts, values)
        at = np.searchsorted(self._pairs, wanted)
        after = np.minimum(at + 1, len(self._pairs) - 1)
        known = self._pairs[at] == wanted
        hits = np.where(known, self._events(at, after), 0)
        return Counts(hits, self._events(low, high), high - low)

    def _events(self, low: IntArray, high: IntArray) -> IntArray:
        """Events of the pairs from `low` to before `high`."""
        return self._before[high].astype(np.int64) - self._before[low]


def running_counts(contexts: KeyArray, values: IntArray) -> Counts:
    """Counts of what came before each event of one piece.

    Args:
        contexts: (K, T).
        values: (T,).
    """
    by_pair = np.argsort(_pairs(contexts, values), axis=1, kind="stable")
    hits = _unsort(_rank_in_run(np.take_along_axis(_pairs(contexts, values), by_pair, 1)), by_pair)
    by_context = np.argsort(contexts, axis=1, kind="stable")
    total_sorted = _rank_in_run(np.take_along_axis(contexts, by_context, 1))
    news = np.take_along_axis(hits == 0, by_context, 1).astype(np.int64)
    news_before = np.cumsum(news, axis=1) - news
    starts = np.arange(contexts.shape[1]) - total_sorted
    distinct_sorted = news_before - np.take_along_axis(news_before, starts, 1)
    return Counts(hits, _unsort(total_sorted, by_context), _unsort(distinct_sorted, by_context))


def _rank_in_run(keys: KeyArray) -> IntArray:
    """(K, T) sorted keys -> how many equal ones stand in front of each."""
    places = np.broadcast_to(np.arange(keys.shape[1]), keys.shape)
    starts = np.where(np.diff(keys, axis=1, prepend=~keys[:, :1]) != 0, places, 0)
    return places - np.maximum.accumulate(starts, axis=1)


def _unsort(ranks: IntArray, order: IntArray) -> IntArray:
    """Back to the order of time."""
    result = np.empty_like(ranks)
    np.put_along_axis(result, order, ranks, 1)
    return result
