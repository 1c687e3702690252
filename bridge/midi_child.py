"""The process that owns the MIDI port: commands from stdin, notes out on time, whatever happens to the daemon.

It never imports torch, numpy or the rest of the daemon, so nothing there can make a note late; and a MIDI system that
dies takes only this process along. Run as `python -m bridge.midi_child`; `bridge.midi` starts it and talks to it.
"""

from __future__ import annotations

import argparse
import gc
import os
import queue
import signal
import sys
import time
from collections.abc import Callable
from threading import Thread

from bridge.errors import PortError
from bridge.midi_records import RECORD_BYTES, Beat, Failed, Kind, Ready, Report, build_report, parse_commands, silence
from bridge.note_queue import NoteQueue
from bridge.port_open import BACKENDS, OpenedPort, PortRequest, open_port

EXIT_NO_PORT = 3
EXIT_PORT_LOST = 4
BEAT_NS = 100_000_000
_WATCH_NS = 500_000_000
_QUIET_NS = 3_000_000  # no report is built when a note is due within this, unless the last one is long ago
_SPIN_REALTIME_NS = 1_000_000
_SPIN_NS = 200_000  # without real-time scheduling a spinning thread uses up its slice and is late for it
_REALTIME_PRIORITY = 50
_SILENCE_AGAIN_NS = (0, 500_000_000, 2_000_000_000)  # patchbays need a moment to connect a new port


