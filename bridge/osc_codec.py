"""Messages to bytes and back, by python-osc behind the guard; the one place that knows it.

Its servers and its dispatcher are not used: they sleep until a bundle's time tag, start a thread for each datagram and
match addresses as patterns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from pythonosc.osc_bundle import OscBundle
from pythonosc.osc_bundle import ParseError as BundleParseError
from pythonosc.osc_message import OscMessage
from pythonosc.osc_message import ParseError as MessageParseError
from pythonosc.parsing.osc_types import write_float, write_int, write_string

from bridge.errors import ErrorCode, ProtocolError
from bridge.wire_guard import check_datagram
from bridge.wire_table import MAX_DATAGRAM_BYTES, Value

_WRITERS: dict[str, Callable[[Any], bytes]] = {"i": write_int, "f": write_float, "s": write_string}


def encode(address: str, args: Sequence[Value]) -> bytes:
    """One OSC message as bytes: ints as `i`, floats as `f`, texts as `s`.

    Raises:
        ProtocolError: it would be larger than the wire allows.
    """
    tags = "".join("s" if isinstance(value, str) else "f" if isinstance(value, float) else "i" for value in args)
    parts = [_WRITERS[tag](value) for tag, value in zip(tags, args, strict=True)]
    data = b"".join([write_string(address), write_string("," + tags), *parts])
    if len(data) > MAX_DATAGRAM_BYTES:
        raise ProtocolError(
            ErrorCode.OUT_OF_RANGE, f"{address} takes {len(data)} bytes; shorten its texts to fit {MAX_DATAGRAM_BYTES}"
        )
    return data


def decode(data: bytes) -> list[tuple[str, list[object]]]:
    """Address and arguments of each message, bundles flattened in order.

    Raises:
        ProtocolError: the datagram is malformed.
    """
    check_datagram(data)
    try:
        packet = OscBundle(data) if OscBundle.dgram_is_bundle(data) else OscMessage(data)
    except (BundleParseError, MessageParseError) as error:  # a codec stricter than the guard must not end the thread
        text = f"the OSC library refuses the datagram ({error}); let an OSC library send"
        raise ProtocolError(ErrorCode.MALFORMED, text) from error
    return [(message.address, message.params) for message in _flatten(packet)]


def _flatten(packet: OscBundle | OscMessage) -> Iterator[OscMessage]:
    if isinstance(packet, OscMessage):
        yield packet
        return
    for element in packet:
        yield from _flatten(element)
