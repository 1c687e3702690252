from __future__ import annotations

import pytest

from bridge.controls import BY_NAME, NAMES, Output
from bridge.effects import (
    Cancel,
    ClientKey,
    ControlChanged,
    Generate,
    Panic,
    Prefill,
    Reply,
    ReportStatus,
    Supersede,
    Transport,
    TransportChanged,
)
from bridge.errors import ErrorCode
from bridge.wire_table import State
from models.music.score import Meter, Note
from tests.bridge.talk import (
    BAR,
    ME,
    SENDER,
    Talk,
    clip_messages,
    error_codes,
    generate,
    hello,
    message,
    others,
    scale_of,
    told,
)

KEY = ClientKey(ME)
PORT = ("127.0.0.1", 9001)
OTHER = 88


@pytest.fixture
def talk() -> Talk:
    return Talk()


class TestTransportAndControls:
    def test_the_hosts_position_is_passed_on_and_answered_with_a_status(self, talk: Talk) -> None:
        effects = talk.say("transport", 1, 3840, 121.5, 3, 4)
        transport = Transport(True, 3840, 121.5, Meter(0, 3, 4))
        assert effects == [TransportChanged(KEY, transport), ReportStatus(KEY, SENDER)]
        assert talk.session.transport(KEY) == transport
        assert talk.session.transport(ClientKey(5)) is None

    def test_a_control_is_set_told_and_kept_per_client(self, talk: Talk) -> None:
        effects = talk.say("set", "temperature", 1.5)
        assert others(effects) == [ControlChanged(KEY, "temperature", 1.5)]
        assert told(effects) == [("value", ("temperature", 1.5, 0.1, 4.0))]
        assert talk.say("set", "temperature", 1.5) == effects[1:], "again: told, and nothing done"
        assert told(talk.say("get", "temperature", by=OTHER)) == [
            ("value", ("temperature", BY_NAME["temperature"].default, 0.1, 4.0))
        ]
        assert talk.session.controls(KEY).for_model.temperature == 1.5
        assert talk.session.controls(ClientKey(5)).for_model.temperature == BY_NAME["temperature"].default

    @pytest.mark.parametrize(
        ("name", "value", "code"),
        [
            ("temperature", 9.0, ErrorCode.OUT_OF_RANGE),
            ("temperature", "hot", ErrorCode.WRONG_ARGUMENT),
            ("warmth", 1.0, ErrorCode.WRONG_ARGUMENT),
            ("density", 2.0, ErrorCode.UNSUPPORTED),
            ("model", "bach", ErrorCode.OUT_OF_RANGE),
        ],
    )
    def test_a_wrong_setting_is_refused_and_the_old_stays(
        self, talk: Talk, name: str, value: float | str, code: ErrorCode
    ) -> None:
        before = talk.say("get", "*")
        effects = talk.say("set", name, value)
        assert (error_codes(effects), others(effects)) == ([("/continuo/set", code)], [])
        assert talk.say("get", "*") == before

    def test_all_controls_are_listed(self, talk: Talk) -> None:
        assert [values[0] for _, values in told(talk.say("get", "*"))] == list(NAMES)

    def test_the_model_is_everybodys(self, talk: Talk) -> None:
        effects = talk.say("set", "model", "rnn")
        assert others(effects) == [ControlChanged(KEY, "model", "rnn")]
        assert told(effects) == [("value", ("model", "rnn", "gpt|rnn", ""))]
        assert told(talk.say("get", "model", by=OTHER)) == told(effects)
        assert others(talk.say("set", "model", "rnn")) == []

    def test_a_model_that_cannot_be_loaded_is_told_and_put_back(self, talk: Talk) -> None:
        talk.say("set", "model", "rnn")
        talk.session.model = "gpt"
        effects = talk.session.fail(KEY, "/continuo/set", ErrorCode.MODEL_FAULT, "no weights; install them")
        assert told(effects) == [("error", ("/continuo/set", 7, "no weights; install them"))]
        assert talk.session.model == "gpt"
        assert talk.session.fail(ClientKey(5), "/continuo/set", ErrorCode.MODEL_FAULT, "nobody there") == []

    def test_a_scale_changes_two_controls(self, talk: Talk) -> None:
        assert error_codes(talk.say("scale", 2, 2741)) == [("/continuo/scale", ErrorCode.UNSUPPORTED)]
        effects = talk.say("scale", 2, 0)
        assert others(effects) == [ControlChanged(KEY, "scale_root", 2)]
        assert [values[:2] for _, values in told(effects)] == [("scale_root", 2), ("scale_mask", 0)]


