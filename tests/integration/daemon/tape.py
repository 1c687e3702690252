"""What the independent listener has recorded of the daemon's port, read strictly: only a note-off ends a note."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from models.music.constants import PPQ
from models.music.score import Note
from tests.integration.jack_server import MOST_TRIES, Recorder, xruns

SAMPLE_RATE = 48_000
NOTE_OFF, NOTE_ON, CONTROL, PROGRAM = 0x80, 0x90, 0xB0, 0xC0
ALL_NOTES_OFF = 123

Key = tuple[int, int, int]
"""(channel, pitch, velocity)"""


@dataclass(frozen=True)
class Heard:
    """One message."""

    seconds: float
    data: bytes

    @property
    def kind(self) -> int:
        return self.data[0] & 0xF0

    @property
    def channel(self) -> int:
        return self.data[0] & 0x0F

    @property
    def key(self) -> Key:
        return self.channel, self.data[1], self.data[2]


class Tape:
    """Everything recorded since it was last cut; a context manager."""

    def __init__(self, path: Path) -> None:
        self._recorder = Recorder(path)
        self._start = 0

    def __enter__(self) -> Tape:
        return self

    def __exit__(self, *error: object) -> None:
        self._recorder.close()

    def wait_until_connected(self, times: int = 1) -> None:
        self._recorder.wait_until_connected(times)

    @property
    def connections(self) -> int:
        """How often the listener has found a port of ours."""
        return self._recorder.lines().count("connected")

    def cut(self) -> None:
        """Forget what was heard so far."""
        self._start = len(self._recorder.lines())

    def heard(self) -> list[Heard]:
        lines = [line.split() for line in self._recorder.lines()[self._start :] if " " in line]
        return [Heard(int(frame) / SAMPLE_RATE, bytes.fromhex(data)) for frame, data in lines]

    def ons(self) -> list[Heard]:
        return [each for each in self.heard() if each.kind == NOTE_ON]

    def hanging(self) -> set[tuple[int, int]]:
        """(channel, pitch) of every note-on whose note-off has not come."""
        sounding: set[tuple[int, int]] = set()
        for each in self.heard():
            if each.kind == NOTE_ON:
                sounding.add(each.key[:2])
            elif each.kind == NOTE_OFF:
                sounding.discard(each.key[:2])
        return sounding

    def quietened(self) -> set[int]:
        """Channels on which all notes were told to be off, after the last note-on there."""
        channels: set[int] = set()
        for each in self.heard():
            if each.kind == NOTE_ON:
                channels.discard(each.channel)
            elif each.kind == CONTROL and each.data[1] == ALL_NOTES_OFF:
                channels.add(each.channel)
        return channels

    def first_programs(self) -> dict[int, int]:
        """Channel -> the program it had when its first note was struck."""
        programs: dict[int, int] = {}
        found: dict[int, int] = {}
        for each in self.heard():
            if each.kind == PROGRAM:
                programs[each.channel] = each.data[1]
            elif each.kind == NOTE_ON:
                found.setdefault(each.channel, programs.get(each.channel, -1))
        return found


def keys_of(notes: Sequence[Note], channels: Sequence[int]) -> list[Key]:
    """How notes arrive at the port, in onset order."""
    return [(channels[note.part], note.pitch, note.velocity) for note in sorted(notes)]


def unevenness_s(notes: Sequence[Note], channels: Sequence[int], ons: Sequence[Heard], bpm: float) -> float:
    """By how much the distance between any two notes differs from what their ticks say, at most."""
    instants: dict[Key, list[float]] = {}
    for each in ons:
        instants.setdefault(each.key, []).append(each.seconds)
    lags = [
        instants[channels[note.part], note.pitch, note.velocity].pop(0) - note.onset_tick * 60 / (bpm * PPQ)
        for note in sorted(notes)
    ]
    return max(lags) - min(lags)


def period_s() -> float:
    """The length of one JACK period."""
    return int(os.environ.get("JACK_PERIOD", "1024")) / SAMPLE_RATE


def unless_jack_missed_periods(attempt: Callable[[], None]) -> None:
    """Try until it works; a failure counts only when the JACK server itself lost nothing meanwhile."""
    for _ in range(MOST_TRIES):
        before = xruns()
        try:
            attempt()
        except AssertionError:
            if xruns() == before:
                raise
        else:
            return
    pytest.fail(f"JACK missed periods in each of {MOST_TRIES} tries: run this on a quieter machine", pytrace=False)
