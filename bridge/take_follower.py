"""Follows one take from outside the daemon, while it arrives and sounds. It draws nothing: it yields what there is."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from bridge.daemon_process import DaemonProcess
from bridge.errors import ContinuoError
from bridge.osc_client import OscClient, TakeReader, is_failure, reported
from bridge.protocol import Message
from bridge.wire_table import State
from models.music.constants import PPQ
from models.music.score import Note

FRAME_S = 1 / 15
RINGING_S = 5.0
PATIENCE_S = 60.0  # without a note while a take is being made


@dataclass(frozen=True, slots=True)
class View:
    """A take at one instant, in the ticks of the clip it continues."""

    notes: list[Note]
    playhead_tick: int | None
    """Where the music is; None once it is over."""
    horizon_tick: int
    """Before this tick nothing more will come."""


class TakeFollower:
    """One take of a daemon whose host does not play: it sounds at once, from its first note on."""

    def __init__(self, req: int, start_tick: int, end_tick: int, bpm: float, asked_s: float) -> None:
        """The take runs from `start_tick` to `end_tick` of its clip; `asked_s`: when it was asked for."""
        self._reader = TakeReader(req)
        self._start_tick = start_tick
        self._end_tick = end_tick
        self._ticks_per_s = bpm * PPQ / 60.0
        self._asked_s = asked_s
        self._first_s: float | None = None
        self._last_s = asked_s
        self._status: Message | None = None

    def notes(self) -> list[Note]:
        """What has come so far."""
        return [note.shifted(self._start_tick) for note in self._reader.notes()]

    def follow(self, client: OscClient, daemon: DaemonProcess, *, is_heard: bool) -> Iterator[View]:
        """What there is, many times a second, until the take is whole and, where it `is_heard`, has sounded.

        Raises:
            ContinuoError: the daemon failed, or fell silent.
        """
        while not self._reader.is_whole or (is_heard and self._playhead_tick() < self._end_tick):
            daemon.check_alive()
            message = client.poll(FRAME_S)
            if message is not None:
                self._take_in(message)
            elif not self._reader.is_whole:
                client.ask_again(self._reader)
            if not self._reader.is_whole and time.monotonic() - self._last_s > PATIENCE_S:
                raise ContinuoError(f"no note came for {PATIENCE_S:.0f} s; see {daemon.log_path}")
            yield View(self.notes(), self._playhead_tick(), self._horizon_tick())
        if is_heard:
            _let_ring(client)
        yield View(self.notes(), None, self._end_tick)

    def latency(self) -> dict[str, float]:
        """Milliseconds from the request on, and what the MIDI port told of its punctuality."""
        report: dict[str, float] = {}
        if self._first_s is not None:
            report["first_note_ms"] = round((self._first_s - self._asked_s) * 1000, 1)
        report["whole_take_ms"] = round((self._last_s - self._asked_s) * 1000, 1)
        if self._status is not None:
            report["p95_late_us"] = self._status.integer("p95_late_us")
            report["dropped"] = self._status.integer("dropped")
        if self._reader.end is not None:
            report["late"] = self._reader.end.integer("late")
        return report

    def _take_in(self, message: Message) -> None:
        if is_failure(message):
            raise reported(message)
        if message.name == "status":
            self._status = message
        was_whole = self._reader.is_whole
        has_notes = bool(self._reader.take_in(message))
        if has_notes and self._first_s is None:
            self._first_s = time.monotonic()
        if has_notes or self._reader.is_whole != was_whole:
            self._last_s = time.monotonic()

    def _playhead_tick(self) -> int:
        since_s = 0.0 if self._first_s is None else time.monotonic() - self._first_s
        return self._start_tick + round(since_s * self._ticks_per_s)

    def _horizon_tick(self) -> int:
        notes = self._reader.notes()
        return self._end_tick if self._reader.is_whole else self._start_tick + (notes[-1].onset_tick if notes else 0)


def _let_ring(client: OscClient) -> None:
    """Wait until the daemon has ended its last note, but no longer than `RINGING_S`."""
    deadline_s = time.monotonic() + RINGING_S
    while client.ping()[0] is State.PLAYING and time.monotonic() < deadline_s:
        time.sleep(FRAME_S)
