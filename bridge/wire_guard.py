"""Is this datagram well-formed OSC? Asked before any codec sees it; it reads bytes and builds nothing.

python-osc loops for ever on a bundle element of negative size, recurses on nested bundles and takes an address for a
regular expression. None of these gets past here. Every pass is linear in the datagram, which is short.
"""

from __future__ import annotations

import re

from bridge.errors import ErrorCode, ProtocolError
from bridge.wire_table import MAX_DATAGRAM_BYTES

BUNDLE = b"#bundle\0"
MAX_DEPTH = 4  # bundles within bundles
MAX_ADDRESS_BYTES = 255
_ADDRESS = re.compile(rb"/[A-Za-z0-9_\-./:+~]*")
_FIXED_BYTES = {"i": 4, "f": 4, "r": 4, "m": 4, "h": 8, "d": 8, "t": 8, "T": 0, "F": 0, "N": 0, "[": 0, "]": 0}
_SIZED_TAGS = {ord(tag): size for tag, size in _FIXED_BYTES.items()}
_STRING, _BLOB, _OPEN, _CLOSE = b"sb[]"


def check_datagram(data: bytes) -> None:
    """Refuse whatever is not a well-formed OSC message or bundle of at most `MAX_DATAGRAM_BYTES`.

    Raises:
        ProtocolError: code `MALFORMED`; the datagram must not reach the codec.
    """
    if len(data) > MAX_DATAGRAM_BYTES:
        raise _malformed(f"a datagram of {len(data)} bytes came; send at most {MAX_DATAGRAM_BYTES}")
    if not data or len(data) % 4:
        raise _malformed(f"a datagram of {len(data)} bytes came, no multiple of 4; let an OSC library send")
    _check_element(data, 0, len(data), 0)


def peek_address(data: bytes) -> str:
    """The address a datagram seems to start with, or empty; safe on any bytes."""
    match = _ADDRESS.match(data[:MAX_ADDRESS_BYTES])
    return match.group().decode("ascii") if match else ""


def _check_element(data: bytes, start: int, end: int, depth: int) -> None:
    if data.startswith(BUNDLE, start, end):
        _check_bundle(data, start, end, depth)
    else:
        _check_message(data, start, end)


def _check_bundle(data: bytes, start: int, end: int, depth: int) -> None:
    if depth >= MAX_DEPTH:
        raise _malformed(f"bundles came nested more than {MAX_DEPTH} deep; send their messages in one bundle")
    position = start + 16  # the prefix and the time tag
    if position > end:
        raise _malformed("a bundle came without its time tag; let an OSC library send")
    while position < end:
        size = int.from_bytes(data[position : position + 4], "big", signed=True)
        position += 4
        if size < 4 or size % 4 or size > end - position:
            raise _malformed(f"a bundle element of {size} bytes came, which does not fit; let an OSC library send")
        _check_element(data, position, position + size, depth + 1)
        position += size


def _check_message(data: bytes, start: int, end: int) -> None:
    match = _ADDRESS.match(data, start, end)
    if match is None:
        raise _malformed("a message came whose address does not start with /; send for example /continuo/ping")
    position = match.end()
    if position - start > MAX_ADDRESS_BYTES:
        raise _malformed(f"an address of {position - start} bytes came; send at most {MAX_ADDRESS_BYTES}")
    if position < end and data[position]:
        raise _malformed(
            "an address came with a character that is none of A-Z a-z 0-9 _ - . / : + ~; patterns are not "
            "understood, send the address in full"
        )
    position = _end_of_string(data, position, end)
    if position == end:
        return  # senders from before type tags leave them out when nothing follows
    if data[position] != ord(","):
        raise _malformed("a message came without type tags; let an OSC library send")
    tags_start = position + 1
    tags_end = data.find(b"\0", tags_start, end)
    position = _end_of_string(data, tags_end, end)
    _check_arguments(data, tags_start, tags_end, position, end)


def _check_arguments(data: bytes, tags_start: int, tags_end: int, position: int, end: int) -> None:
    open_arrays = 0
    for tag in data[tags_start:tags_end]:
        size = _SIZED_TAGS.get(tag)
        if size is not None:
            position += size
            open_arrays += (tag == _OPEN) - (tag == _CLOSE)
            if open_arrays < 0:
                raise _malformed("an array is closed that was never opened; send plain arguments")
        elif tag == _STRING:
            position = _check_string(data, position, end)
        elif tag == _BLOB:
            position = _check_blob(data, position, end)
        else:
            raise _malformed(f"type tag {chr(tag)!r} is not understood; send numbers as i or f and texts as s")
        if position > end:
            raise _malformed("a message ends before its last argument; let an OSC library send")
    if open_arrays:
        raise _malformed("an array is opened and never closed; send plain arguments")
    if position != end:
        raise _malformed(f"{end - position} bytes follow the last argument; let an OSC library send")


def _check_string(data: bytes, start: int, end: int) -> int:
    terminator = data.find(b"\0", start, end)
    after = _end_of_string(data, terminator, end)
    try:
        data[start:terminator].decode("utf-8")
    except UnicodeDecodeError:
        raise _malformed("a text came that is not UTF-8; send UTF-8") from None
    return after


def _check_blob(data: bytes, start: int, end: int) -> int:
    if start + 4 > end:
        raise _malformed("a blob came without its size; send plain arguments")
    size = int.from_bytes(data[start : start + 4], "big", signed=True)
    if not 0 <= size <= end - start - 4:
        raise _malformed(f"a blob of {size} bytes came, which does not fit; send plain arguments")
    return start + 4 + (size + 3) // 4 * 4


def _end_of_string(data: bytes, terminator: int, end: int) -> int:
    """Position after the padding of a string that ends at `terminator` (-1 or `end`: never terminated).

    Elements start at multiples of 4 in the datagram, so the padding may be counted from its beginning.
    """
    if not 0 <= terminator < end:
        raise _malformed("a text came that never ends; let an OSC library send")
    after = terminator // 4 * 4 + 4
    if data.count(b"\0", terminator, after) != after - terminator:
        raise _malformed("a text came whose padding is not zero; let an OSC library send")
    return after


def _malformed(text: str) -> ProtocolError:
    return ProtocolError(ErrorCode.MALFORMED, text)
