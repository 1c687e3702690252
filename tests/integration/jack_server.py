"""JACK for tests: the server that `tests/with_jack.sh` started, one of our own to kill, and who listens there."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes import Synth
from tests.wire import ROOT, wait_until

MOST_TRIES = 4


def require_jack() -> None:
    """Skip where JACK is not installed; fail where it is and yet these tests run without it."""
    if os.environ.get("CONTINUO_JACK_LOG"):
        return
    if shutil.which("jackd") or os.environ.get("CONTINUO_REQUIRE_JACK"):
        pytest.fail("this test needs a JACK server: run it through `sh tests/with_jack.sh`", pytrace=False)
    pytest.skip("jackd is not installed")


def xruns() -> int:
    """Periods the JACK server has missed so far; each may have lost messages."""
    return Path(os.environ["CONTINUO_JACK_LOG"]).read_text(errors="replace").count("XRun")


class Recorder:
    """The independent listener in its own process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.integration.jack_recorder", str(path)],
            stdin=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=ROOT,
        )

    def lines(self) -> list[str]:
        return self._path.read_text().splitlines() if self._path.exists() else []

    def wait_until_connected(self, times: int = 1) -> None:
        """Wait until it has found Continuo's port, or found it again."""
        wait_until(lambda: self.lines().count("connected") >= times)

    def heard(self) -> Synth:
        """A synth that has played everything so far; not strict: JACK loses messages when it misses a period."""
        synth = Synth(is_strict=False)
        for line in self.lines():
            if line == "connected":
                continue
            message = tuple(bytes.fromhex(line.split()[1]))
            if message[0] & 0xF0 == 0xB0 and message[1] == 123:
                synth.sounding = {key for key in synth.sounding if key[0] != message[0] & 0x0F}
            synth.play(message)
        return synth

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class JackServer:
    """A JACK server of our own, in the same /dev/shm."""

    NAME = "continuo-mortal"

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        realtime = os.environ["CONTINUO_JACK_REALTIME"].split()
        self._process = subprocess.Popen(
            ["jackd", *realtime, "--name", self.NAME, "--port-max", "128", "-d", "dummy", "-p", "1024"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        listing = ["jack_lsp", "--server", self.NAME]
        wait_until(lambda: subprocess.run(listing, capture_output=True).returncode == 0)

    def kill(self) -> None:
        """End it without a word to its clients."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def freeze(self) -> None:
        """Stop it in the middle of whatever it does."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)
