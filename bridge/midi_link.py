"""One life of the MIDI child: the process, and the two threads that talk to it. It decides nothing about restarts."""

from __future__ import annotations

import contextlib
import os
import queue
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Thread

from bridge.midi_records import RECORD_BYTES, Command, Failed, Report, build_command, leave, parse_report

CHILD = (sys.executable, "-P", "-m", "bridge.midi_child")
_PACKAGES = Path(__file__).parent.parent
_SECOND_LOOK_S = 0.2  # the daemon itself may have been asleep: then the reports are there a moment after it wakes
_EXIT_S = 1.0
_ATOMIC_BYTES = 512  # so few are written whole or not at all, on every system
_MAX_WAITING = 20_000  # commands; a child that has taken none of so many is stuck


class MidiLink:
    """A running child. Any thread may call it."""

    def __init__(self, arguments: Sequence[str], child: Sequence[str] = CHILD) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - our own module, arguments from our own settings
            [*child, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            stderr=subprocess.DEVNULL,  # JACK's library writes there whenever it likes; the child reports on stdout
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, [str(_PACKAGES), os.getenv("PYTHONPATH")]))},
            start_new_session=True,  # Ctrl-C in a terminal reaches the daemon alone, which ends the child in order
        )
        self._commands: queue.SimpleQueue[Command | None] = queue.SimpleQueue()
        self._reports: queue.SimpleQueue[Report | None] = queue.SimpleQueue()
        self._threads = [
            Thread(target=self._write, name="midi-write", daemon=True),
            Thread(target=self._read, name="midi-read", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._process.pid

    def send(self, command: Command) -> None:
        """Queue a command. Never blocks; a child that takes nothing any more is killed."""
        self._commands.put(command)
        if self._commands.qsize() > _MAX_WAITING:
            self._process.kill()

    def next_report(self, wait_s: float) -> Report | None:
        """The next report, or None when the child has ended.

        Raises:
            TimeoutError: it said nothing for so long.
        """
        for patience_s in (wait_s, _SECOND_LOOK_S):
            with contextlib.suppress(queue.Empty):
                return self._reports.get(timeout=patience_s)
        raise TimeoutError

    def close(self, wait_s: float) -> None:
        """Let the child end its notes and leave; kill it when that takes too long."""
        self._commands.put(leave())
        self._commands.put(None)
        try:
            self._process.wait(wait_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._reap()

    def exit_code(self) -> int:
        """How a child that reports no more has ended; it is given a moment to."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_EXIT_S)
        self._process.kill()
        return self._process.wait()

    def kill(self) -> None:
        """End the child without asking, if it still runs."""
        self._process.kill()
        self._commands.put(None)
        self._reap()

    def _reap(self) -> None:
        self._process.wait()
        for thread in self._threads:
            thread.join()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def _write(self) -> None:
        """Write commands; a full pipe blocks this thread and no other."""
        pipe = self._process.stdin
        assert pipe is not None
        try:
            for records in self._waiting():
                pipe.write(records)
        except OSError:
            return  # the child has ended; `_read` tells
        finally:
            pipe.close()

    def _waiting(self) -> Iterator[bytes]:
        """Commands as they come, those that wait together as one: between two writes the model may take its turn."""
        for command in iter(self._commands.get, None):
            records = build_command(command)
            while len(records) <= _ATOMIC_BYTES - RECORD_BYTES and not self._commands.empty():
                following = self._commands.get()
                if following is None:
                    yield records
                    return
                records += build_command(following)
            yield records

    def _read(self) -> None:
        pipe = self._process.stdout
        assert pipe is not None
        try:
            with open(pipe.fileno(), "rb", closefd=False) as lines:  # noqa: PTH123 - a descriptor has no path
                for line in lines:
                    self._reports.put(parse_report(line))
        except ValueError as error:
            self._reports.put(Failed(f"{error}: install Continuo anew"))
        self._reports.put(None)
