"""A daemon in small, to be killed: opens the MIDI port, and on each line of stdin holds three notes for an hour."""

from __future__ import annotations

import sys
import time

from bridge.metrics import Metrics
from bridge.midi import MidiOut, PortEvent, PortOpened
from bridge.midi_records import note_off, note_on
from bridge.port_open import PortRequest
from tests.wire import AHEAD_NS

HOUR_NS = 3600 * 10**9
CHORD = (48, 64, 67)


def say(event: PortEvent) -> None:
    if isinstance(event, PortOpened):
        sys.stdout.write(f"open {event.state.child_pid}\n")
        sys.stdout.flush()


def play() -> None:
    out = MidiOut(PortRequest(backend="jack"), Metrics(), say)
    out.start()
    for _ in sys.stdin:
        now_ns = time.perf_counter_ns() + AHEAD_NS
        for pitch in CHORD:
            out.send(note_on(now_ns, 1, pitch, 2, pitch, 90))
            out.send(note_off(now_ns + HOUR_NS, 1, pitch, 2, pitch))


if __name__ == "__main__":
    play()
