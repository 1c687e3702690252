"""`continuo serve` as a process of its own, with the model that is shipped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import yaml

from bridge.daemon_process import free_udp_port
from tests.integration.daemon.liblo import Liblo
from tests.wire import ROOT

CLIENT_TIMEOUT_S = 3.0
LOADING, READY = 0, 1
LEAVING_S = 20.0


class Served:
    """One daemon; a context manager that ends it in order and requires that it does."""

    def __init__(
        self, folder: Path, settings: Mapping[str, object] = MappingProxyType({}), jack_server: str | None = None
    ) -> None:
        self.port = free_udp_port()
        self._folder = folder
        self._log_path = folder / "daemon.log"
        config = {"client_timeout_s": CLIENT_TIMEOUT_S, "midi": "jack", "osc_port": self.port, **settings}
        config_path = folder / "daemon.yaml"
        config_path.write_text(yaml.safe_dump(config))
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        if jack_server is not None:
            environment["JACK_DEFAULT_SERVER"] = jack_server
        with self._log_path.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "bridge", "serve", "--config", str(config_path)],
                stderr=log,
                env=environment,
            )
        self._last_id = 100

    def __enter__(self) -> Served:
        try:
            with self.client() as client:
                client.until(lambda: client.ping(len(client.told("pong"))) != LOADING)
                assert client.ping(-1) == READY
        except AssertionError as error:
            self._process.kill()
            self._process.wait()
            raise AssertionError(f"the daemon is not ready: {self.log()}") from error
        return self

    def __exit__(self, *error: object) -> None:
        if self._process.poll() is None:
            assert self.end(signal.SIGTERM) == 0, self.log()

    def client(self) -> Liblo:
        """A new client of it."""
        self._last_id += 1
        return Liblo(self._folder, self.port, self._last_id)

    def end(self, number: signal.Signals) -> int:
        """End it by a signal; its exit code."""
        self._process.send_signal(number)
        return self._process.wait(LEAVING_S)

    def log(self) -> str:
        """What it has logged so far."""
        return self._log_path.read_text(errors="replace")

    def midi_child(self) -> int | None:
        """The process id of its MIDI child, while there is one."""
        tasks = Path(f"/proc/{self._process.pid}/task").glob("*/children")
        children = [int(pid) for task in tasks for pid in task.read_text().split()]
        return children[0] if children else None
