"""A daemon as a process of its own, for the demo and the benchmark. It ends when its owner does, however that ends."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from bridge.errors import ContinuoError
from bridge.osc_client import NoAnswer, OscClient
from bridge.protocol import Sender
from bridge.wire_table import State

HOST = "127.0.0.1"
STARTING_S = 180.0  # a large model on a slow disk
LEAVING_S = 5.0
PACKAGES = Path(__file__).parent.parent
SERVE = (sys.executable, "-P", "-m", "bridge", "serve")


class DaemonProcess:
    """`continuo serve` on a free port; a context manager. What it logs goes to `log_path`."""

    def __init__(self, arguments: Sequence[str], log_path: Path, command: Sequence[str] = SERVE) -> None:
        """Start it; it is not ready yet.

        Raises:
            OSError: the process or its log could not be made.
        """
        self.address: Sender = (HOST, free_udp_port())
        self.log_path = log_path
        self._log = log_path.open("wb")
        self._process = subprocess.Popen(  # noqa: S603 - our own command line, arguments from our own options
            [*command, "--osc-port", str(self.address[1]), "--stop-at-eof", *arguments],
            stdin=subprocess.PIPE,  # nothing is written to it: its end tells the daemon that its owner is gone
            stdout=self._log,
            stderr=subprocess.STDOUT,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, [str(PACKAGES), os.getenv("PYTHONPATH")]))},
            start_new_session=True,  # Ctrl-C reaches the owner alone, which then ends the daemon in order
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def log(self) -> str:
        """What it has logged so far."""
        return self.log_path.read_text(errors="replace")

    def wait_ready(self, client: OscClient, on_wait: Callable[[State | None], None] = lambda state: None) -> None:
        """Wait until the model is loaded; `on_wait` hears what it waits for, several times a second.

        Raises:
            ContinuoError: the daemon ended, its model failed, or it took longer than `STARTING_S`.
        """
        deadline_s = time.monotonic() + STARTING_S
        state: State | None = None
        while state in (None, State.LOADING):
            self.check_alive()
            if time.monotonic() > deadline_s:
                raise ContinuoError(f"the daemon was not ready after {STARTING_S:.0f} s; see {self.log_path}")
            on_wait(state)
            try:
                state, _ = client.ping(tries=1)
            except NoAnswer:
                continue
            if state is State.LOADING:
                time.sleep(0.05)
        if state is State.FAULT:
            raise ContinuoError(f"the daemon has a fault: {self._last_line()}")

    def check_alive(self) -> None:
        """Tell why it ended, if it did.

        Raises:
            ContinuoError: with the last line it logged.
        """
        if self._process.poll() is not None:
            raise ContinuoError(f"the daemon ended (code {self._process.returncode}): {self._last_line()}")

    def stop(self) -> None:
        """End it: ask by signal, then by force. Any number of times."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(LEAVING_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._log.close()

    def _last_line(self) -> str:
        lines = [line for line in self.log().splitlines() if line.strip()]
        return lines[-1] if lines else f"it logged nothing to {self.log_path}"


def free_udp_port() -> int:
    """A UDP port on this machine that nobody uses now."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
