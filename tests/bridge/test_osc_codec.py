from __future__ import annotations

import struct

import pytest
from pythonosc.osc_message import ParseError
from pythonosc.osc_message_builder import OscMessageBuilder

from bridge import osc_codec
from bridge.errors import ErrorCode, ProtocolError
from bridge.osc_codec import decode, encode
from tests.bridge.test_wire_guard import HANGS_PYTHON_OSC, PING, bundle


def test_the_bytes_are_those_the_library_builds_itself() -> None:
    builder = OscMessageBuilder("/continuo/value")
    for tag, value in (("i", 7), ("s", "top_p"), ("f", 0.5), ("i", -1)):
        builder.add_arg(value, tag)
    assert encode("/continuo/value", [7, "top_p", 0.5, -1]) == builder.build().dgram


def test_bundles_are_flattened_in_order_whatever_their_time_tag() -> None:
    pings = [encode("/continuo/ping", [1, n]) for n in range(4)]
    far_future = b"#bundle\0" + b"\xff" * 8 + struct.pack(">i", len(pings[1])) + pings[1]
    messages = decode(bundle(pings[0], far_future, bundle(bundle(pings[2])), pings[3]))
    assert messages == [("/continuo/ping", [1, n]) for n in range(4)]


def test_nothing_reaches_the_library_unguarded() -> None:
    with pytest.raises(ProtocolError, match="bundle element"):
        decode(HANGS_PYTHON_OSC)


def test_a_message_too_large_for_the_wire_is_not_built() -> None:
    with pytest.raises(ProtocolError, match="shorten its texts to fit 1024"):
        encode("/continuo/error", ["x" * 2_000])


def test_a_codec_stricter_than_the_guard_is_a_malformed_datagram(monkeypatch: pytest.MonkeyPatch) -> None:
    def strict(data: bytes) -> None:
        raise ParseError("no")

    monkeypatch.setattr(osc_codec, "OscMessage", strict)
    with pytest.raises(ProtocolError, match="let an OSC library send") as caught:
        decode(PING)
    assert caught.value.code is ErrorCode.MALFORMED
