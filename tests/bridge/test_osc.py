"""Real sockets on the loopback interface; time is moved by hand where an allowance refills."""

from __future__ import annotations

import math
import socket
import struct
from collections.abc import Callable, Iterator
from queue import Empty, SimpleQueue

import pytest

from bridge import osc
from bridge.errors import ErrorCode, PortError
from bridge.osc import OscSocket
from bridge.osc_codec import encode
from bridge.protocol import Received, Refused, Sender, build
from bridge.wire_table import Direction
from tests.bridge.test_wire_guard import EATS_REGULAR_EXPRESSIONS, HANGS_PYTHON_OSC, PING, bundle, nested

WAIT_S = 10.0  # far beyond what a loopback datagram needs; reached only by a failure
LOOPBACK = "127.0.0.1"

Events = SimpleQueue[Received | Refused]


class Clock:
    """Seconds that pass when told."""

    def __init__(self) -> None:
        self.s = 0.0

    def now_s(self) -> float:
        return self.s


@pytest.fixture
def inbox() -> Events:
    return Events()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def daemon(inbox: Events, clock: Clock) -> Iterator[OscSocket]:
    opened = OscSocket(inbox, port=0, now_s=clock.now_s)
    opened.start()
    yield opened
    opened.close()


@pytest.fixture
def raw() -> Iterator[Callable[[bytes, OscSocket], Sender]]:
    """Send any bytes to a socket of ours; returns where they came from."""
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sender.bind((LOOPBACK, 0))

    def send(data: bytes, to: OscSocket) -> Sender:
        sender.sendto(data, to.address)
        address: Sender = sender.getsockname()
        return address

    yield send
    sender.close()


def received(inbox: Events) -> Received:
    event = inbox.get(timeout=WAIT_S)
    assert isinstance(event, Received), event
    return event


def refused(inbox: Events) -> Refused:
    event = inbox.get(timeout=WAIT_S)
    assert isinstance(event, Refused), event
    return event


RawSend = Callable[[bytes, OscSocket], Sender]


def test_a_message_arrives_with_its_sender(daemon: OscSocket, inbox: Events, raw: RawSend) -> None:
    sender = raw(PING, daemon)
    event = received(inbox)
    assert (event.message.name, event.message.values, event.sender) == ("ping", {"id": 1, "n": 2}, sender)


def test_a_reply_reaches_a_client_in_the_other_direction(daemon: OscSocket) -> None:
    replies = Events()
    client = OscSocket(replies, port=0, accepts=Direction.TO_CLIENT)
    client.start()
    daemon.send(client.address, "pong", (1, 2, 1))
    assert received(replies).message.values == {"id": 1, "n": 2, "state": 1}
    client.close()
    assert daemon.counts().sent == 1


@pytest.mark.parametrize(
    ("data", "code", "address", "client_id"),
    [
        (HANGS_PYTHON_OSC, ErrorCode.MALFORMED, "", None),
        (EATS_REGULAR_EXPRESSIONS, ErrorCode.MALFORMED, "/", None),
        (nested(30), ErrorCode.MALFORMED, "", None),
        (b"", ErrorCode.MALFORMED, "", None),
        (PING[:-4], ErrorCode.MALFORMED, "/continuo/ping", None),
        (b"/a\0\0,b\0\0" + struct.pack(">i", 60_000) + 60_000 * b"\0", ErrorCode.MALFORMED, "/a", None),
        (b"/live/song/get/tempo\0\0\0\0,i\0\0\0\0\0\x07", ErrorCode.UNKNOWN_ADDRESS, "/live/song/get/tempo", 7),
        (b"/a\0\0", ErrorCode.UNKNOWN_ADDRESS, "/a", None),
        (encode("/continuo/ping", [3, math.nan]), ErrorCode.WRONG_ARGUMENT, "/continuo/ping", 3),
        (encode("/continuo/ping", [math.nan, 1]), ErrorCode.WRONG_ARGUMENT, "/continuo/ping", None),
        (encode("/continuo/ping", [-3, 1]), ErrorCode.OUT_OF_RANGE, "/continuo/ping", None),
        (encode("/continuo/ping", [3.0, "x"]), ErrorCode.WRONG_ARGUMENT, "/continuo/ping", 3),
        (encode(*build("pong", 3, 1, 1)), ErrorCode.UNKNOWN_ADDRESS, "/continuo/pong", 3),
    ],
)  # fmt: skip
def test_what_cannot_be_served_is_told_apart_and_the_next_message_is_served(
    daemon: OscSocket, inbox: Events, raw: RawSend, data: bytes, code: ErrorCode, address: str, client_id: int | None
) -> None:
    sender = raw(data, daemon)
    raw(PING, daemon)
    event = refused(inbox)
    assert (event.code, event.address, event.client_id, event.sender) == (code, address, client_id, sender)
    assert received(inbox).message.name == "ping"
    assert daemon.counts().refused == {code: 1}


def test_one_bad_message_of_a_bundle_leaves_the_others_alone(daemon: OscSocket, inbox: Events, raw: RawSend) -> None:
    raw(bundle(encode("/continuo/nothing", [1]), PING), daemon)
    assert refused(inbox).address == "/continuo/nothing"
    assert received(inbox).message.name == "ping"


