from __future__ import annotations

from collections.abc import Sequence

import pytest

from bridge.daemon_process import free_udp_port
from bridge.errors import ErrorCode, ProtocolError
from bridge.osc_client import NoAnswer, OscClient, TakeReader, is_failure
from bridge.protocol import Message
from bridge.wire_table import State
from models.music.score import Meter, Note, Part
from tests.fake_daemon import FakeDaemon

BAR = 1920
PARTS = (Part(is_drum=True, name="Drums"), Part(program=33, name="Bass"))
METER = Meter(0, 4, 4)


def clip(count: int) -> list[Note]:
    """`count` notes in two bars; the last lies in the second."""
    return sorted(Note(index * 2 * BAR // count, index % 2, 36 + index % 40, 60, 90) for index in range(count))


def whole_take(client: OscClient, notes: Sequence[Note], bars: int) -> list[Note]:
    held = client.send_clip(PARTS, notes, 2 * BAR, METER, 120.0)
    reader = TakeReader(client.generate(held, bars, seed=0).integer("req"))
    for _ in range(400):
        message = client.poll(0.05)
        if message is not None:
            reader.take_in(message)
        else:
            client.ask_again(reader)
        if reader.is_whole:
            break
    assert reader.is_whole
    return reader.notes()


def test_hello_is_answered_with_who_the_daemon_is() -> None:
    with FakeDaemon() as daemon, OscClient(daemon.address, "test") as client:
        assert client.hello().text("model") == "echo"


def test_ping_tells_the_state_and_how_long_it_took() -> None:
    with FakeDaemon() as daemon, OscClient(daemon.address, "test") as client:
        state, seconds = client.ping()
        assert state is State.READY
        assert 0.0 < seconds < 10.0


def test_nobody_there_is_told_with_the_cure() -> None:
    port = free_udp_port()
    cure = rf"127\.0\.0\.1:{port}; start one with `continuo serve`"
    with OscClient(("127.0.0.1", port), "test") as client, pytest.raises(NoAnswer, match=cure):
        client.ping(tries=1)


@pytest.mark.parametrize("count", [1, 32, 33, 500])
def test_a_clip_goes_over_and_its_continuation_comes_back(count: int) -> None:
    notes = clip(count)
    last_bar = [note for note in notes if note.onset_tick >= BAR]
    with FakeDaemon() as daemon, OscClient(daemon.address, "test") as client:
        client.hello()
        came = whole_take(client, notes, bars=3)
    assert [(note.onset_tick, note.pitch) for note in came] == sorted(
        (note.onset_tick - BAR + bar * BAR, note.pitch) for note in last_bar for bar in range(3)
    )


def test_a_part_with_an_endless_name_goes_over() -> None:
    with FakeDaemon() as daemon, OscClient(daemon.address, "test") as client:
        client.hello()
        assert client.send_clip([Part(name="ä" * 5000)], clip(1), 2 * BAR, METER, 120.0) == 1


@pytest.mark.parametrize("lose", [2, 3, 5])
def test_lost_answers_are_asked_for_again(lose: int) -> None:
    with FakeDaemon(lose=lose) as daemon, OscClient(daemon.address, "test") as client:
        client.hello()
        assert len(whole_take(client, clip(200), bars=4)) == 4 * 100


def test_a_refused_value_is_raised_as_the_daemon_said_it() -> None:
    with FakeDaemon() as daemon, OscClient(daemon.address, "test") as client:
        client.hello()
        with pytest.raises(ProtocolError, match="temperature must be from") as refused:
            client.set("temperature", 99.0)
        assert refused.value.code is ErrorCode.OUT_OF_RANGE


def test_a_control_that_is_set_is_confirmed() -> None:
    with FakeDaemon() as daemon, OscClient(daemon.address, "test") as client:
        client.hello()
        assert client.set("lookahead_bars", 2).values["value"] == 2


def test_the_end_of_the_block_says_goodbye() -> None:
    with FakeDaemon() as daemon:
        with OscClient(daemon.address, "test") as client:
            client.hello()
        with OscClient(daemon.address, "test") as client:
            client.ping()
        assert "bye" in daemon.received


def test_the_heartbeat_goes_out_while_nothing_else_does() -> None:
    now_s = [0.0]
    with FakeDaemon() as daemon, OscClient(daemon.address, "test", now_s=lambda: now_s[0]) as client:
        client.hello()
        now_s[0] = 2.5
        message = client.poll(5.0)
        assert message is not None
        assert message.name == "welcome"


def test_a_reader_orders_what_came_out_of_order_and_names_the_gaps() -> None:
    reader = TakeReader(7)
    late, early = Note(480, 0, 60, 10, 90), Note(0, 0, 62, 10, 90)
    assert reader.take_in(Message("take/notes", {"id": 1, "req": 7, "index": 2}, (late,))) == (late,)
    assert reader.missing() == [0, 1]
    assert reader.take_in(Message("take/notes", {"id": 1, "req": 7, "index": 2}, (late,))) == ()
    reader.take_in(Message("take/notes", {"id": 1, "req": 7, "index": 0}, (early,)))
    reader.take_in(Message("take/notes", {"id": 1, "req": 7, "index": 1}))
    assert not reader.is_whole
    reader.take_in(Message("take/end", {"id": 1, "req": 7, "datagrams": 3, "count": 2, "late": 0}))
    assert reader.is_whole
    assert reader.notes() == [early, late]


def test_messages_of_other_takes_are_left_alone() -> None:
    reader = TakeReader(7)
    assert reader.take_in(Message("take/notes", {"id": 1, "req": 8, "index": 0}, (Note(0, 0, 60, 10, 90),))) == ()
    reader.take_in(Message("take/end", {"id": 1, "req": 8, "datagrams": 1, "count": 1, "late": 0}))
    reader.take_in(Message("status", {"id": 1}))
    assert reader.end is None


def test_a_midi_fault_is_news_and_no_failure() -> None:
    def error(code: ErrorCode) -> Message:
        return Message("error", {"id": 1, "address": "/continuo/generate", "code": int(code), "text": "x"})

    assert not is_failure(error(ErrorCode.MIDI_FAULT))
    assert is_failure(error(ErrorCode.MODEL_FAULT))


def test_a_host_that_says_where_it_is_gets_the_figures() -> None:
    with FakeDaemon() as daemon, OscClient(daemon.address, "test") as client:
        client.transport(True, 960, 120.0, METER)
        answer = client.poll(10.0)
        assert answer is not None
        assert answer.name == "status"
        assert daemon.received == ["transport"]