class Inbox:
    """What arrives for the main thread: chunks of whole records, and an empty chunk for the end."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._chunks: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def start(self) -> None:
        """Read on a thread of its own until the pipe ends: Windows cannot wait for a pipe and a time at once."""
        Thread(target=self._read, name="midi-inbox", daemon=True).start()

    def end(self) -> None:
        """Say that nothing more comes. Safe in a signal handler."""
        self._chunks.put(b"")

    def next(self, wait_ns: int) -> bytes | None:
        """The next chunk, waiting at most this long; None when there is none, empty at the end."""
        try:
            return self._chunks.get(timeout=wait_ns / 1e9) if wait_ns > 0 else self._chunks.get_nowait()
        except queue.Empty:
            return None

    def _read(self) -> None:
        rest = b""
        while data := os.read(self._descriptor, 512 * RECORD_BYTES):
            data = rest + data
            whole = len(data) - len(data) % RECORD_BYTES
            rest = data[whole:]
            if whole:
                self._chunks.put(data[:whole])
        self.end()


class Player:
    """The loop: wait, strike, report. Everything it knows of notes is in its `NoteQueue`."""

    def __init__(self, port: OpenedPort, inbox: Inbox, is_realtime: bool, report: Callable[[Report], None]) -> None:
        self._port = port
        self._inbox = inbox
        self._spin_ns = _SPIN_REALTIME_NS if is_realtime else _SPIN_NS
        self._report = report
        self._notes = NoteQueue()
        self._next_beat_ns = self._next_watch_ns = time.perf_counter_ns()

    def silence(self, channels: list[int]) -> None:
        """Quieten channels on which an earlier port may have left notes."""
        now_ns = time.perf_counter_ns()
        for channel in channels:
            for later_ns in _SILENCE_AGAIN_NS:
                self._notes.push(silence(now_ns + later_ns, channel))

    def run(self) -> None:
        """Play until the pipe ends, a command or a signal says so; then end every note.

        Raises:
            PortError: the MIDI system is gone.
        """
        is_lost = False
        try:
            while self._take(self._inbox.next(self._idle_ns())):
                self._play_next()
                self._tell()
        except PortError:
            is_lost = True
            raise
        finally:
            if not is_lost:
                self._send_all(self._notes.end_all())

    def _idle_ns(self) -> int:
        """How long nothing needs doing."""
        wake_ns = self._next_beat_ns
        if (due_ns := self._notes.next_due_ns) is not None:
            wake_ns = min(wake_ns, due_ns - self._spin_ns)
        return wake_ns - time.perf_counter_ns()

    def _take(self, chunk: bytes | None) -> bool:
        """Take every chunk that is there; False when it was the last."""
        while chunk is not None:
            if not chunk:
                return False
            for command in parse_commands(chunk):
                if command.kind is Kind.QUIT:
                    return False
                self._send_all(self._notes.push(command))
            chunk = self._inbox.next(0)
        return True

    def _play_next(self) -> None:
        """Send the first command if it is due, spinning through the last moment before it.

        One at a time, so that a panic overtakes the thickest stream of notes.
        """
        due_ns = self._notes.next_due_ns
        now_ns = time.perf_counter_ns()
        if due_ns is None or due_ns - now_ns > self._spin_ns:
            return
        while now_ns < due_ns:
            now_ns = time.perf_counter_ns()
        self._send_all(self._notes.pop(now_ns))

    def _send_all(self, messages: list[tuple[int, ...]]) -> None:
        for message in messages:
            self._port.send(message)

    def _tell(self) -> None:
        """Give a sign of life and look whether the port still stands, when it is time and nothing is about to sound."""
        now_ns = time.perf_counter_ns()
        if now_ns < self._next_beat_ns:
            return
        due_ns = self._notes.next_due_ns
        if due_ns is not None and due_ns - now_ns < _QUIET_NS and now_ns - self._next_beat_ns < 3 * BEAT_NS:
            return
        self._next_beat_ns = now_ns + BEAT_NS
        notes = self._notes
        self._report(
            Beat(notes.sent, notes.late, notes.dropped, notes.sounding, notes.lateness.counts, notes.late_by_tag)
        )
        if now_ns >= self._next_watch_ns:
            self._next_watch_ns = now_ns + _WATCH_NS
            if not self._port.is_alive():
                raise PortError(f"the MIDI system behind {self._port.name} is gone: start it again")


def main(arguments: list[str] | None = None, opener: Callable[[PortRequest], OpenedPort] = open_port) -> int:
    """Open the port, play, close; returns the exit code. `opener` stands in for a MIDI system in tests."""
    options = _parse(arguments)
    reports = _Reports()
    inbox = Inbox(0)
    try:
        port = opener(PortRequest(options.backend, options.client, options.existing))
    except PortError as error:
        reports.send(Failed(str(error)))
        return EXIT_NO_PORT
    is_realtime = _ask_for_realtime()
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda _number, _frame: inbox.end())
    gc.collect()
    gc.freeze()
    gc.disable()
    player = Player(port, inbox, is_realtime, reports.send)
    player.silence(options.silence)
    reports.send(Ready(port.name, port.backend, is_realtime))
    inbox.start()
    try:
        player.run()
    except PortError as error:
        reports.send(Failed(str(error)))
        os._exit(EXIT_PORT_LOST)  # closing a port of a dead JACK hangs or crashes
    except Exception as error:
        reports.send(Failed(f"the MIDI child failed ({type(error).__name__}: {error}): please report this as a defect"))
        port.close()
        raise
    port.close()
    return 0


class _Reports:
    """Reports to the daemon. One that cannot be written is left out: counts are totals, the next makes up for it."""

    def __init__(self) -> None:
        self._descriptor = os.dup(1)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)  # JACK's library prints there; reports have the pipe to themselves
        os.close(nowhere)
        if sys.platform != "win32":
            os.set_blocking(self._descriptor, False)

    def send(self, report: Report) -> None:
        try:
            os.write(self._descriptor, build_report(report))
        except (BlockingIOError, BrokenPipeError):
            return


def _ask_for_realtime() -> bool:
    """Ask for a scheduling class that other work cannot delay; says whether it was granted."""
    if sys.platform != "linux":
        return False
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(_REALTIME_PRIORITY))
    except OSError:
        return False
    return True


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bridge.midi_child", description=__doc__)
    parser.add_argument("--backend", choices=BACKENDS, default="auto")
    parser.add_argument("--client", default="Continuo", help="name of the virtual port")
    parser.add_argument("--existing", default="", help="part of the name of a port to open instead")
    parser.add_argument("--silence", type=int, nargs="*", default=[], help="channels (0-15) to quieten at the start")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
