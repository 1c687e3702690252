"""However the daemon or what it plays into ends, no note hangs. Each test has a daemon of its own."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import mido
import pytest

from tests.integration.daemon.band import play_long, send_band
from tests.integration.daemon.served import Served
from tests.integration.daemon.tape import Tape, unless_jack_missed_periods
from tests.integration.jack_server import JackServer, require_jack
from tests.wire import wait_until

pytestmark = pytest.mark.jack

MIDI_FAULT = 8


@pytest.fixture(autouse=True)
def _jack() -> None:
    require_jack()


@pytest.fixture
def tape(tmp_path: Path) -> Iterator[Tape]:
    with Tape(tmp_path / "heard") as tape:
        yield tape


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder that holds 64 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("only root may make a small disk")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Take all the space there is; the file that does."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 512)
        except OSError:
            return filler


def recorded(path: Path) -> tuple[int, int]:
    """(note-ons, note-offs) in a recording."""
    kinds = [each.type for each in mido.MidiFile(path).tracks[0]]
    return kinds.count("note_on"), kinds.count("note_off")


def test_a_full_disk_is_told_and_sigterm_ends_every_note_in_port_and_recording(
    tmp_path: Path, tape: Tape, small_disk: Path
) -> None:
    recording = small_disk / "played.mid"
    with Served(tmp_path, {"record": str(recording)}) as served, served.client() as client:
        tape.wait_until_connected()
        play_long(client, tape)
        filler = fill(small_disk)
        client.until(lambda: "the recording cannot be written" in served.log())
        assert "No space left on device" in served.log()
        assert "free some space there" in served.log()
        struck = len(tape.ons())
        client.until(lambda: len(tape.ons()) > struck)
        filler.unlink()
        client.until(lambda: recorded(recording)[0] >= struck)
        client.until(lambda: bool(tape.hanging()))
        assert served.end(signal.SIGTERM) == 0
    wait_until(lambda: bool(tape.quietened()) and not tape.hanging())
    ons, offs = recorded(recording)
    assert ons == offs >= struck
    assert [path.name for path in small_disk.iterdir()] == ["played.mid"]


def test_a_daemon_that_is_killed_leaves_no_note(tmp_path: Path, tape: Tape) -> None:
    with Served(tmp_path) as served, served.client() as client:
        tape.wait_until_connected()

        def play() -> None:
            play_long(client, tape)

        unless_jack_missed_periods(play)
        child = served.midi_child()
        assert child is not None
        assert served.end(signal.SIGKILL) == -signal.SIGKILL
        wait_until(lambda: bool(tape.quietened()) and not tape.hanging())
        wait_until(lambda: not Path(f"/proc/{child}").exists())


def test_jack_may_come_late_die_and_come_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JACK_DEFAULT_SERVER", JackServer.NAME)
    server = JackServer()
    try:
        with Served(tmp_path) as served, served.client() as client:
            unheard = client.generate(send_band(client), bars=64, seed=3)
            assert "start JACK" in client.wait_for("error", "/continuo/status", MIDI_FAULT)[2]
            client.until(lambda: len(client.take(unheard)) > 0)
            server.start()
            with Tape(tmp_path / "first") as tape:
                client.until(lambda: tape.connections > 0)
                req = play_long(client, tape)
                server.kill()
                told = len(client.take(req))
                client.until(lambda: len(client.take(req)) > told)
                client.until(lambda: "is gone: start it again" in served.log())
            server.start()
            with Tape(tmp_path / "second") as again:
                client.until(lambda: again.connections > 0)
                play_long(client, again)
                assert served.end(signal.SIGTERM) == 0
                wait_until(lambda: bool(again.quietened()) and not again.hanging())
    finally:
        server.kill()
