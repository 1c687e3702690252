"""What the session asks the daemon to do, as plain data, in the order it is to be done."""

from __future__ import annotations

from dataclasses import dataclass

from bridge.clip_transfer import Clip
from bridge.protocol import Sender
from bridge.take_request import TakeRequest
from bridge.wire_table import Value
from models.music.score import Meter, Note


@dataclass(frozen=True, slots=True)
class ClientKey:
    """Who: by the client's own number; the anonymous client 0 by where it sends from."""

    id: int
    host: str = ""
    port: int = 0


@dataclass(frozen=True, slots=True)
class Transport:
    """Where a client's host is, at the moment its message came."""

    is_playing: bool
    song_tick: int
    bpm: float
    meter: Meter


@dataclass(frozen=True, slots=True)
class Reply:
    """Send one message."""

    destination: Sender
    name: str
    values: tuple[Value, ...]
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class ReportStatus:
    """Send `status` with the figures of this moment, which the daemon knows."""

    client: ClientKey
    destination: Sender


@dataclass(frozen=True, slots=True)
class Prefill:
    """A clip is whole: absorb it before anybody asks for more."""

    client: ClientKey
    clip: Clip


@dataclass(frozen=True, slots=True)
class Generate:
    """Begin a take."""

    client: ClientKey
    request: TakeRequest


@dataclass(frozen=True, slots=True)
class Supersede:
    """A newer take follows at once: stop generating this one; it may sound until the newer one does."""

    client: ClientKey
    req: int


@dataclass(frozen=True, slots=True)
class Cancel:
    """Stop generating and sounding this take."""

    client: ClientKey
    req: int


@dataclass(frozen=True, slots=True)
class Panic:
    """Everything of everybody silent now; every take is over."""

    client: ClientKey
    """Who asked."""


@dataclass(frozen=True, slots=True)
class Gone:
    """End its notes and its generation; its clips are kept for a return."""

    client: ClientKey


@dataclass(frozen=True, slots=True)
class Forgotten:
    """It will not return: free what is held for it."""

    client: ClientKey


@dataclass(frozen=True, slots=True)
class TransportChanged:
    """A client's host said where it is."""

    client: ClientKey
    transport: Transport


@dataclass(frozen=True, slots=True)
class ControlChanged:
    """A control has a new value. `model` holds for all clients and is still to be loaded."""

    client: ClientKey
    name: str
    value: Value


Effect = (
    Reply
    | ReportStatus
    | Prefill
    | Generate
    | Supersede
    | Cancel
    | Panic
    | Gone
    | Forgotten
    | TransportChanged
    | ControlChanged
)
