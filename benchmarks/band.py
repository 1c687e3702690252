"""What the benchmarks play: five parts, four bars, 140 beats a minute; and the daemon they play it with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bridge.channels import map_channels
from bridge.daemon_process import DaemonProcess
from bridge.osc_client import OscClient
from models.music.constants import PPQ
from models.music.score import Meter, Note, Part

BPM = 140.0
BAR_TICKS = 4 * PPQ
METER = Meter(0, 4, 4)
PARTS = (Part(program=33), Part(is_drum=True), Part(program=0), Part(program=48), Part(program=80))
CHANNELS = map_channels(PARTS).channels
CLIP_BARS = 4
STEPS_BY_PART = (8, 16, 8, 1, 4)  # notes a bar
CHORDS = ((0, 4, 7), (9, 12, 16), (5, 9, 12), (7, 11, 14))


def clip_notes() -> list[Note]:
    """A plain four-chord song."""
    notes = []
    for bar in range(CLIP_BARS):
        chord = CHORDS[bar]
        for part, steps in enumerate(STEPS_BY_PART):
            length_ticks = BAR_TICKS // steps
            for step in range(steps):
                onset_tick = bar * BAR_TICKS + step * length_ticks
                for pitch in _pitches(part, step, chord):
                    notes.append(Note(onset_tick, part, pitch, length_ticks - 20, 70 + 20 * (step % 4 == 0)))
    return sorted(notes)


def _pitches(part: int, step: int, chord: tuple[int, ...]) -> list[int]:
    if PARTS[part].is_drum:
        return [42] + [36] * (step % 8 == 0) + [38] * (step % 8 == 4)
    if part == 0:
        return [36 + chord[0]]
    if part == 4:
        return [72 + chord[step % 3]]
    return [60 + tone for tone in chord]


@contextmanager
def playing_daemon(folder: Path, model: str) -> Iterator[tuple[DaemonProcess, OscClient]]:
    """A daemon that is ready and plays into JACK, and a client of it."""
    arguments = ["--midi", "jack", "--model", model]
    with DaemonProcess(arguments, folder / "daemon.log") as daemon, OscClient(daemon.address, "benchmark") as client:
        client.hello(tries=400)
        daemon.wait_ready(client)
        yield daemon, client
