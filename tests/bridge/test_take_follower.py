from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from bridge import take_follower
from bridge.daemon_process import DaemonProcess
from bridge.errors import ContinuoError
from bridge.osc_client import OscClient
from bridge.take_follower import TakeFollower, View
from models.music.score import Meter, Note, Part
from tests.fake_daemon import FakeDaemon
from tests.wire import ROOT

BAR = 1920
FAKE = (sys.executable, str(ROOT / "tests" / "fake_daemon.py"))


def follow(tmp_path: Path, bpm: float, *, is_heard: bool, lose: int = 0) -> tuple[list[View], TakeFollower]:
    """Everything seen of a take of one bar that repeats a bar of four notes."""
    notes = [Note(beat * 480, 0, 60 + beat, 240, 90) for beat in range(4)]
    with FakeDaemon(lose=lose) as fake, DaemonProcess([], tmp_path / "log", FAKE) as daemon:
        with OscClient(fake.address, "test") as client:
            client.hello()
            clip = client.send_clip([Part()], notes, BAR, Meter(0, 4, 4), bpm)
            asked_s = time.monotonic()
            req = client.generate(clip, 1, seed=0).integer("req")
            follower = TakeFollower(req, BAR, 2 * BAR, bpm, asked_s)
            return list(follower.follow(client, daemon, is_heard=is_heard)), follower


@pytest.mark.parametrize("lose", [0, 2])
def test_the_last_view_holds_the_whole_take_in_the_clips_ticks(tmp_path: Path, lose: int) -> None:
    views, _ = follow(tmp_path, 120.0, is_heard=False, lose=lose)
    assert [note.onset_tick for note in views[-1].notes] == [BAR, BAR + 480, BAR + 960, BAR + 1440]
    assert (views[-1].playhead_tick, views[-1].horizon_tick) == (None, 2 * BAR)


def test_what_is_heard_is_followed_until_it_has_sounded(tmp_path: Path) -> None:
    views, _ = follow(tmp_path, 960.0, is_heard=True)
    playheads = [view.playhead_tick for view in views[:-1] if view.playhead_tick is not None]
    assert playheads == sorted(playheads)
    assert playheads[-1] >= 2 * BAR


def test_the_first_note_comes_before_the_last(tmp_path: Path) -> None:
    _, follower = follow(tmp_path, 120.0, is_heard=False)
    latency = follower.latency()
    assert 0 < latency["first_note_ms"] <= latency["whole_take_ms"]
    assert latency["late"] == 0


def test_a_take_that_never_comes_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(take_follower, "PATIENCE_S", 0.1)
    with FakeDaemon() as fake, DaemonProcess([], tmp_path / "log", FAKE) as daemon:
        with OscClient(fake.address, "test") as client:
            client.hello()
            follower = TakeFollower(99, BAR, 2 * BAR, 120.0, time.monotonic())
            with pytest.raises(ContinuoError, match="no note came"):
                list(follower.follow(client, daemon, is_heard=False))


def test_a_daemon_that_ends_meanwhile_is_told(tmp_path: Path) -> None:
    with FakeDaemon() as fake, DaemonProcess([], tmp_path / "log", FAKE) as daemon:
        with OscClient(fake.address, "test") as client:
            client.hello()
            daemon.stop()
            follower = TakeFollower(99, BAR, 2 * BAR, 120.0, time.monotonic())
            with pytest.raises(ContinuoError, match="the daemon ended"):
                list(follower.follow(client, daemon, is_heard=False))
