"""The MIDI port on a real JACK server, heard by an independent listener: nothing is lost and nothing hangs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bridge.channels import map_channels
from bridge.clock import MonotonicClock, TempoLine
from bridge.metrics import Metrics
from bridge.midi import SILENT_S, MidiOut, PortEvent, PortLost, PortOpened, PortStatus
from bridge.midi_records import note_off, note_on, panic
from bridge.port_open import PortRequest
from bridge.scheduler import Scheduler
from models.music.constants import PPQ
from models.music.score import Note, Part
from tests.fakes import MS, SECOND
from tests.integration.jack_server import MOST_TRIES, JackServer, Recorder, require_jack, xruns
from tests.integration.player import CHORD
from tests.wire import AHEAD_NS, PATIENCE_S, ROOT, happens, wait_until

pytestmark = pytest.mark.jack

BAND = [Part(program=33), Part(is_drum=True), Part(program=0), Part(program=48), Part(program=80)]


@pytest.fixture(autouse=True)
def _jack() -> None:
    require_jack()


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[Recorder]:
    recorder = Recorder(tmp_path / "heard")
    yield recorder
    recorder.close()


@pytest.fixture
def out() -> Iterator[MidiOut]:
    out = MidiOut(PortRequest(backend="jack"), Metrics())
    out.start()
    yield out
    out.stop()


def ready(out: MidiOut, recorder: Recorder) -> None:
    """Wait until notes will be heard."""
    wait_until(lambda: out.state.status is PortStatus.OPEN)
    recorder.wait_until_connected()


def hold_chord(out: MidiOut, recorder: Recorder) -> None:
    """Strike notes whose ends are an hour away until all are heard: a JACK that misses a period may lose one."""
    for _ in range(MOST_TRIES):
        now_ns = time.perf_counter_ns() + AHEAD_NS
        for pitch in CHORD:
            out.send(note_on(now_ns, 1, pitch, 2, pitch, 90))
            out.send(note_off(now_ns + 3600 * SECOND, 1, pitch, 2, pitch))
        if happens(lambda: len(recorder.heard().sounding) == len(CHORD), PATIENCE_S / MOST_TRIES):
            return
    pytest.fail(f"not all of {CHORD} were heard")


def unless_jack_missed_periods(attempt: Callable[[], bool]) -> None:
    """Try until it works; a failure counts only when the JACK server itself lost nothing meanwhile."""
    for _ in range(MOST_TRIES):
        before = xruns()
        if attempt():
            return
        assert xruns() > before, "messages were lost while JACK missed no period"
    pytest.fail(f"JACK missed periods in each of {MOST_TRIES} tries: run this on a quieter machine", pytrace=False)


def test_the_port_carries_our_name(out: MidiOut) -> None:
    wait_until(lambda: out.state.status is PortStatus.OPEN)
    listed = subprocess.run(["jack_lsp"], capture_output=True, text=True, check=True).stdout.split("\n")
    assert out.state.name in listed
    assert out.state.name.startswith("Continuo")


def test_a_band_of_five_is_heard_note_for_note(out: MidiOut, recorder: Recorder) -> None:
    ready(out, recorder)
    clock = MonotonicClock()
    scheduler = Scheduler(out, clock, Metrics())
    scheduler.open()
    notes = [
        Note(tick, part, 40 + 10 * part + tick // 120 % 7, 100, 1 + tick // 120 % 127)
        for tick in range(0, 6 * PPQ, 120)
        for part in range(len(BAND))
    ]

    def play() -> bool:
        before = recorder.heard()
        tag = len(before.ons) + 1
        scheduler.start(tag, TempoLine(clock.now_ns() + 200 * MS, 0, 140.0), map_channels(BAND))
        scheduler.add(tag, notes)
        scheduler.finish(tag)
        wait_until(lambda: not scheduler.snapshot().takes)
        time.sleep(0.3)  # the listener writes down what it heard every 50 ms
        after = recorder.heard()
        struck = after.ons[len(before.ons) :]
        channels = map_channels(BAND).channels
        return sorted(struck) == sorted((channels[note.part], note.pitch, note.velocity) for note in notes) and (
            not after.sounding
        )

    unless_jack_missed_periods(play)
    assert set(recorder.heard().programs) == {(0, 33), (1, 0), (2, 48), (3, 80)}
    scheduler.close()


def test_nothing_hangs_after_a_cancel(out: MidiOut, recorder: Recorder) -> None:
    ready(out, recorder)
    scheduler = Scheduler(out, MonotonicClock(), Metrics())
    scheduler.open()
    scheduler.start(1, TempoLine(time.perf_counter_ns() + AHEAD_NS, 0, 120.0), map_channels(BAND))
    scheduler.add(1, [Note(0, part, 60, 4000, 90) for part in range(len(BAND))])
    wait_until(lambda: len(recorder.heard().sounding) == len(BAND))
    scheduler.cancel(1)
    wait_until(lambda: len(recorder.heard().controls) == 3 * len(BAND))
    assert not recorder.heard().sounding
    scheduler.close()


def test_nothing_hangs_after_a_panic(out: MidiOut, recorder: Recorder) -> None:
    ready(out, recorder)
    hold_chord(out, recorder)
    out.send(panic())
    wait_until(lambda: not recorder.heard().sounding and len(recorder.heard().controls) == 3)


def test_nothing_hangs_after_the_port_is_stopped(out: MidiOut, recorder: Recorder) -> None:
    ready(out, recorder)
    hold_chord(out, recorder)
    out.stop()
    wait_until(lambda: not recorder.heard().sounding and len(recorder.heard().controls) == 3)
    assert recorder.heard().controls == [(2, 64, 0), (2, 123, 0), (2, 120, 0)]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_hangs_after_the_daemon_is_killed(recorder: Recorder, number: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.integration.player"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
    ) as daemon:
        assert daemon.stdin is not None
        assert daemon.stdout is not None
        assert daemon.stdout.readline().startswith(b"open")
        recorder.wait_until_connected()
        daemon.stdin.write(b"\n")
        daemon.stdin.flush()
        wait_until(lambda: len(recorder.heard().sounding) == len(CHORD))
        daemon.send_signal(number)
    wait_until(lambda: not recorder.heard().sounding and len(recorder.heard().controls) == 3)


def test_a_daemon_that_slept_finds_its_port_as_it_was(recorder: Recorder) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.integration.player"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
    ) as daemon:
        assert daemon.stdin is not None
        assert daemon.stdout is not None
        assert daemon.stdout.readline().startswith(b"open")
        recorder.wait_until_connected()
        daemon.send_signal(signal.SIGSTOP)
        time.sleep(1.5 * SILENT_S)
        daemon.send_signal(signal.SIGCONT)
        daemon.stdin.write(b"\n")
        daemon.stdin.flush()
        wait_until(lambda: len(recorder.heard().sounding) == len(CHORD))
        time.sleep(1.5 * SILENT_S)
        daemon.stdin.close()
        assert daemon.stdout.read() == b"", "a port opened again would be told"


def test_a_killed_child_is_replaced_and_its_notes_are_silenced(out: MidiOut, recorder: Recorder) -> None:
    ready(out, recorder)
    hold_chord(out, recorder)
    pid = out.state.child_pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    recorder.wait_until_connected(times=2)
    wait_until(lambda: not recorder.heard().sounding)
    hold_chord(out, recorder)


def test_a_jack_server_that_dies_is_noticed_and_its_successor_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JACK_DEFAULT_SERVER", JackServer.NAME)
    events: list[PortEvent] = []
    server = JackServer()
    server.start()
    out = MidiOut(PortRequest(backend="jack"), Metrics(), events.append)
    out.start()
    try:
        wait_until(lambda: out.state.status is PortStatus.OPEN)
        hour_ns = time.perf_counter_ns() + 3600 * SECOND
        out.send(note_on(time.perf_counter_ns(), 1, 1, 0, 60, 90))
        out.send(note_off(hour_ns, 1, 1, 0, 60))
        server.kill()
        wait_until(lambda: out.state.status is PortStatus.LOST)
        problems = [event.problem for event in events if isinstance(event, PortLost)]
        assert "is gone: start it again" in problems[0]
        server.start()
        wait_until(lambda: out.state.status is PortStatus.OPEN)
        recorder = Recorder(tmp_path / "heard")
        recorder.wait_until_connected()
        hold_chord(out, recorder)
        recorder.close()
        assert [type(event) for event in events].count(PortOpened) == 2
    finally:
        out.stop()
        server.kill()


def test_a_jack_server_that_freezes_never_freezes_the_daemon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JACK_DEFAULT_SERVER", JackServer.NAME)
    server = JackServer()
    server.start()
    out = MidiOut(PortRequest(backend="jack"), Metrics())
    out.start()
    try:
        wait_until(lambda: out.state.status is PortStatus.OPEN)
        server.freeze()
        due_ns = time.perf_counter_ns() + SECOND
        for note in range(6000):  # more than JACK's library keeps for a server that takes nothing
            out.send(note_on(due_ns, 1, note, 0, note % 128, 90))
        assert out.state.status is PortStatus.OPEN, "sending was quicker than the watch over the child"
        wait_until(lambda: out.state.status is PortStatus.LOST)
        server.thaw()
        wait_until(lambda: out.state.status is PortStatus.OPEN)
    finally:
        server.thaw()
        out.stop()
        server.kill()


def test_without_a_jack_server_the_cure_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JACK_DEFAULT_SERVER", "nobody")
    events: list[PortEvent] = []
    out = MidiOut(PortRequest(backend="jack"), Metrics(), events.append)
    out.start()
    wait_until(lambda: bool(events))
    out.stop()
    assert isinstance(events[0], PortLost)
    assert "start JACK" in events[0].problem
