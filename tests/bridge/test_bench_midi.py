"""The measurement measures."""

from __future__ import annotations

import sys

import pytest

from bridge import bench_midi
from bridge.bench_midi import bench_port, measure
from bridge.errors import PortError


@pytest.mark.live
def test_both_rows_hold_every_message() -> None:
    rows = bench_port(1.0)
    assert set(rows) == {"idle", "loaded"}
    for row in rows.values():
        notes = 5 * 10  # sixteenths in 1 s at 140 bpm, in five parts
        assert row["messages"] + 2 * row["dropped"] == 2 * notes
        assert 0 <= row["p50_us"] <= row["p95_us"] <= row["p99_us"] <= row["max_us"]


def test_a_child_that_does_not_start_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_midi, "_CHILD", (sys.executable, "-c", "print('no')"))
    monkeypatch.setattr(bench_midi, "_START_S", 0.5)
    with pytest.raises(PortError, match="the MIDI process does not start"):
        measure(1.0)
