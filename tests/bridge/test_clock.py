"""Ticks on the clock, exactly."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.clock import MonotonicClock, TempoLine, Transport
from models.music.score import Meter
from tests.fakes import MS, SECOND

LINES = st.builds(
    TempoLine, st.integers(0, 2**60), st.integers(-(2**31), 2**31), st.floats(20.0, 999.0, allow_nan=False)
)
TICKS = st.integers(-(2**31), 2**31)


def test_a_beat_at_120_is_half_a_second() -> None:
    line = TempoLine(SECOND, 960, 120.0)
    assert line.ns_at(960) == SECOND
    assert line.ns_at(960 + 480) == SECOND + 500 * MS
    assert line.tick_at(SECOND + 500 * MS) == 1440


def test_a_tick_lasts_until_the_next_begins() -> None:
    line = TempoLine(0, 0, 120.0)
    assert line.tick_at(line.ns_at(1) - 1) == 0
    assert line.tick_at(line.ns_at(1)) == 1
    assert line.tick_at(-1) == -1


@given(LINES, TICKS)
def test_ticks_to_clock_and_back_is_exact(line: TempoLine, tick: int) -> None:
    assert line.tick_at(line.ns_at(tick)) == tick


@given(LINES, st.floats(20.0, 999.0), st.integers(0, 10**12))
def test_bending_keeps_the_position(line: TempoLine, bpm: float, wait_ns: int) -> None:
    ns = line.anchor_ns + wait_ns
    bent = line.bent(ns, bpm)
    assert bent.exact_tick_at(ns) == line.exact_tick_at(ns)
    assert bent.bpm == bpm


@pytest.mark.parametrize("bpm", [0.0, -1.0, float("inf"), float("nan")])
def test_a_tempo_that_is_none_is_refused(bpm: float) -> None:
    with pytest.raises(ValueError, match="bpm must be above 0"):
        TempoLine(0, 0, bpm)


def test_a_stopped_transport_stands_still() -> None:
    transport = Transport().updated(SECOND, 1920, 140.0, False, Meter(0, 4, 4))
    assert transport.tick_at(9 * SECOND) == 1920


def test_a_playing_transport_moves_with_the_host() -> None:
    transport = Transport().updated(SECOND, 1920, 60.0, True, Meter(0, 4, 4))
    assert transport.tick_at(3 * SECOND) == 1920 + 2 * 480
    assert transport.ns_at(1920 + 480) == 2 * SECOND


@pytest.mark.parametrize(
    ("meter", "tick", "bar_line"),
    [((4, 4), 0, 0), ((4, 4), 1, 1920), ((4, 4), 1920, 1920), ((7, 8), 1, 1680), ((3, 4), 1441, 2880), ((4, 4), -1, 0)],
)
def test_the_next_bar_line_follows_the_meter(meter: tuple[int, int], tick: int, bar_line: int) -> None:
    transport = Transport().updated(0, 0, 120.0, True, Meter(77, *meter))
    assert transport.next_bar_line(tick) == bar_line


def test_the_clock_never_goes_back() -> None:
    clock = MonotonicClock()
    instants = [clock.now_ns() for _ in range(100)]
    assert instants == sorted(instants)
