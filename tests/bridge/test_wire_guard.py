from __future__ import annotations

import random
import struct

import pytest
from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
from pythonosc.osc_message import OscMessage

from bridge.errors import ErrorCode, ProtocolError
from bridge.osc_codec import decode, encode
from bridge.protocol import build
from bridge.wire_guard import BUNDLE, MAX_DEPTH, check_datagram, peek_address
from models.music.score import Note

PING = encode(*build("ping", 1, 2))
TAG = 8 * b"\0"
HANGS_PYTHON_OSC = BUNDLE + TAG + b"\xff\xff\xff\xfc"
EATS_REGULAR_EXPRESSIONS = b"/" + 20 * b"*" + b"x\0\0" + b",\0\0\0"


def bundle(*elements: bytes) -> bytes:
    return BUNDLE + TAG + b"".join(struct.pack(">i", len(element)) + element for element in elements)


def nested(depth: int) -> bytes:
    data = PING
    for _ in range(depth):
        data = bundle(data)
    return data


def is_refused(data: bytes) -> bool:
    try:
        check_datagram(data)
    except ProtocolError as error:
        assert error.code is ErrorCode.MALFORMED
        assert ";" in error.text or "," in error.text, "a sentence with its cure"
        return True
    return False


@pytest.mark.parametrize(
    "data",
    [
        PING,
        bundle(),
        bundle(PING, PING),
        bundle(bundle(PING), PING),
        nested(MAX_DEPTH),
        b"/a\0\0",
        b"/a\0\0,\0\0\0",
        b"/a\0\0,ifs\0\0\0\0" + struct.pack(">if", 1, 2.0) + b"abc\0",
        b"/a\0\0,s\0\0\0\0\0\0",
        "/a\0\0,s\0\0é\0\0".encode(),
        b"/a\0\0,TFN\0\0\0\0",
        b"/a\0\0,[i[]]\0\0" + struct.pack(">i", 1),
        b"/a\0\0,b\0\0" + struct.pack(">i", 3) + b"abc\0",
        b"/a\0\0,b\0\0" + struct.pack(">i", 0),
        b"/a\0\0,htd\0\0\0\0" + struct.pack(">qQd", 1, 2, 3.0),
        b"/A-Z_09.a/b:c+d~e\0\0\0,\0\0\0",
    ],
)
def test_well_formed_datagrams_pass(data: bytes) -> None:
    check_datagram(data)
    assert all(isinstance(address, str) for address, _ in decode(data))


@pytest.mark.parametrize(
    "data",
    [
        HANGS_PYTHON_OSC,
        EATS_REGULAR_EXPRESSIONS,
        b"",
        b"\0\0\0\0",
        b"abc",
        b"ping\0\0\0\0",
        PING[:-1],
        PING[:-4],
        PING + b"\0\0\0\0",
        b"/aaa",
        b"/aaa,i\0\0",
        b"/a\0\0iii\0",
        b"/a\0\0,iii",
        b"/a\0x,\0\0\0",
        b"/a?\0,\0\0\0",
        b"/a b\0\0\0\0",
        b"/\xc3\xa9\0,\0\0\0",
        b"/" + 255 * b"a" + b"\0\0\0\0,\0\0\0",
        b"/a\0\0,I\0\0",
        b"/a\0\0,S\0\0abc\0",
        b"/a\0\0,c\0\0\0\0\0a",
        b"/a\0\0,s\0\0abcd",
        b"/a\0\0,s\0\0a\0\0b",
        b"/a\0\0,s\0\0\xff\0\0\0",
        b"/a\0\0,]\0\0",
        b"/a\0\0,[\0\0",
        b"/a\0\0,[]]\0\0\0\0",
        b"/a\0\0,b\0\0" + struct.pack(">i", -4),
        b"/a\0\0,b\0\0" + struct.pack(">i", 5) + b"abcd",
        b"/a\0\0,b\0\0" + struct.pack(">i", 2**31 - 1) + b"abcd",
        b"/a\0\0,b\0\0",
        BUNDLE,
        BUNDLE + b"\0\0\0\0",
        BUNDLE + TAG + b"\0\0\0\0",
        BUNDLE + TAG + b"\0\0\0\x03" + b"/a\0\0",
        BUNDLE + TAG + b"\0\0\0\x08" + b"/a\0\0",
        BUNDLE + TAG + b"\x7f\xff\xff\xfc" + b"/a\0\0",
        bundle(PING, HANGS_PYTHON_OSC),
        bundle(b"junk"),
        nested(MAX_DEPTH + 1),
        nested(40),
        b"/a\0\0,b\0\0" + struct.pack(">i", 1020) + 1020 * b"a",
        bundle(*[PING] * 60),
    ],
)
def test_malformed_datagrams_are_refused(data: bytes) -> None:
    assert is_refused(data)


