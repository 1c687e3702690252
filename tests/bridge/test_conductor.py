"""Every event the main thread handles, and every effect it executes."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.conductor import DEFECT, NO_MODEL, Stop, TakeOver
from bridge.effects import ClientKey
from bridge.errors import ErrorCode
from bridge.jobs import Ended, Failed, Made, ModelFailed, ModelReady
from bridge.midi import LateNotes, PortLost, PortOpened, PortState, PortStatus
from bridge.protocol import Refused
from bridge.recorder import Recorder
from bridge.timeline import TakeState
from bridge.wire_table import MAX_TICK, State
from models.music.score import Note
from tests.bridge.house import CHORD, READY, YOU, House
from tests.bridge.talk import BAR, ME, SENDER, clip_messages, message, scale_of
from tests.fakes import MS, SECOND, ManualClock


@pytest.fixture
def house() -> House:
    return House()


def test_a_clip_is_absorbed_as_soon_as_it_is_whole(house: House) -> None:
    house.send_clip()
    assert house.worker.taken() == [("prefill", ClientKey(ME))]


def test_a_take_is_begun_told_made_and_ended(house: House) -> None:
    house.send_clip()
    assert house.say("generate", 9, 1, 4, 0, 5, -1) == [("take/begin", (9, 4, 1, 5, -1))]
    [job] = house.worker.jobs
    assert (job.bars, job.seed, job.parts, job.limit_tick()) == (4, 5, frozenset({0}), 4 * BAR)
    house.conductor.handle(Made(job.tag, CHORD, 480))
    assert [name for name, _ in house.told()] == ["take/notes"]
    house.conductor.handle(Ended(job.tag))
    assert house.told() == [("take/end", (9, 1, 2, 0))]
    house.wait(10 * SECOND)
    house.conductor.handle(TakeOver(house.over[0]))
    assert house.told() == []
    assert house.say("ping", 1) == [("pong", (1, State.READY))]


def test_a_seed_that_nobody_gave_is_drawn_and_told(house: House) -> None:
    house.send_clip()
    [(_, values)] = house.say("generate", 1, 1, 4, 0, -1, -1)
    assert values[3] == house.worker.jobs[0].seed == House().conductor._random.randrange(2**31 - 1)


def test_late_notes_are_told_when_the_take_has_fallen_silent(house: House) -> None:
    tag = house.play()
    house.conductor.handle(LateNotes(tag, 3))
    house.conductor.handle(Ended(tag))
    assert house.told()[-1] == ("take/end", (1, 1, 2, 3))
    house.conductor.handle(TakeOver(TakeState(tag, 0, 0, late=1, dropped=6)))
    assert house.told()[-1] == ("take/end", (1, 1, 2, 7))


def test_a_take_that_fails_is_told_and_silent(house: House) -> None:
    tag = house.play()
    house.conductor.handle(Failed(tag, "the model failed: try again"))
    assert house.told() == [("error", ("/continuo/generate", ErrorCode.MODEL_FAULT, "the model failed: try again"))]
    assert house.is_silent


def test_events_of_a_take_that_is_over_are_let_go(house: House) -> None:
    tag = house.play()
    house.say("cancel", 1)
    for event in (Made(tag, CHORD, 480), Ended(tag), Failed(tag, "no"), LateNotes(tag, 3)):
        house.conductor.handle(event)
    assert house.told() == []


def test_cancel_ends_making_and_sound(house: House) -> None:
    tag = house.play()
    assert house.say("cancel", 1) == [("take/end", (1, 1, 2, 0))]
    assert house.worker.taken() == [("cancel", tag)]
    assert house.is_silent


def test_a_newer_take_ends_the_making_of_the_older(house: House) -> None:
    older = house.play()
    newer = house.take(2)
    assert newer != older
    assert house.is_silent


def test_the_older_take_is_cancelled_before_the_newer_is_begun(house: House) -> None:
    older = house.play()
    assert house.say("generate", 2, 1, 4, 0, 5, -1) == [
        ("take/end", (1, 1, 2, 0)), ("take/begin", (2, 4, 1, 5, -1))
    ]  # fmt: skip
    assert house.worker.taken() == [("cancel", older), ("begin", older + 1)]


def test_panic_silences_everybody(house: House) -> None:
    tags = [house.play(by=ME), house.play(by=YOU)]
    told = house.say("panic")
    assert [name for name, _ in told] == ["take/end", "take/end", "status"]
    assert house.worker.taken() == [("cancel", tag) for tag in tags]
    assert house.is_silent


def test_bye_silences_and_forgets_its_client_alone(house: House) -> None:
    mine = house.play(by=ME)
    house.play(by=YOU)
    house.say("bye")
    assert house.worker.taken() == [("cancel", mine), ("forget", ClientKey(ME))]
    house.wait(MS)
    assert house.port.synth.sounding


def test_a_client_that_falls_silent_is_ended_by_time(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = 100.0
    monkeypatch.setattr("bridge.conductor.time.monotonic", lambda: now_s)
    house.say("hello", 9001, 1, "Live")
    tag = house.play()
    now_s = 109.0
    house.conductor.tick()
    assert not house.is_silent
    now_s = 111.0
    house.conductor.tick()
    assert house.worker.taken() == [("cancel", tag)]
    assert house.is_silent


def test_a_client_that_returns_does_not_find_the_transport_it_left(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A take asked for after a return waited for a bar line of a host that had long been gone."""
    now_s = 100.0
    monkeypatch.setattr("bridge.conductor.time.monotonic", lambda: now_s)
    house.say("hello", 9001, 1, "Live")
    house.send_clip()
    house.say("transport", 1, 0, 120.0, 4, 4)
    now_s = 120.0
    house.conductor.tick()
    assert house.say("generate", 1, 1, 4, 0, 5, -1) == [("take/begin", (1, 4, 1, 5, -1))]


