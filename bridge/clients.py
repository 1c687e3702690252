"""Who is there: one record per client, found by its number, or by its address where it has none. Serves nobody."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from bridge.clip_inbox import ClipInbox
from bridge.controls import ControlValues
from bridge.effects import ClientKey, Transport
from bridge.errors import ErrorCode, ProtocolError
from bridge.protocol import Message, Sender
from bridge.take_log import TakeLog

MAX_CLIENTS = 256


@dataclass(slots=True)
class Client:
    """What is known of one client."""

    key: ClientKey
    destination: Sender
    controls: ControlValues
    heard_s: float
    name: str = ""
    has_said_hello: bool = False
    is_gone: bool = False
    transport: Transport | None = None
    clips: ClipInbox = field(default_factory=ClipInbox)
    takes: TakeLog = field(default_factory=TakeLog)
    waiting: Message | None = None
    """A `generate` that came before its clip was whole."""


class Clients:
    """All of them. Not thread-safe."""

    def __init__(self, new_controls: Callable[[], ControlValues]) -> None:
        self._new_controls = new_controls
        self._clients: dict[ClientKey, Client] = {}

    def get(self, key: ClientKey) -> Client | None:
        """The client, if it is known."""
        return self._clients.get(key)

    def all(self) -> list[Client]:
        """Every client, in the order they came; a copy."""
        return list(self._clients.values())

    def hear(self, message: Message, sender: Sender, now_s: float) -> Client:
        """The client a message comes from, made known if it is new; its silence ends here.

        Raises:
            ProtocolError: there are too many.
        """
        key = key_of(message.client_id, sender)
        client = self._clients.get(key)
        if client is None:
            if len(self._clients) >= MAX_CLIENTS:
                raise ProtocolError(
                    ErrorCode.BUSY, f"{MAX_CLIENTS} clients are served already; let one say /continuo/bye and try again"
                )
            client = self._clients[key] = Client(key, sender, self._new_controls(), now_s)
        client.heard_s = now_s
        client.is_gone = False
        if message.name == "hello":
            client.has_said_hello = True
            client.name = message.text("name")
            client.destination = (sender[0], message.integer("reply_port")) if key.id else sender
        elif not client.has_said_hello:
            client.destination = sender
        return client

    def crowded_out(self) -> Client | None:
        """The client to forget before another one comes: the longest silent of those that promised no heartbeat."""
        if len(self._clients) < MAX_CLIENTS:
            return None
        idle = [client for client in self._clients.values() if client.is_gone or not client.has_said_hello]
        return min(idle, key=lambda client: client.heard_s, default=None)

    def forget(self, key: ClientKey) -> None:
        """Drop all that is known of it."""
        self._clients.pop(key, None)


def key_of(client_id: int, sender: Sender) -> ClientKey:
    """The anonymous client 0 is one for each address and port."""
    return ClientKey(client_id) if client_id else ClientKey(0, *sender)
