"""Write what is played into a Standard MIDI File while it is played. A crash leaves the last whole file in place.

A recorder takes the same commands as the port and decides with the same `NoteQueue` what sounds.
"""

from __future__ import annotations

import contextlib
import logging
import os
import struct
from pathlib import Path
from threading import Event, Lock, Thread

from bridge.clock import Clock, TempoLine
from bridge.errors import PortError
from bridge.midi_records import Command, NotePort
from bridge.note_queue import NoteQueue
from bridge.notes import Message
from models.music.constants import DEFAULT_BPM, PPQ

log = logging.getLogger(__name__)

_SAVE_EVERY_S = 2.0
_END_OF_TRACK = b"\x00\xff\x2f\x00"


class MidiTape:
    """The bytes of a one-track MIDI file that grows at its end. Pure."""

    def __init__(self) -> None:
        self._track = bytearray()
        self._line: TempoLine | None = None
        self._tick = 0

    def set_tempo(self, ns: int, bpm: float) -> None:
        """From this instant on, lay time on ticks at another tempo."""
        line = TempoLine(ns, 0, bpm) if self._line is None else self._line.bent(ns, bpm)
        self._append(ns, b"\xff\x51\x03" + round(60e6 / bpm).to_bytes(3, "big"))
        self._line = line

    def put(self, ns: int, message: Message) -> None:
        """Add one message; instants never go back, and the first is where the file begins."""
        if self._line is None:
            self.set_tempo(ns, DEFAULT_BPM)
        self._append(ns, bytes(message))

    def file_bytes(self) -> bytes:
        """The whole file as it stands."""
        track = bytes(self._track) + _END_OF_TRACK
        return b"MThd" + struct.pack(">IHHH", 6, 0, 1, PPQ) + b"MTrk" + struct.pack(">I", len(track)) + track

    def _append(self, ns: int, data: bytes) -> None:
        tick = self._tick if self._line is None else max(self._tick, round(self._line.exact_tick_at(ns)))
        self._track += _variable_length(tick - self._tick) + data
        self._tick = tick


class Recorder:
    """Records commands to a file. Any thread may call it; a thread of its own writes."""

    def __init__(self, path: Path, clock: Clock) -> None:
        """Begin a recording, replacing the file.

        Raises:
            PortError: the file cannot be written.
        """
        self._path = path
        self._clock = clock
        self._lock = Lock()
        self._notes = NoteQueue()
        self._tape = MidiTape()
        self._closing = Event()
        self._written = b""
        self.problem = ""
        """Why the file is not up to date; empty while it is."""
        self._write()
        self._thread = Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    def send(self, command: Command) -> None:
        """Record one command."""
        with self._lock:
            self._play_due()
            for message in self._notes.push(command):
                self._tape.put(self._clock.now_ns(), message)

    def set_tempo(self, ns: int, bpm: float) -> None:
        """Lay what follows on bars of this tempo."""
        with self._lock:
            self._play_due()
            self._tape.set_tempo(ns, bpm)

    def close(self) -> None:
        """End every note and write the file a last time."""
        self._closing.set()
        self._thread.join()
        with self._lock:
            self._play_due()
            for message in self._notes.end_all():
                self._tape.put(self._clock.now_ns(), message)
        self.save()

    def _play_due(self) -> None:
        now_ns = self._clock.now_ns()
        while (due_ns := self._notes.next_due_ns) is not None and due_ns <= now_ns:
            for message in self._notes.pop(due_ns):
                self._tape.put(due_ns, message)

    def _run(self) -> None:
        while not self._closing.wait(_SAVE_EVERY_S):
            self.save()

    def save(self) -> None:
        """Bring the file up to date; when that fails, tell once and go on."""
        try:
            self._write()
        except PortError as error:
            if not self.problem:
                log.error("%s", error)
            self.problem = str(error)
        else:
            self.problem = ""

    def _write(self) -> None:
        """Put a whole new file in place of the old one."""
        with self._lock:
            self._play_due()
            data = self._tape.file_bytes()
        if data == self._written:
            return
        fresh = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        try:
            fresh.write_bytes(data)
            fresh.replace(self._path)
        except OSError as error:
            with contextlib.suppress(OSError):
                fresh.unlink()
            raise PortError(
                f"the recording cannot be written to {self._path} ({error.strerror}): "
                f"free some space there or choose another file with --record"
            ) from error
        self._written = data


class Tee:
    """One port made of several: each gets every command."""

    def __init__(self, *ports: NotePort) -> None:
        self._ports = ports

    def send(self, command: Command) -> None:
        """Pass a command on to all."""
        for port in self._ports:
            port.send(command)


def _variable_length(value: int) -> bytes:
    """A number as MIDI files write it: seven bits a byte, the last without the top bit."""
    data = [value & 0x7F]
    while value := value >> 7:
        data.append(value & 0x7F | 0x80)
    return bytes(reversed(data))
