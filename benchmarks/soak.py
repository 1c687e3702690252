"""Ten minutes of a band of five at 140 bpm through the whole daemon, counted by a listener that knows nothing of it.

    sh tests/with_jack.sh python -m benchmarks.soak --minutes 10

A host plays on and asks for eight new bars every eight bars. What the daemon tells over OSC is compared with what is
heard at JACK, note for note. The last line is JSON; the exit code is 1 when a note hangs, or is missing although it
was not counted as late or dropped and JACK missed no period.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from benchmarks.band import BAR_TICKS, BPM, CHANNELS, CLIP_BARS, METER, PARTS, clip_notes, playing_daemon
from bridge.bench import memory_mb
from bridge.clock import MonotonicClock, TempoLine
from bridge.daemon_process import DaemonProcess
from bridge.osc_client import OscClient, TakeReader, is_failure, reported
from bridge.protocol import Message
from models.music.constants import PPQ
from tests.integration.jack_server import Recorder, require_jack, xruns

TAKE_BARS = 8
AHEAD_BARS = 2  # so early is the next take asked for
SAMPLE_S = 1.0
ENDED = re.compile(r"p50 (\d+) us, p99 (\d+) us")

Key = tuple[int, int, int]
"""(channel, pitch, velocity)"""


class Host:
    """A host that plays at a steady tempo and asks for the next take in time."""

    def __init__(self, client: OscClient, clip: int) -> None:
        self._client, self._clip = client, clip
        self._clock = MonotonicClock()
        self._line = TempoLine(self._clock.now_ns(), 0, BPM)
        self._next_beat = 0
        self._asked = 0
        self.takes: list[TakeReader] = []
        self.late = self.dropped = 0

    @property
    def tick(self) -> int:
        """Where the song is."""
        return self._line.tick_at(self._clock.now_ns())

    def step(self, last_bar: int) -> None:
        """Say where the song is, ask for what is due, take in what comes."""
        if self.tick >= self._next_beat * PPQ:
            self._client.transport(True, self.tick, BPM, METER)
            self._next_beat = self.tick // PPQ + 1
        start_bar = AHEAD_BARS + self._asked * TAKE_BARS
        if start_bar + TAKE_BARS <= last_bar and self.tick >= (start_bar - AHEAD_BARS) * BAR_TICKS:
            self._asked += 1
            begun = self._client.generate(self._clip, TAKE_BARS, seed=self._asked, at_tick=start_bar * BAR_TICKS)
            self.takes.append(TakeReader(begun.integer("req")))
        message = self._client.poll(0.02)
        if message is None and self.takes:
            self._client.ask_again(self.takes[-1])
        elif message is not None:
            self._take_in(message)

    def _take_in(self, message: Message) -> None:
        if is_failure(message):
            raise reported(message)
        if message.name == "status":
            self.late, self.dropped = message.integer("late"), message.integer("dropped")
        for take in self.takes[-2:]:
            take.take_in(message)

    def told(self) -> Counter[Key]:
        """Every note of every take, as it should arrive at the port."""
        return Counter((CHANNELS[n.part], n.pitch, n.velocity) for take in self.takes for n in take.notes())


def play(host: Host, daemon: DaemonProcess, bars: int) -> Iterator[float]:
    """Play so many bars and let them ring out; yields the daemon's memory in MB, a sample a second."""
    sampled_s = 0.0
    while host.tick < (bars + 2) * BAR_TICKS:
        daemon.check_alive()
        host.step(bars)
        if time.monotonic() - sampled_s >= SAMPLE_S:
            sampled_s = time.monotonic()
            yield memory_mb(daemon.pid) or 0.0


def heard_by(recorder: Recorder) -> tuple[Counter[Key], int]:
    """(note-ons, notes whose note-off never came)."""
    ons: Counter[Key] = Counter()
    sounding: set[tuple[int, int]] = set()
    for line in recorder.lines():
        if line == "connected":
            continue
        status, *data = bytes.fromhex(line.split()[1])
        key = (status & 0x0F, data[0])
        if status & 0xF0 == 0x90:
            ons[(*key, data[1])] += 1
            sounding.add(key)
        elif status & 0xF0 == 0x80:
            sounding.discard(key)
    return ons, len(sounding)


def run(minutes: float, model: str) -> dict[str, float]:
    """The whole run; returns what was counted."""
    require_jack()
    missed_before = xruns()
    with tempfile.TemporaryDirectory() as folder:
        recorder = Recorder(Path(folder) / "heard")
        with playing_daemon(Path(folder), model) as (daemon, client):
            recorder.wait_until_connected()
            clip = client.send_clip(PARTS, clip_notes(), CLIP_BARS * BAR_TICKS, METER, BPM)
            host = Host(client, clip)
            megabytes = list(play(host, daemon, round(minutes * BPM / METER.numerator)))
        time.sleep(1)  # the listener writes down what it heard a moment later
        heard, hanging = heard_by(recorder)
        recorder.close()
        ended = ENDED.search(daemon.log())
    told = host.told()
    return {
        "minutes": minutes,
        "takes": len(host.takes),
        "notes": told.total(),
        "heard": heard.total(),
        "missing": (told - heard).total(),
        "unexpected": (heard - told).total(),
        "late": host.late,
        "dropped": host.dropped,
        "hanging": hanging,
        "missed_periods": xruns() - missed_before,
        "late_p50_us": float(ended[1]) if ended else -1.0,
        "late_p99_us": float(ended[2]) if ended else -1.0,
        "rss_mb_first": round(megabytes[0]),
        "rss_mb_max": round(max(megabytes)),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--model", default="flagship")
    options = parser.parse_args()
    counted = run(options.minutes, options.model)
    sys.stdout.write(json.dumps(counted) + "\n")
    is_lost = counted["missing"] > counted["dropped"] or counted["unexpected"] > 0
    return int(counted["hanging"] > 0 or (is_lost and not counted["missed_periods"]))


if __name__ == "__main__":
    sys.exit(main())
