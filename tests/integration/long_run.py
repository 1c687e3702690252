"""Ten minutes of a band of five at 140 bpm through the real port, counted by an independent listener.

    sh tests/with_jack.sh python -m tests.integration.long_run --minutes 10

Prints one line of JSON: notes sent and heard, notes hanging, lateness at the port, missed JACK periods. Exits with 1
when a note is missing although JACK missed no period. Not a test: it needs the time it is about.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from bridge.channels import map_channels
from bridge.clock import MonotonicClock, TempoLine
from bridge.metrics import Metrics
from bridge.midi import MidiOut, PortStatus
from bridge.port_open import PortRequest
from bridge.scheduler import Scheduler
from models.music.constants import PPQ
from models.music.score import Note, Part
from tests.integration.jack_server import Recorder, require_jack, xruns
from tests.wire import wait_until

BPM = 140.0
BAND = [Part(program=33), Part(is_drum=True), Part(program=0), Part(program=48), Part(program=80)]
BAR_TICKS = 4 * PPQ
STEPS_BY_PART = (8, 16, 8, 2, 16)  # notes a bar
AHEAD_BARS = 2


def bar_of_music(bar: int) -> Iterator[Note]:
    """What the band plays in one bar; no two bars in a row are the same."""
    for part, steps in enumerate(STEPS_BY_PART):
        length = BAR_TICKS // steps
        for step in range(steps):
            pitch = 36 + 8 * part + (5 * step + bar) % 8
            yield Note(bar * BAR_TICKS + step * length, part, pitch, length - 10, 1 + (bar + step) % 127)


def play(scheduler: Scheduler, clock: MonotonicClock, bars: int) -> Counter[tuple[int, int, int]]:
    """Play bar after bar, each added two bars ahead as a generator would; returns the notes."""
    channels = map_channels(BAND)
    line = TempoLine(clock.now_ns() + 500_000_000, 0, BPM)
    scheduler.start(1, line, channels)
    sent: Counter[tuple[int, int, int]] = Counter()
    for bar in range(bars):
        notes = list(bar_of_music(bar))
        sent.update((channels.channel_of(note.part), note.pitch, note.velocity) for note in notes)
        scheduler.add(1, notes)
        wait_s = (line.ns_at((bar + 1 - AHEAD_BARS) * BAR_TICKS) - clock.now_ns()) / 1e9
        time.sleep(max(0.0, wait_s))
    scheduler.finish(1)
    wait_until(lambda: not scheduler.snapshot().takes)
    return sent


def run(minutes: float, heard_path: Path) -> dict[str, object]:
    """The whole run; returns what was counted."""
    require_jack()
    metrics = Metrics()
    out = MidiOut(PortRequest(backend="jack"), metrics)
    out.start()
    recorder = Recorder(heard_path)
    wait_until(lambda: out.state.status is PortStatus.OPEN)
    recorder.wait_until_connected()
    missed_before = xruns()
    clock = MonotonicClock()
    scheduler = Scheduler(out, clock, metrics)
    scheduler.open()
    sent = play(scheduler, clock, round(minutes * BPM / 4))
    time.sleep(1)
    scheduler.close()
    out.stop()
    time.sleep(1)
    heard = recorder.heard()
    recorder.close()
    missing = sent - Counter(heard.ons)
    return {
        "minutes": minutes,
        "notes_sent": sent.total(),
        "notes_heard": len(heard.ons),
        "missing": missing.total(),
        "hanging": len(heard.sounding),
        "missed_periods": xruns() - missed_before,
        "is_realtime": out.state.is_realtime,
        **asdict(metrics.snapshot()),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0)
    minutes = parser.parse_args().minutes
    with tempfile.TemporaryDirectory() as folder:
        counted = run(minutes, Path(folder) / "heard")
    sys.stdout.write(json.dumps(counted) + "\n")
    return int(bool(counted["missing"] or counted["hanging"]) and not counted["missed_periods"])


if __name__ == "__main__":
    sys.exit(main())
