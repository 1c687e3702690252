from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.effects import (
    ClientKey,
    Forgotten,
    Generate,
    Gone,
    Reply,
    ReportStatus,
)
from bridge.errors import ErrorCode
from bridge.osc_codec import encode
from bridge.protocol import Refused, build
from bridge.requests import Identity
from bridge.session import Session
from bridge.wire_table import BY_NAME, MAX_DATAGRAM_BYTES, TABLE, Direction, State
from tests.bridge.strategies import contents_of
from tests.bridge.talk import (
    ME,
    SENDER,
    Talk,
    error_codes,
    generate,
    hello,
    scale_of,
    told,
)

KEY = ClientKey(ME)
PORT = ("127.0.0.1", 9001)
OTHER = 88


@pytest.fixture
def talk() -> Talk:
    return Talk()


class TestGreeting:
    def test_hello_is_welcomed_at_the_port_it_names(self, talk: Talk) -> None:
        assert hello(talk) == [Reply(PORT, "welcome", (ME, 1, "1.2.3", "gpt", "cpu", 480, 32))]

    def test_another_protocol_is_refused_and_the_refusal_arrives(self, talk: Talk) -> None:
        [reply] = talk.say("hello", 9001, 2, "Live")
        assert isinstance(reply, Reply)
        assert (reply.destination, reply.name, reply.values[2]) == (PORT, "error", ErrorCode.OUT_OF_RANGE)

    def test_a_session_begins_without_a_model(self) -> None:
        assert Session(Identity("1.2.3", "cpu"), "gpt").state is State.LOADING

    def test_a_ping_is_answered_with_the_daemons_state(self, talk: Talk) -> None:
        talk.session.state = State.PLAYING
        assert told(talk.say("ping", 5)) == [("pong", (5, 3))]

    def test_the_anonymous_client_is_answered_where_it_sends_from(self, talk: Talk) -> None:
        effects = talk.say("ping", 5, by=0, sender=("127.0.0.1", 60_000))
        assert effects == [Reply(("127.0.0.1", 60_000), "pong", (0, 5, 1))]

    def test_clients_never_see_each_others_replies(self, talk: Talk) -> None:
        hello(talk)
        hello(talk, OTHER, 9002)
        talk.send_clip(1, scale_of(4))
        talk.send_clip(1, scale_of(7), by=OTHER)
        mine = talk.say("ping", 1) + generate(talk, 2) + talk.say("set", "density", 9.0)
        assert {effect.destination for effect in mine if isinstance(effect, Reply)} == {PORT}
        [reply] = talk.say("clip/end", 1, 1, by=OTHER)
        assert reply == Reply(("127.0.0.1", 9002), "clip/ready", (OTHER, 1, 7))

    def test_one_client_too_many_is_told_so(self, talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("bridge.clients.MAX_CLIENTS", 2)
        hello(talk)
        talk.say("ping", 1, by=OTHER)
        effects = hello(talk, 99)
        assert effects[:2] == [Gone(ClientKey(OTHER)), Forgotten(ClientKey(OTHER))]
        assert error_codes(talk.say("ping", 1, by=OTHER)) == [("/continuo/ping", ErrorCode.BUSY)]


class TestLeaving:
    def test_ten_silent_seconds_after_a_hello_is_gone_and_the_clip_is_kept(self, talk: Talk) -> None:
        hello(talk)
        talk.send_clip(1, scale_of(4))
        generate(talk, 5)
        talk.say("transport", 1, 0, 120.0, 4, 4)
        assert talk.wait(9.5) == []
        assert talk.wait(1.0) == [Gone(KEY)]
        assert talk.session.transport(KEY) is None, "where its host is now, nobody knows"
        assert talk.session.clients() == []
        assert talk.session.take_notes(KEY, 5, scale_of(2)) == []
        assert talk.wait(500.0) == []
        assert told(hello(talk)) == [("welcome", (1, "1.2.3", "gpt", "cpu", 480, 32))]
        assert talk.session.clients() == [KEY]
        assert isinstance(generate(talk, 6)[0], Generate)

    def test_a_heartbeat_keeps_a_client(self, talk: Talk) -> None:
        for _ in range(10):
            hello(talk)
            assert talk.wait(5.0) == []

    def test_who_never_said_hello_is_not_missed(self, talk: Talk) -> None:
        talk.say("ping", 1)
        assert talk.wait(60.0) == []

    def test_ten_minutes_later_everything_is_forgotten(self, talk: Talk) -> None:
        hello(talk)
        talk.say("ping", 1, by=OTHER)
        talk.send_clip(1, scale_of(4))
        assert talk.wait(601.0) == [Gone(KEY), Forgotten(KEY), Gone(ClientKey(OTHER)), Forgotten(ClientKey(OTHER))]
        assert error_codes(generate(talk, 5)) == [("/continuo/generate", ErrorCode.NOT_FOUND)]

    def test_bye_is_answered_where_the_client_was(self, talk: Talk) -> None:
        hello(talk)
        talk.send_clip(1, scale_of(4))
        generate(talk, 5)
        assert talk.say("bye") == [Gone(KEY), Forgotten(KEY), ReportStatus(KEY, PORT)]
        assert talk.session.destination(KEY) is None
        assert talk.say("bye")[-1] == ReportStatus(KEY, SENDER), "twice does no harm"


class TestAnswers:
    def test_what_could_not_be_understood_is_answered_where_the_client_listens(self, talk: Talk) -> None:
        hello(talk)
        refused = Refused("/continuo/png", ErrorCode.UNKNOWN_ADDRESS, "no; cure", ME, SENDER)
        values = (ME, "/continuo/png", 2, "no; cure")
        assert talk.session.apply(refused, talk.now_s) == [Reply(PORT, "error", values)]

    @pytest.mark.parametrize("client_id", [None, 0, 5])
    def test_a_stranger_is_answered_where_it_sends_from(self, talk: Talk, client_id: int | None) -> None:
        refused = Refused("", ErrorCode.MALFORMED, "no; cure", client_id, SENDER)
        assert talk.session.apply(refused, talk.now_s) == [Reply(SENDER, "error", (client_id or 0, "", 1, "no; cure"))]

    @settings(deadline=None, max_examples=80)
    @given(data=st.data())
    def test_no_sequence_of_messages_breaks_it_and_all_it_says_fits_the_wire(self, data: st.DataObject) -> None:
        talk = Talk()
        addresses = [address for address in TABLE if address.direction is Direction.TO_DAEMON]
        for _ in range(data.draw(st.integers(1, 12))):
            address = data.draw(st.sampled_from(addresses))
            values, notes = data.draw(contents_of(address))
            values[0] = data.draw(st.sampled_from([0, ME, OTHER]))
            if len(values) > 1 and address.arguments[1].name == "req":
                values[1] = data.draw(st.integers(0, 3))
            effects = talk.say(address.name, *values[1:], notes=notes, by=int(values[0])) + talk.wait(0.3)
            for effect in effects:
                if isinstance(effect, Reply):
                    data_out = encode(*build(effect.name, *effect.values, notes=effect.notes))
                    assert len(data_out) <= MAX_DATAGRAM_BYTES

    def test_every_request_is_answered_or_part_of_a_clip_that_is(self, talk: Talk) -> None:
        talk.send_clip(1, scale_of(4))
        requests = {
            "hello": (9001, 1, "Live"),
            "ping": (1,),
            "transport": (1, 0, 120.0, 4, 4),
            "scale": (0, 0),
            "generate": (5, 1, 8, 0, -1, -1),
            "cancel": (5,),
            "take/need": (5, 0),
            "set": ("out", 3),
            "get": ("out",),
            "panic": (),
            "bye": (),
        }
        to_daemon = {address.name for address in TABLE if address.direction is Direction.TO_DAEMON}
        assert requests.keys() == to_daemon - {"clip/begin", "clip/part", "clip/notes", "clip/end"}
        for name, values in requests.items():
            effects = talk.say(name, *values)
            assert any(isinstance(effect, Reply | ReportStatus | Generate) for effect in effects), name
            assert all(effect.name in BY_NAME for effect in effects if isinstance(effect, Reply))
