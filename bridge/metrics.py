"""How late the notes are: a histogram, counts, and one immutable snapshot of both. It measures nothing itself.

`Histogram` imports only the standard library, because the MIDI child fills one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock

_PER_OCTAVE = 8  # bucket edges grow by 9 %
_MAX_BUCKET = 30 * _PER_OCTAVE  # 2^30 us = 18 minutes


class Histogram:
    """Counts of lateness in logarithmic buckets of microseconds. Not thread-safe."""

    def __init__(self) -> None:
        self.counts: dict[int, int] = {}
        """Bucket -> how many. Bucket b holds up to `2^(b/8) - 1` us; bucket 0 is 'on time'."""

    def add(self, lateness_ns: int) -> None:
        """Count one message; early counts as on time."""
        bucket = bucket_of(lateness_ns / 1000)
        self.counts[bucket] = self.counts.get(bucket, 0) + 1

    def merge(self, counts: Mapping[int, int]) -> None:
        """Add the counts of another histogram."""
        for bucket, count in counts.items():
            self.counts[bucket] = self.counts.get(bucket, 0) + count

    def percentile_us(self, percent: float) -> float:
        """The upper edge of the bucket that holds this percentile, so never too good; 0.0 when empty."""
        wanted = math.ceil(sum(self.counts.values()) * percent / 100)
        seen = 0
        for bucket in sorted(self.counts):
            seen += self.counts[bucket]
            if seen >= wanted:
                return edge_us(bucket)
        return 0.0


def bucket_of(lateness_us: float) -> int:
    """The bucket that counts this lateness."""
    if lateness_us < 0.5:
        return 0
    return min(_MAX_BUCKET, math.ceil(_PER_OCTAVE * math.log2(1 + lateness_us)))


def edge_us(bucket: int) -> float:
    """The largest lateness a bucket counts."""
    return round(2 ** (bucket / _PER_OCTAVE) - 1, 1)


@dataclass(frozen=True, slots=True)
class MetricsSnapshot:
    """How the notes have kept time since the daemon started."""

    sent: int = 0
    """Note-ons and note-offs that reached the MIDI port."""
    late: int = 0
    """Note-ons that sounded after their time."""
    dropped: int = 0
    """Note-ons too late to be worth playing."""
    p50_us: float = 0.0
    p95_us: float = 0.0
    p99_us: float = 0.0
    max_us: float = 0.0
    first_note_ms: float | None = None
    """From the latest request to its first note; None before the first."""


class Metrics:
    """Where every thread puts its counts; a lock is held for microseconds only."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._lateness = Histogram()
        self._sent = 0
        self._late = 0
        self._dropped = 0
        self._first_note_ms: float | None = None

    def count_sent(self, sent: int, lateness: Mapping[int, int]) -> None:
        """Add messages that reached the port, with their histogram."""
        with self._lock:
            self._sent += sent
            self._lateness.merge(lateness)

    def count_late(self, notes: int = 1) -> None:
        """Add note-ons that sounded after their time."""
        with self._lock:
            self._late += notes

    def count_dropped(self, notes: int = 1) -> None:
        """Add note-ons that were too late to play."""
        with self._lock:
            self._dropped += notes

    def observe_first_note(self, latency_ns: int) -> None:
        """Remember how long a request took until its first note was there."""
        with self._lock:
            self._first_note_ms = latency_ns / 1e6

    def snapshot(self) -> MetricsSnapshot:
        """All of it at one instant."""
        with self._lock:
            return MetricsSnapshot(
                sent=self._sent,
                late=self._late,
                dropped=self._dropped,
                p50_us=self._lateness.percentile_us(50),
                p95_us=self._lateness.percentile_us(95),
                p99_us=self._lateness.percentile_us(99),
                max_us=self._lateness.percentile_us(100),
                first_note_ms=self._first_note_ms,
            )
