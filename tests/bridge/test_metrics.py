"""Counts that add up, and percentiles that never flatter."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bridge.metrics import Histogram, Metrics, MetricsSnapshot, bucket_of, edge_us


def test_an_empty_histogram_has_percentiles_of_zero() -> None:
    assert Histogram().percentile_us(99) == 0.0


def test_early_and_exact_are_on_time() -> None:
    histogram = Histogram()
    histogram.add(-5_000)
    histogram.add(0)
    assert histogram.counts == {0: 2}
    assert histogram.percentile_us(100) == 0.0


def test_a_percentile_is_the_edge_of_its_bucket() -> None:
    histogram = Histogram()
    for _ in range(99):
        histogram.add(0)
    histogram.add(1_000_000)
    assert histogram.percentile_us(50) == 0.0
    assert histogram.percentile_us(99) == 0.0
    assert 1_000 <= histogram.percentile_us(100) <= 1_091


@given(st.floats(0, 10**8))
def test_no_bucket_is_wider_than_a_tenth_and_none_flatters(lateness_us: float) -> None:
    edge = edge_us(bucket_of(lateness_us))
    assert edge >= lateness_us - 0.5
    assert edge <= lateness_us * 1.1 + 1


@given(st.lists(st.integers(0, 10**10)), st.lists(st.integers(0, 10**10)))
def test_merging_is_counting_together(first: list[int], second: list[int]) -> None:
    one, other, together = Histogram(), Histogram(), Histogram()
    for value in first:
        one.add(value)
        together.add(value)
    for value in second:
        other.add(value)
        together.add(value)
    one.merge(other.counts)
    assert one.counts == together.counts


def test_a_snapshot_holds_all_and_does_not_change() -> None:
    metrics = Metrics()
    before = metrics.snapshot()
    metrics.count_sent(3, {0: 2, bucket_of(500.0): 1})
    metrics.count_late()
    metrics.count_dropped(2)
    metrics.observe_first_note(123_000_000)
    after = metrics.snapshot()
    assert before == MetricsSnapshot()
    assert (after.sent, after.late, after.dropped, after.first_note_ms) == (3, 1, 2, 123.0)
    assert after.p50_us == 0.0
    assert after.p95_us == after.p99_us == after.max_us == edge_us(bucket_of(500.0))