class TestClips:
    def test_a_whole_clip_is_ready_and_prefilled_once(self, talk: Talk) -> None:
        effects = talk.send_clip(1, scale_of(40))
        assert told(effects) == [("clip/ready", (1, 40))]
        [prefill] = others(effects)
        assert isinstance(prefill, Prefill)
        assert prefill.clip.notes == tuple(scale_of(40))
        assert others(talk.send_clip(1, scale_of(40))) == []

    def test_what_never_comes_is_asked_for_by_time(self, talk: Talk) -> None:
        messages = clip_messages(1, scale_of(40))
        for spoken in messages[:2]:
            talk.hear(spoken)
        assert told(talk.hear(messages[-1])) == [("clip/need", (1, 0)), ("clip/need", (1, 1))]
        answers = told(talk.wait(10.0))
        assert answers.count(("clip/need", (1, 0))) == 4
        assert answers[-1][1][:2] == ("/continuo/clip/end", ErrorCode.NOT_FOUND)

    def test_a_contradiction_is_refused_under_its_own_address(self, talk: Talk) -> None:
        talk.send_clip(1, scale_of(4))
        effects = talk.say("clip/begin", 1, 9, BAR, 4, 4, 120.0)
        assert error_codes(effects) == [("/continuo/clip/begin", ErrorCode.WRONG_ARGUMENT)]


