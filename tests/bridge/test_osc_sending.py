"""Real sockets on the loopback interface, and what the network does to what is sent."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from queue import SimpleQueue

import pytest

from bridge.errors import ProtocolError
from bridge.osc import OscSocket
from bridge.protocol import Sender

LOOPBACK = "127.0.0.1"


@pytest.fixture
def daemon() -> Iterator[OscSocket]:
    opened = OscSocket(SimpleQueue(), port=0)
    opened.start()
    yield opened
    opened.close()


def test_sending_never_raises_for_what_the_network_does(daemon: OscSocket) -> None:
    closed = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    closed.bind((LOOPBACK, 0))
    nobody = closed.getsockname()
    closed.close()
    for _ in range(3):  # the refusal of the first comes back with a later one
        daemon.send(nobody, "pong", (1, 2, 1))
    daemon.send((LOOPBACK, 0), "pong", (1, 2, 1))
    assert daemon.counts().unsent >= 1
    assert daemon.counts().sent + daemon.counts().unsent == 4


def test_sending_after_closing_is_counted() -> None:
    daemon = OscSocket(SimpleQueue(), port=0)
    daemon.close()
    daemon.send((LOOPBACK, 9), "pong", (1, 2, 1))
    assert (daemon.counts().sent, daemon.counts().unsent) == (0, 1)


def test_a_full_send_buffer_is_counted_and_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    daemon = OscSocket(SimpleQueue(), port=0)

    class FullSocket:
        def __init__(self, real: socket.socket) -> None:
            self.close = real.close

        def sendto(self, data: bytes, destination: Sender) -> int:
            raise BlockingIOError(11, "full")

    monkeypatch.setattr(daemon, "_socket", FullSocket(daemon._socket))
    daemon.send((LOOPBACK, 9), "pong", (1, 2, 1))
    assert daemon.counts().unsent == 1
    daemon.close()


def test_a_message_that_does_not_fit_the_table_or_the_datagram_is_the_callers_defect(daemon: OscSocket) -> None:
    with pytest.raises(ProtocolError, match="state"):
        daemon.send((LOOPBACK, 9), "pong", (1, 2, 9))
    with pytest.raises(ProtocolError, match="1024"):
        daemon.send((LOOPBACK, 9), "error", (1, "/continuo/ping", 3, "x" * 2_000))
