from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bridge.daemon_process import DaemonProcess
from bridge.errors import ContinuoError
from bridge.osc_client import OscClient
from bridge.wire_table import State
from tests.fake_daemon import FakeDaemon
from tests.wire import ROOT, wait_until

FAKE = (sys.executable, str(ROOT / "tests" / "fake_daemon.py"))


def test_it_is_ready_to_play_and_gone_afterwards(tmp_path: Path) -> None:
    with DaemonProcess([], tmp_path / "log", FAKE) as daemon, OscClient(daemon.address, "test") as client:
        daemon.wait_ready(client)
        assert client.hello().text("model") == "echo"
        assert "MIDI port Fake:Continuo open" in daemon.log()
        pid = daemon.pid
    assert not Path(f"/proc/{pid}").exists() or sys.platform != "linux"


def test_a_daemon_that_ends_at_once_is_told_with_its_last_words(tmp_path: Path) -> None:
    command = (sys.executable, "-c", "import sys; sys.exit('continuo: the port is taken; choose another')")
    with DaemonProcess([], tmp_path / "log", command) as daemon, OscClient(daemon.address, "test") as client:
        with pytest.raises(ContinuoError, match="the port is taken; choose another"):
            daemon.wait_ready(client)


def test_a_daemon_that_says_nothing_points_to_its_log(tmp_path: Path) -> None:
    with DaemonProcess([], tmp_path / "log", (sys.executable, "-c", "pass")) as daemon:
        with OscClient(daemon.address, "test") as client, pytest.raises(ContinuoError, match="it logged nothing"):
            daemon.wait_ready(client)


def test_it_waits_while_the_model_is_loading(tmp_path: Path) -> None:
    heard: list[State | None] = []
    states = (State.LOADING, State.LOADING, State.READY)
    with FakeDaemon(states=states) as fake, DaemonProcess([], tmp_path / "log", FAKE) as daemon:
        with OscClient(fake.address, "test") as client:
            daemon.wait_ready(client, heard.append)
    assert State.LOADING in heard


def test_a_model_that_cannot_be_loaded_is_told(tmp_path: Path) -> None:
    with FakeDaemon(states=(State.FAULT,)) as fake, DaemonProcess([], tmp_path / "log", FAKE) as daemon:
        with OscClient(fake.address, "test") as client, pytest.raises(ContinuoError, match="the daemon has a fault"):
            daemon.wait_ready(client)


def test_it_does_not_outlive_an_owner_that_is_killed(tmp_path: Path) -> None:
    owner = (
        "import sys; from pathlib import Path; from bridge.daemon_process import DaemonProcess\n"
        f"daemon = DaemonProcess([], Path({str(tmp_path / 'log')!r}), {FAKE!r})\n"
        "print(daemon.pid, flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", owner], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        wait_until(lambda: "open" in (tmp_path / "log").read_text())
        process.kill()
    wait_until(lambda: not is_running(pid))


def is_running(pid: int) -> bool:
    """Whether a process lives; one that only waits to be collected does not."""
    status = Path(f"/proc/{pid}/status")
    try:
        return "State:\tZ" not in status.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
