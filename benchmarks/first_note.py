"""How long a musician waits: from asking for a take on a stopped transport to its first note, over OSC and at JACK.

    JACK_PERIOD=256 sh tests/with_jack.sh python -m benchmarks.first_note

The clip is held and absorbed beforehand, as it is in use. Prints a line for each take, then one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from queue import Empty, SimpleQueue

import jack

from benchmarks.band import BAR_TICKS, BPM, CLIP_BARS, METER, PARTS, clip_notes, playing_daemon
from bridge.errors import ContinuoError
from bridge.osc_client import OscClient, TakeReader, is_failure, reported

PATIENCE_S = 20.0
QUIET_S = 0.3  # between two takes, so that the last one's end is not the next one's load


class Ear:
    """A JACK client that notes when a note-on reaches it; a context manager."""

    def __init__(self) -> None:
        self._client = jack.Client("ear", no_start_server=True)
        self._port = self._client.midi_inports.register("in")
        self.struck_s: SimpleQueue[float] = SimpleQueue()
        self._client.set_process_callback(self._process)
        self.period_ms = 1000 * self._client.blocksize / self._client.samplerate

    def __enter__(self) -> Ear:
        self._client.activate()
        end_s = time.monotonic() + PATIENCE_S
        while not (sources := self._client.get_ports("Continuo", is_midi=True, is_output=True)):
            if time.monotonic() > end_s:
                raise ContinuoError("the daemon opened no port at JACK; see `continuo doctor`")
            time.sleep(0.05)
        self._client.connect(sources[0], self._port)
        return self

    def __exit__(self, *error: object) -> None:
        self._client.deactivate()
        self._client.close()

    def forget(self) -> None:
        """Let go what was heard so far."""
        while not self.struck_s.empty():
            self.struck_s.get()

    def _process(self, frames: int) -> None:
        now_s = time.monotonic()
        for _, data in self._port.incoming_midi_events():
            if bytes(data)[0] & 0xF0 == 0x90:
                self.struck_s.put(now_s)


def one_take(client: OscClient, ear: Ear, clip: int, seed: int) -> tuple[float, float]:
    """Milliseconds to the first notes over OSC, and to the first note-on at JACK."""
    ear.forget()
    asked_s = time.monotonic()
    take = TakeReader(client.generate(clip, 8, seed=seed).integer("req"))
    told_s = None
    while told_s is None:
        message = client.poll(PATIENCE_S)
        if message is None:
            raise ContinuoError("no note came; see `continuo doctor`")
        if is_failure(message):
            raise reported(message)
        if take.take_in(message):
            told_s = time.monotonic()
    try:
        heard_s = ear.struck_s.get(timeout=PATIENCE_S)
    except Empty:
        raise ContinuoError("no note reached JACK; see `continuo doctor`") from None
    client.cancel(take.req)
    while take.end is None:
        message = client.poll(PATIENCE_S)
        if message is None:
            raise ContinuoError("a cancelled take did not end; see `continuo doctor`")
        take.take_in(message)
    time.sleep(QUIET_S)
    return 1000 * (told_s - asked_s), 1000 * (heard_s - asked_s)


def summary(name: str, values_ms: list[float]) -> dict[str, float]:
    """p50 and p95 by name."""
    ranked = sorted(values_ms)
    p95 = ranked[min(len(ranked) - 1, round(0.95 * len(ranked)))]
    return {f"{name}_p50_ms": round(statistics.median(ranked), 1), f"{name}_p95_ms": round(p95, 1)}


def run(takes: int, model: str) -> dict[str, float]:
    """The whole measurement."""
    with tempfile.TemporaryDirectory() as folder, playing_daemon(Path(folder), model) as (_, client), Ear() as ear:
        clip = client.send_clip(PARTS, clip_notes(), CLIP_BARS * BAR_TICKS, METER, BPM)
        one_take(client, ear, clip, 0)
        measured = []
        for number in range(1, takes + 1):
            measured.append(one_take(client, ear, clip, number))
            sys.stdout.write(f"take {number}: {measured[-1][0]:.1f} ms over OSC, {measured[-1][1]:.1f} ms at JACK\n")
        told, heard = zip(*measured, strict=True)
        period_ms = round(ear.period_ms, 1)
        return {"takes": takes, "period_ms": period_ms, **summary("osc", list(told)), **summary("jack", list(heard))}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--takes", type=int, default=40)
    parser.add_argument("--model", default="flagship")
    options = parser.parse_args()
    sys.stdout.write(json.dumps(run(options.takes, options.model)) + "\n")


if __name__ == "__main__":
    main()