def test_a_playing_host_gives_the_bar_line_and_a_stopped_one_the_silence(house: House) -> None:
    house.send_clip()
    house.say("transport", 1, 10 * BAR + 5, 120.0, 4, 4)
    assert house.say("generate", 1, 1, 4, 0, 5, -1) == [("take/begin", (1, 4, 1, 5, 11 * BAR))]
    house.conductor.handle(Made(house.worker.jobs[0].tag, CHORD, 480))
    house.wait(SECOND)
    assert house.port.synth.ons == []
    house.wait(2 * SECOND)
    assert len(house.port.synth.ons) == 2
    house.say("transport", 1, 10 * BAR + 5 + 6 * 480, 60.0, 4, 4)
    house.wait(MS)
    assert house.port.synth.sounding
    house.say("transport", 0, 0, 60.0, 4, 4)
    assert house.is_silent
    house.conductor.handle(TakeOver(house.over[0]))
    house.told()
    house.conductor.handle(Made(house.worker.jobs[0].tag, CHORD, 960))
    assert [name for name, _ in house.told()] == ["take/notes"], "it is made on for OSC"


def test_figures_come_once_a_beat_and_as_an_answer(house: House) -> None:
    house.play()
    house.conductor.tick()
    assert [name for name, _ in house.told()] == ["status"]
    house.conductor.tick()
    assert house.told() == []
    assert house.say("transport", 0, 0, 120.0, 4, 4) == [("status", (State.GENERATING, 480, 0, 0, 0))]


def test_a_horizon_beyond_the_wires_range_is_told_as_its_end(house: House) -> None:
    house.say("transport", 1, MAX_TICK, 120.0, 4, 4)
    house.conductor.handle(Made(house.take(), CHORD, 4800))
    house.told()
    assert house.say("transport", 1, MAX_TICK, 120.0, 4, 4)[0][1][1] == MAX_TICK


def test_a_silent_port_is_told_with_each_take_that_should_sound(house: House) -> None:
    house.port_state = PortState(PortStatus.ABSENT, problem="no port: make one")
    house.send_clip()
    told = house.say("generate", 1, 1, 4, 0, 5, -1)
    assert told[1] == ("error", ("/continuo/status", ErrorCode.MIDI_FAULT, "no port: make one"))
    house.say("set", "out", 2)
    assert [name for name, _ in house.say("generate", 2, 1, 4, 0, 5, -1)] == ["take/end", "take/begin"]


def test_a_port_that_is_lost_is_told_to_everybody_who_is_there(house: House) -> None:
    for by in (ME, YOU):
        house.say("ping", 1, by=by)
    house.conductor.handle(PortLost("gone: start it"))
    assert house.told() == [("error", ("/continuo/status", ErrorCode.MIDI_FAULT, "gone: start it"))] * 2


def test_a_port_that_is_opened_again_is_told_every_program(house: House) -> None:
    house.play()
    before = len(house.port.synth.programs)
    assert before == 1
    house.conductor.handle(PortOpened(PortState(PortStatus.OPEN)))
    house.conductor.handle(Made(house.worker.jobs[0].tag, (Note(1920, 0, 72, 100, 90),), 1921))
    house.wait(2 * SECOND)
    assert len(house.port.synth.programs) == 2