def test_an_error_is_never_answered_or_two_daemons_would_talk_for_ever(
    daemon: OscSocket, inbox: Events, raw: RawSend
) -> None:
    raw(encode(*build("error", 1, "/continuo/ping", 3, "no")), daemon)
    raw(b"/continuo/error\0,i\0\0", daemon)
    raw(PING, daemon)
    assert received(inbox).message.name == "ping"
    assert sum(daemon.counts().refused.values()) == 2


def test_a_flood_of_nonsense_is_answered_slowly_and_a_ping_after_it_at_once(
    daemon: OscSocket, inbox: Events, raw: RawSend, clock: Clock
) -> None:
    for _ in range(10_000):
        raw(EATS_REGULAR_EXPRESSIONS, daemon)
    answers = 0
    served = False
    while not served:  # a ping may be lost in the kernel's full buffer, as any datagram: ask again
        raw(PING, daemon)
        try:
            while not served:
                event = inbox.get(timeout=0.5)
                served = isinstance(event, Received)
                answers += not served
        except Empty:
            continue
    counts = daemon.counts()
    assert answers == osc.NONSENSE_ANSWERS_PER_S
    assert counts.unanswered == counts.refused[ErrorCode.MALFORMED] - answers
    clock.s += 1.0
    raw(HANGS_PYTHON_OSC, daemon)
    while not isinstance(inbox.get(timeout=WAIT_S), Refused):
        pass


def test_a_burst_of_ten_thousand_messages_leaves_the_receiver_alive(
    daemon: OscSocket, inbox: Events, raw: RawSend
) -> None:
    for n in range(10_000):
        raw(encode(*build("ping", 1, n)), daemon)
    raw(encode(*build("get", 1, "*")), daemon)
    name = ""
    while name != "get":
        try:
            name = received(inbox).message.name
        except Empty:  # lost with the end of the burst
            raw(encode(*build("get", 1, "*")), daemon)
    assert daemon.counts().received["ping"] > 0


def test_an_inbox_nobody_reads_stops_growing(inbox: Events, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(osc, "MAX_WAITING", 3)
    daemon = OscSocket(inbox, port=0)
    daemon._take_in(bundle(*[PING] * 10), (LOOPBACK, 9))
    daemon._take_in(HANGS_PYTHON_OSC, (LOOPBACK, 9))
    daemon.close()
    assert inbox.qsize() == 3
    counts = daemon.counts()
    assert (counts.received, counts.overrun, counts.unanswered) == ({"ping": 3}, 7, 1)


def test_a_port_in_use_is_told_with_its_cure(daemon: OscSocket) -> None:
    with pytest.raises(PortError, match=f"UDP port {daemon.address[1]} on 127.0.0.1 is in use.*osc_port"):
        OscSocket(Events(), port=daemon.address[1])


@pytest.mark.parametrize(
    ("host", "port", "words"),
    [("192.0.2.1", 0, "osc_host"), ("no such host", 0, "osc_host"), (LOOPBACK, 70_000, "osc_port from 0 to 65535")],
)
def test_an_impossible_address_is_told_with_its_cure(host: str, port: int, words: str) -> None:
    with pytest.raises(PortError, match=words):
        OscSocket(Events(), host, port)


def test_the_port_is_free_again_after_closing_twice(inbox: Events) -> None:
    first = OscSocket(inbox, port=0)
    first.start()
    first.close()
    first.close()
    second = OscSocket(inbox, port=first.address[1])
    second.close()
    assert second.address == first.address


def test_a_refusal_reported_by_the_system_does_not_end_the_thread(
    inbox: Events, raw: RawSend, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon = OscSocket(inbox, port=0)
    receive_one = daemon._receive_one
    real = daemon._socket

    class WindowsSocket:
        """Windows tells at the next receive that an earlier reply reached nobody."""

        def recvfrom_into(self, buffer: memoryview) -> tuple[int, Sender]:
            raise ConnectionResetError(10054, "reset")

    monkeypatch.setattr(daemon, "_socket", WindowsSocket())
    assert not receive_one(memoryview(bytearray(64)))
    monkeypatch.setattr(daemon, "_socket", real)
    daemon.start()
    raw(PING, daemon)
    assert received(inbox).message.name == "ping"
    daemon.close()


def test_a_defect_of_ours_is_told_and_the_next_message_served(
    daemon: OscSocket, inbox: Events, raw: RawSend, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def defective(address: str, args: object, direction: Direction) -> None:
        monkeypatch.undo()
        raise ZeroDivisionError

    monkeypatch.setattr(osc, "parse", defective)
    raw(PING, daemon)
    raw(PING, daemon)
    assert received(inbox).message.name == "ping"
    assert daemon.counts().received == {"ping": 1}
    assert "ZeroDivisionError" in caplog.text


def test_wrong_arguments_are_answered_far_longer_than_nonsense(inbox: Events, clock: Clock) -> None:
    daemon = OscSocket(inbox, port=0, now_s=clock.now_s)
    for _ in range(int(osc.ANSWERS_PER_S) + 5):
        daemon._take_in(encode("/continuo/ping", [1, "x"]), (LOOPBACK, 9))
    daemon.close()
    assert inbox.qsize() == osc.ANSWERS_PER_S
    assert daemon.counts().unanswered == 5
