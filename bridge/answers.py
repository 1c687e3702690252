"""A reply before its destination is known, and the one way an error becomes one. Knows no client."""

from __future__ import annotations

from dataclasses import dataclass

from bridge.errors import ProtocolError
from bridge.wire_table import MAX_TEXT_BYTES, Value
from models.music.score import Note


@dataclass(frozen=True, slots=True)
class Answer:
    """A message to the client that is being served; its `id` is put first when it leaves."""

    name: str
    values: tuple[Value, ...]
    notes: tuple[Note, ...] = ()


def refusal(address: str, error: ProtocolError) -> Answer:
    """`/continuo/error` for a request to `address`; too long a sentence is cut so that the datagram stays small."""
    text = error.text.replace("\0", "?").encode("utf-8", "replace")[:MAX_TEXT_BYTES].decode("utf-8", "ignore")
    return Answer("error", (address, int(error.code), text))