def test_another_model_is_loaded_and_meanwhile_nothing_is_made(house: House) -> None:
    house.send_clip()
    assert [name for name, _ in house.say("set", "model", "other")] == ["value"]
    assert house.worker.taken()[-1] == ("load", "other")
    assert house.say("ping", 1) == [("pong", (1, State.LOADING))]
    assert house.say("generate", 1, 1, 4, 0, 5, -1)[0][1][1] == ErrorCode.BUSY
    house.conductor.handle(ModelReady("other", READY.spec))
    assert house.say("ping", 2) == [("pong", (2, State.READY))]
    assert house.say("get", "model")[0][1][1] == "other"


def test_it_is_loading_until_the_last_of_several_models_is_there(house: House) -> None:
    """Two models chosen in a row: the first one's arrival let takes begin that the second one's then broke off."""
    house.say("set", "model", "other")
    house.say("set", "model", "fixed")
    house.conductor.handle(ModelReady("other", READY.spec))
    assert house.say("ping", 1) == [("pong", (1, State.LOADING))]
    assert house.say("get", "model")[0][1][1] == "fixed"
    house.conductor.handle(READY)
    assert house.say("ping", 2) == [("pong", (2, State.READY))]


def test_a_model_that_cannot_be_loaded_is_told_and_the_one_before_plays_on(house: House) -> None:
    house.say("set", "model", "other")
    house.conductor.handle(ModelFailed("other", "the file is gone: restore it", has_model=True))
    assert house.told() == [("error", ("/continuo/set", ErrorCode.MODEL_FAULT, "the file is gone: restore it"))]
    assert house.say("ping", 1) == [("pong", (1, State.READY))]
    assert house.say("get", "model")[0][1][1] == "fixed"
    house.worker.taken()
    house.say("set", "model", "other")
    assert house.worker.taken() == [("load", "other")], "it can be tried again"


def test_without_any_model_the_daemon_is_at_fault_and_answers_and_the_model_can_be_tried_again() -> None:
    house = House(is_ready=False)
    house.send_clip()
    assert house.say("ping", 1) == [("pong", (1, State.LOADING))]
    house.conductor.handle(ModelFailed("fixed", "the file is gone: restore it", has_model=False))
    house.told()
    assert house.say("ping", 2) == [("pong", (2, State.FAULT))]
    assert house.say("generate", 1, 1, 4, 0, 5, -1)[0][1][1] == ErrorCode.MODEL_FAULT
    assert house.say("get", "model")[0][1][1] == NO_MODEL
    house.worker.taken()
    house.say("set", "model", "fixed")
    assert house.worker.taken() == [("load", "fixed")]
    house.conductor.handle(READY)
    assert house.say("ping", 3) == [("pong", (3, State.READY))]


def test_what_was_refused_is_answered(house: House) -> None:
    house.conductor.handle(Refused("/continuo/play", ErrorCode.UNKNOWN_ADDRESS, "no such thing: see", None, SENDER))
    assert house.told() == [("error", ("/continuo/play", ErrorCode.UNKNOWN_ADDRESS, "no such thing: see"))]


def test_a_defect_in_one_event_is_logged_and_answered_and_the_next_event_works(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    house.socket.breaks_at = "pong"
    assert house.say("ping", 1) == [("error", ("/continuo/ping", ErrorCode.MODEL_FAULT, DEFECT))]
    assert "a defect of ours" in caplog.text
    house.socket.breaks_at = ""
    assert house.say("ping", 2) == [("pong", (2, State.READY))]


def test_a_defect_in_what_time_asks_for_is_logged(house: House, caplog: pytest.LogCaptureFixture) -> None:
    house.play()
    house.socket.breaks_at = "status"
    house.conductor.tick()
    assert "a defect of ours" in caplog.text


def test_stop_stops(house: House) -> None:
    assert house.conductor.is_running
    house.conductor.handle(Stop())
    assert not house.conductor.is_running


def test_a_recording_knows_the_tempo_of_a_take_on_a_stopped_transport(tmp_path: Path) -> None:
    """It was told only of takes in a playing host: others were recorded at 120 beats a minute."""
    path = tmp_path / "played.mid"
    recorder = Recorder(path, ManualClock())
    house = House(recorder)
    messages = clip_messages(1, scale_of(4))
    house.hear(message("clip/begin", ME, 1, 4, BAR, 4, 4, 90.0))
    for each in messages[1:]:
        house.hear(each)
    house.say("generate", 1, 1, 4, 0, 5, -1)
    house.conductor.handle(Made(house.worker.jobs[0].tag, CHORD, 480))
    recorder.close()
    assert b"\xff\x51\x03" + round(60e6 / 90).to_bytes(3, "big") in path.read_bytes()