def test_a_datagram_is_as_long_as_the_wire_allows_and_no_longer() -> None:
    head = b"/a\0\0,s\0\0"
    check_datagram(head + (1024 - len(head) - 4) * b"x" + 4 * b"\0")
    with pytest.raises(ProtocolError, match="1028 bytes came; send at most 1024"):
        check_datagram(head + (1028 - len(head) - 4) * b"x" + 4 * b"\0")


def test_what_other_osc_libraries_build_passes() -> None:
    builder = OscBundleBuilder(IMMEDIATELY)
    builder.add_content(OscMessage(PING))
    inner = OscBundleBuilder(2_000_000_000)
    inner.add_content(OscMessage(PING))
    builder.add_content(inner.build())
    check_datagram(builder.build().dgram)


@pytest.mark.parametrize(
    ("data", "address"),
    [
        (PING, "/continuo/ping"),
        (b"/continuo/ping\xff\xff", "/continuo/ping"),
        (b"", ""),
        (b"\xff\xfe", ""),
        (BUNDLE, ""),
        (b"/" + 5_000 * b"a", "/" + 254 * b"a".decode()),
    ],
)
def test_the_address_of_a_broken_datagram_is_read_as_far_as_it_goes(data: bytes, address: str) -> None:
    assert peek_address(data) == address


def mutated(rng: random.Random, data: bytes) -> bytes:
    """A datagram with a few bytes changed, cut out or doubled."""
    broken = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(broken) + 1)
        match rng.randrange(5):
            case 0:
                broken[at : at + 1] = bytes([rng.choice(b"\0,#/[]*{}?ifsbhdtTFNISc\x01\x7f\x80\xff")])
            case 1:
                broken[at:at] = rng.choice([b"\0\0\0\0", b"#bundle\0", b"\xff\xff\xff\xfc", b"****", b"[[[["])
            case 2:
                del broken[at : at + rng.choice([1, 4, 8])]
            case 3:
                broken[at : at + 4] = struct.pack(">i", rng.choice([-4, -1, 0, 4, 8, 2**31 - 4, -(2**31)]))
            case 4:
                broken[at:at] = broken[at : at + 4 * rng.randrange(6)]
    return bytes(broken)


@pytest.mark.parametrize("seed", range(8))
def test_whatever_passes_the_guard_is_safe_for_the_codec(seed: int) -> None:
    rng = random.Random(seed)
    originals = [
        PING,
        encode(*build("clip/notes", 1, 1, 0, notes=[Note(0, 1, 60, 480, 100)] * 4)),
        encode(*build("set", 1, "top_p", 0.9)),
        bundle(PING, bundle(PING, encode(*build("get", 1, "*")))),
        b"/a\0\0,[sb]TFN\0\0\0\0abc\0" + struct.pack(">i", 3) + b"abc\0",
        b"/a\0\0,htdmr\0\0" + struct.pack(">qQd", 1, 2**64 - 1, 3.0) + 8 * b"\x7f",
    ]
    passed = 0
    for _ in range(2_500):
        data = mutated(rng, rng.choice(originals))
        if not is_refused(data):
            passed += 1
            decode(data)
    assert passed > 100, "the mutations must leave something to decode"
