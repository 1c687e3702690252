"""The daemon's life in this process: real socket, real threads, a model made of plain code, a file for a port."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import mido
import pytest

from bridge import cli
from bridge.config import Config
from bridge.daemon import Daemon
from bridge.errors import ErrorCode, PortError, ProtocolError
from bridge.osc_client import OscClient, TakeReader
from bridge.wire_table import State
from models import registry
from models.generator import Model
from models.music.score import Meter, Note, Part
from tests.fakes_generator import FixedModel, fixed_take
from tests.wire import wait_until

QUIET = Config(osc_port=0, midi="none", model="flagship")
PART = (Part(program=33),)


@pytest.fixture(autouse=True)
def model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "load", lambda name, device: FixedModel(name))


@pytest.fixture(autouse=True)
def _logging_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.log.setup", lambda level: None)


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        yield other.getsockname()[1]


def run(daemon: Daemon, visit: Callable[[OscClient], None]) -> None:
    """Run a daemon in this thread while a client visits it from another; the visit's failure is the test's."""
    failures: list[BaseException] = []

    def come() -> None:
        try:
            with OscClient(daemon.address, "visitor") as client:
                visit(client)
        except BaseException as error:
            failures.append(error)
        finally:
            daemon.stop()

    visitor = threading.Thread(target=come)
    visitor.start()
    try:
        daemon.run()
    finally:
        visitor.join()
    if failures:
        raise failures[0]


def is_ready(client: OscClient) -> bool:
    return client.ping()[0] is State.READY


def begin_take(client: OscClient, bars: int = 1) -> TakeReader:
    wait_until(lambda: is_ready(client))
    clip = client.send_clip(PART, [Note(0, 0, 40, 100, 90)], 1920, Meter(0, 4, 4), 120.0)
    return TakeReader(client.generate(clip, bars, seed=5).integer("req"))


def read(client: OscClient, take: TakeReader, count: int) -> None:
    """Receive until so many notes are there."""

    def is_there() -> bool:
        if message := client.poll(0.05):
            take.take_in(message)
        return len(take.notes()) >= count

    wait_until(is_there)


def test_a_take_comes_whole(tmp_path: Path) -> None:
    def visit(client: OscClient) -> None:
        take = begin_take(client)
        read(client, take, 8)
        assert take.notes() == fixed_take(1, [0], 5, 1920)

    run(Daemon(QUIET), visit)


def test_it_answers_at_once_while_the_model_is_still_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    may_load = threading.Event()

    def load(name: str, device: str) -> Model:
        assert may_load.wait(20)
        return FixedModel(name)

    monkeypatch.setattr(registry, "load", load)

    def visit(client: OscClient) -> None:
        try:
            assert client.ping()[0] is State.LOADING
            clip = client.send_clip(PART, [], 1920, Meter(0, 4, 4), 120.0)
            with pytest.raises(ProtocolError, match="still being loaded") as refused:
                client.generate(clip, 1)
            assert refused.value.code is ErrorCode.BUSY
        finally:
            may_load.set()
        wait_until(lambda: is_ready(client))
        client.generate(clip, 1)

    run(Daemon(QUIET), visit)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_order(tmp_path: Path, number: signal.Signals) -> None:
    path = tmp_path / "played.mid"
    handlers = [signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)]
    daemon = Daemon(replace(QUIET, record=path))
    port = daemon.address[1]

    def visit(client: OscClient) -> None:
        take = begin_take(client, bars=32)
        read(client, take, 8)
        wait_until(lambda: bool(daemon._scheduler.snapshot().takes))
        wait_until(lambda: daemon._scheduler.snapshot().takes[0].handed > 2)
        os.kill(os.getpid(), number)
        wait_until(lambda: not daemon._conductor.is_running)

    run(daemon, visit)
    assert [signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)] == handlers
    kinds = [each.type for each in mido.MidiFile(path).tracks[0]]
    assert kinds.count("note_on") == kinds.count("note_off") >= 1
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", port))


def test_a_second_interrupt_ends_it_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    may_load = threading.Event()
    monkeypatch.setattr(registry, "load", lambda name, device: (may_load.wait(20), FixedModel(name))[1])
    daemon = Daemon(QUIET)

    def visit(client: OscClient) -> None:
        client.ping()
        os.kill(os.getpid(), signal.SIGINT)
        wait_until(lambda: not daemon._conductor.is_running)
        wait_until(lambda: not daemon._scheduler._thread.is_alive())
        os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        run(daemon, visit)
    may_load.set()
    daemon._worker.stop()


def test_a_port_in_use_is_told_with_its_number(taken_port: int) -> None:
    with pytest.raises(PortError, match=f"UDP port {taken_port} on 127.0.0.1 is in use"):
        Daemon(replace(QUIET, osc_port=taken_port))


def test_a_recording_that_cannot_be_written_is_told_and_the_udp_port_given_back(
    tmp_path: Path, taken_port: int
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = replace(QUIET, osc_port=port, record=tmp_path / "nowhere" / "played.mid")
    with pytest.raises(PortError, match="the recording cannot be written .*choose another file with --record"):
        Daemon(config)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", port))


@pytest.mark.parametrize("fault", ["port", "record"])
def test_what_cannot_start_exits_with_3_and_one_sentence(
    fault: str, taken_port: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = {
        "port": ["--osc-port", str(taken_port)],
        "record": ["--osc-port", "0", "--record", str(tmp_path / "no" / "a.mid")],
    }
    with pytest.raises(SystemExit) as ended:
        cli.main(["serve", "--midi", "none", *options[fault]])
    assert ended.value.code == 3
    assert len(capsys.readouterr().err.strip()) > 40


@pytest.mark.parametrize("fault", ["missing", "corrupt", "no card"])
def test_a_model_that_cannot_be_loaded_leaves_a_daemon_that_says_so(
    fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.undo()
    monkeypatch.setattr("bridge.log.setup", lambda level: None)
    monkeypatch.setattr(registry, "WEIGHTS", tmp_path)
    shipped = Path(registry.__file__).parent / "weights" / "flagship.json"
    if fault != "no card" and shipped.exists():
        (tmp_path / "flagship.json").write_bytes(shipped.read_bytes())
    if fault != "missing":
        (tmp_path / "flagship.safetensors").write_bytes(b"no weights")

    def visit(client: OscClient) -> None:
        with contextlib.suppress(ProtocolError):  # why, where the client was there when it became known
            wait_until(lambda: client.ping()[0] is State.FAULT)
        assert client.ping()[0] is State.FAULT
        clip = client.send_clip(PART, [], 1920, Meter(0, 4, 4), 120.0)
        with pytest.raises(ProtocolError) as refused:
            client.generate(clip, 1)
        assert refused.value.code is ErrorCode.MODEL_FAULT

    run(Daemon(QUIET), visit)
    assert re.search(r"flagship.*(restore|missing)", caplog.text)


def test_what_fails_while_it_starts_still_gives_everything_back(monkeypatch: pytest.MonkeyPatch) -> None:
    daemon = Daemon(QUIET)
    monkeypatch.setattr(daemon._midi, "start", lambda: (_ for _ in ()).throw(OSError("no processes left")))
    with pytest.raises(OSError, match="no processes left"):
        daemon.run()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(daemon.address)
