"""How late notes leave, measured where they leave: the MIDI child with a port that leads nowhere.

Run as a module it is that child.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass

from bridge import midi_child
from bridge.channels import map_channels
from bridge.clock import MonotonicClock, TempoLine
from bridge.errors import PortError
from bridge.metrics import Metrics
from bridge.midi import MidiOut, PortStatus
from bridge.notes import Message
from bridge.port_open import PortRequest
from bridge.scheduler import Scheduler
from models.music.constants import PPQ
from models.music.score import Note, Part

_CHILD = (sys.executable, "-P", "-m", "bridge.bench_midi")
_LOAD = "import numpy as np\na = np.ones((384, 384), 'f4')\nwhile True: a @ a"
_BPM = 140.0
_PARTS = 5
_STEP_TICKS = PPQ // 4
_START_S = 20.0


@dataclass(frozen=True, slots=True)
class PortTiming:
    """How late messages left, after the time they were due, in microseconds."""

    p50_us: float
    p95_us: float
    p99_us: float
    max_us: float
    messages: int
    late: int
    """Later than 10 ms."""
    dropped: int
    """Later than 100 ms, and so not played."""
    is_realtime: bool
    """Whether the system granted real-time scheduling."""


def bench_port(seconds: float) -> dict[str, dict[str, float]]:
    """Play five parts at 140 bpm to nowhere, on an idle machine and beside a process that multiplies matrices.

    Takes twice `seconds`.

    Raises:
        PortError: the MIDI child does not start.
    """
    idle = measure(seconds)
    with _load():
        loaded = measure(seconds)
    return {"idle": asdict(idle), "loaded": asdict(loaded)}


def measure(seconds: float) -> PortTiming:
    """Play for so long, as the machine is now."""
    metrics = Metrics()
    out = MidiOut(PortRequest(), metrics, child=_CHILD)
    out.start()
    try:
        _wait_until_open(out)
        is_realtime = out.state.is_realtime
        _play(out, metrics, seconds)
    finally:
        out.stop()
    found = metrics.snapshot()
    return PortTiming(
        found.p50_us, found.p95_us, found.p99_us, found.max_us, found.sent, found.late, found.dropped, is_realtime
    )


def _wait_until_open(out: MidiOut) -> None:
    end_s = time.monotonic() + _START_S
    while out.state.status is not PortStatus.OPEN:
        if time.monotonic() > end_s:
            raise PortError(f"the MIDI process does not start ({out.state.problem or 'no reason given'}): try again")
        time.sleep(0.01)


def _play(out: MidiOut, metrics: Metrics, seconds: float) -> None:
    """Sixteenths in every part, through the scheduler as in earnest."""
    clock = MonotonicClock()
    scheduler = Scheduler(out, clock, metrics)
    scheduler.open()
    last_tick = round(seconds * _BPM / 60 * PPQ)
    line = TempoLine(clock.now_ns() + 300_000_000, 0, _BPM)
    scheduler.start(1, line, map_channels([Part()] * _PARTS))
    scheduler.add(
        1,
        [
            Note(tick + 7 * part, part, 60, _STEP_TICKS // 2, 90)
            for tick in range(0, last_tick, _STEP_TICKS)
            for part in range(_PARTS)
        ],
    )
    scheduler.finish(1)
    while scheduler.snapshot().takes:
        time.sleep(0.05)
    time.sleep(2 * midi_child.BEAT_NS / 1e9)  # the last report
    scheduler.close()


@contextmanager
def _load() -> Iterator[None]:
    """What a network costs the machine, in a process of its own."""
    with subprocess.Popen([sys.executable, "-c", _LOAD]) as process:  # noqa: S603 - our own words
        try:
            yield
        finally:
            process.kill()


class _Nowhere:
    """A port that leads nowhere."""

    name = "nowhere"
    backend = "none"

    def send(self, message: Message) -> None:
        """Nobody listens."""

    def is_alive(self) -> bool:
        """It cannot die."""
        return True

    def close(self) -> None:
        """Nothing to wait for."""


if __name__ == "__main__":
    sys.exit(midi_child.main(opener=lambda request: _Nowhere()))
