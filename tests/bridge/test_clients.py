from __future__ import annotations

import pytest

from bridge.clients import Clients, key_of
from bridge.controls import ControlValues
from bridge.effects import ClientKey
from bridge.errors import ErrorCode, ProtocolError
from tests.bridge.talk import ME, SENDER, message

ELSEWHERE = ("127.0.0.1", 50_001)


@pytest.fixture
def clients() -> Clients:
    return Clients(lambda: ControlValues.defaults({}))


def test_the_anonymous_client_is_one_for_each_address_and_port() -> None:
    assert key_of(5, SENDER) == key_of(5, ELSEWHERE) == ClientKey(5)
    assert key_of(0, SENDER) == ClientKey(0, *SENDER) != key_of(0, ELSEWHERE)


def test_a_hello_binds_replies_to_the_port_it_names_and_a_later_one_rebinds(clients: Clients) -> None:
    client = clients.hear(message("ping", ME, 1), SENDER, 0.0)
    assert client.destination == SENDER, "before the hello, where it sends from"
    assert clients.hear(message("hello", ME, 9001, 1, "Live"), SENDER, 1.0) is client
    clients.hear(message("ping", ME, 1), ELSEWHERE, 2.0)
    assert (client.name, client.destination, client.heard_s) == ("Live", ("127.0.0.1", 9001), 2.0)
    clients.hear(message("hello", ME, 9002, 1, "Live"), ELSEWHERE, 3.0)
    assert client.destination == ("127.0.0.1", 9002)


def test_the_anonymous_client_is_answered_where_it_sends_from_even_after_a_hello(clients: Clients) -> None:
    assert clients.hear(message("hello", 0, 9001, 1, ""), SENDER, 0.0).destination == SENDER


def test_room_is_made_by_the_longest_silent_that_promised_no_heartbeat(
    clients: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.clients.MAX_CLIENTS", 3)
    clients.hear(message("hello", 1, 9001, 1, ""), SENDER, 0.0)
    clients.hear(message("ping", 2, 1), SENDER, 2.0)
    assert clients.crowded_out() is None
    clients.hear(message("ping", 3, 1), SENDER, 1.0)
    crowded_out = clients.crowded_out()
    assert crowded_out is not None
    assert crowded_out.key == ClientKey(3)


def test_with_everybody_alive_one_too_many_is_refused(clients: Clients, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.clients.MAX_CLIENTS", 1)
    clients.hear(message("hello", 1, 9001, 1, ""), SENDER, 0.0)
    assert clients.crowded_out() is None
    with pytest.raises(ProtocolError, match="clients are served already") as caught:
        clients.hear(message("ping", 2, 1), SENDER, 0.0)
    assert caught.value.code is ErrorCode.BUSY


def test_a_forgotten_client_comes_back_as_a_stranger(clients: Clients) -> None:
    before = clients.hear(message("hello", ME, 9001, 1, "Live"), SENDER, 0.0)
    clients.forget(before.key)
    assert clients.all() == []
    assert clients.hear(message("ping", ME, 1), SENDER, 0.0).name == ""