class TestTakes:
    def test_a_generate_becomes_a_request_and_a_take_is_told_as_it_goes(self, talk: Talk) -> None:
        talk.send_clip(1, scale_of(4), parts=(0, 2))
        [effect] = generate(talk, 5, parts=0b100, seed=9)
        assert isinstance(effect, Generate)
        request = effect.request
        assert (effect.client, request.req, request.clip.req, request.parts, request.seed) == (KEY, 5, 1, {2}, 9)
        session = talk.session
        notes = scale_of(33)
        assert told(session.take_begun(KEY, 5, 8, request.parts, 9, 7680)) == [("take/begin", (5, 8, 4, 9, 7680))]
        effects = session.take_notes(KEY, 5, notes)
        assert told(effects) == [("take/notes", (5, 0)), ("take/notes", (5, 1))]
        assert [note for each in effects if isinstance(each, Reply) for note in each.notes] == notes
        assert told(session.take_ended(KEY, 5, 1)) == [("take/end", (5, 2, 33, 1))]
        assert told(talk.say("take/need", 5, 1)) == [("take/notes", (5, 1))]
        assert error_codes(talk.say("take/need", 5, 2)) == [("/continuo/take/need", ErrorCode.OUT_OF_RANGE)]
        assert error_codes(talk.say("take/need", 6, 0)) == [("/continuo/take/need", ErrorCode.NOT_FOUND)]

    def test_the_same_generate_twice_begins_one_take(self, talk: Talk) -> None:
        talk.send_clip(1, scale_of(4))
        generate(talk, 5)
        assert generate(talk, 5) == []
        begun = talk.session.take_begun(KEY, 5, 8, {0}, 9, -1)
        assert generate(talk, 5) == begun
        ended = talk.session.take_ended(KEY, 5, 0)
        assert generate(talk, 5) == begun + ended

    def test_a_number_used_for_something_else_is_refused(self, talk: Talk) -> None:
        talk.send_clip(1, scale_of(4))
        generate(talk, 5)
        for again in (generate(talk, 5, bars=4), generate(talk, 4)):
            assert (error_codes(again), others(again)) == ([("/continuo/generate", ErrorCode.WRONG_ARGUMENT)], [])

    def test_a_newer_take_supersedes_the_older(self, talk: Talk) -> None:
        talk.send_clip(1, scale_of(4))
        generate(talk, 5)
        talk.session.take_notes(KEY, 5, scale_of(2))
        effects = generate(talk, 6)
        assert others(effects)[0] == Supersede(KEY, 5)
        assert isinstance(others(effects)[1], Generate)
        assert told(effects) == [("take/end", (5, 1, 2, 0))]
        assert talk.session.take_notes(KEY, 5, scale_of(2)) == []

    def test_a_take_without_its_clip_is_refused(self, talk: Talk) -> None:
        assert error_codes(generate(talk, 5)) == [("/continuo/generate", ErrorCode.NOT_FOUND)]
        talk.send_clip(1, scale_of(4))
        assert isinstance(generate(talk, 5)[0], Generate), "a refused number is not used up"

    @pytest.mark.parametrize(("state", "code"), [(State.LOADING, ErrorCode.BUSY), (State.FAULT, ErrorCode.MODEL_FAULT)])
    def test_without_a_model_nothing_is_generated(self, talk: Talk, state: State, code: ErrorCode) -> None:
        talk.send_clip(1, scale_of(4))
        talk.session.state = state
        assert error_codes(generate(talk, 5)) == [("/continuo/generate", code)]
        talk.session.state = State.PLAYING
        assert isinstance(generate(talk, 5)[0], Generate)

    def test_a_generate_that_overtakes_its_clip_waits_for_it(self, talk: Talk) -> None:
        *most, last = clip_messages(1, scale_of(4))
        for spoken in most:
            talk.hear(spoken)
        assert generate(talk, 5) == []
        assert generate(talk, 5) == []
        effects = talk.hear(last)
        assert told(effects) == [("clip/ready", (1, 4))]
        assert [type(effect) for effect in others(effects)] == [Prefill, Generate]

    def test_a_generate_whose_clip_never_comes_is_refused_with_it(self, talk: Talk) -> None:
        talk.hear(clip_messages(1, scale_of(4))[0])
        generate(talk, 5)
        assert error_codes(talk.wait(60.0)) == [
            ("/continuo/clip/end", ErrorCode.NOT_FOUND),
            ("/continuo/generate", ErrorCode.NOT_FOUND),
        ]

    def test_a_waiting_generate_can_be_replaced_and_cancelled(self, talk: Talk) -> None:
        talk.hear(clip_messages(1, scale_of(4))[0])
        generate(talk, 5)
        assert told(generate(talk, 6)) == [("take/end", (5, 0, 0, 0))]
        assert told(talk.say("cancel", 6)) == [("take/end", (6, 0, 0, 0))]
        assert all(not isinstance(effect, Generate) for effect in talk.send_clip(1, scale_of(4)))

    def test_a_cancel_silences_and_is_answered_every_time(self, talk: Talk) -> None:
        talk.send_clip(1, scale_of(4))
        generate(talk, 5)
        first = talk.say("cancel", 5)
        assert first == [Cancel(KEY, 5), Reply(SENDER, "take/end", (ME, 5, 0, 0, 0))]
        assert talk.say("cancel", 5) == first
        assert talk.session.take_begun(KEY, 5, 8, {0}, 9, -1) == []
        assert error_codes(talk.say("cancel", 9)) == [("/continuo/cancel", ErrorCode.NOT_FOUND)]

    def test_a_whole_take_that_still_sounds_can_be_cancelled(self, talk: Talk) -> None:
        talk.send_clip(1, scale_of(4))
        generate(talk, 5)
        talk.session.take_ended(KEY, 5, 2)
        assert talk.say("cancel", 5) == [Cancel(KEY, 5), Reply(SENDER, "take/end", (ME, 5, 0, 0, 2))]

    def test_a_failed_take_is_told_under_generate(self, talk: Talk) -> None:
        talk.send_clip(1, scale_of(4))
        generate(talk, 5)
        effects = talk.session.take_failed(KEY, 5, ErrorCode.UNSUPPORTED, "too many parts; ask for fewer")
        assert told(effects) == [("error", ("/continuo/generate", 9, "too many parts; ask for fewer"))]
        assert generate(talk, 5) == effects
        assert others(generate(talk, 6)) != [], "and the next may go on"

    def test_without_osc_output_notes_are_kept_for_whoever_asks(self, talk: Talk) -> None:
        talk.send_clip(1, scale_of(4))
        talk.say("set", "out", 1)
        assert talk.session.controls(KEY).output is Output.MIDI
        generate(talk, 5)
        assert talk.session.take_notes(KEY, 5, scale_of(2)) == []
        assert told(talk.session.take_ended(KEY, 5, 0)) == [("take/end", (5, 1, 2, 0))]
        assert told(talk.say("take/need", 5, 0)) == [("take/notes", (5, 0))]

    def test_news_of_a_take_nobody_knows_is_ignored(self, talk: Talk) -> None:
        assert talk.session.take_ended(KEY, 5, 0) == []
        talk.say("ping", 1)
        assert talk.session.take_notes(KEY, 5, [Note(0, 0, 60, 10, 1)]) == []

    def test_panic_ends_everybodys_takes(self, talk: Talk) -> None:
        hello(talk, OTHER, 9002)
        for by in (ME, OTHER):
            talk.send_clip(1, scale_of(4), by=by)
            talk.hear(message("generate", by, 5, 1, 8, 0, -1, -1))
        effects = talk.say("panic")
        assert others(effects) == [Panic(KEY), ReportStatus(KEY, SENDER)]
        ends = [(effect.destination, effect.name) for effect in effects if isinstance(effect, Reply)]
        assert sorted(ends) == [(("127.0.0.1", 9002), "take/end"), (SENDER, "take/end")]
