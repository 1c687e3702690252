"""Whatever comes in, the daemon says what was wrong, answers the next ping and plays on."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Sequence

import pytest

from models.music.constants import PPQ
from tests.integration.daemon.band import BAR_TICKS
from tests.integration.daemon.raw import RawClient, Value, message, padded
from tests.integration.daemon.served import Served

pytestmark = pytest.mark.jack

MALFORMED, UNKNOWN, WRONG, RANGE, NOT_FOUND = 1, 2, 3, 4, 5
PING = message("/continuo/ping", 0, 7)
NOTE = (0, 100, 60, 90, 0)

REFUSED: dict[str, tuple[bytes, int]] = {
    "nothing": (b"", MALFORMED),
    "garbage": (b"\xff\x00\x80garbage\x01", MALFORMED),
    "a truncated message": (PING[:-4], MALFORMED),
    "a message cut at an odd byte": (PING[:-3], MALFORMED),
    "a message with more bytes than arguments": (PING + b"\0\0\0\0", MALFORMED),
    "a message of unknown types": (padded("/continuo/ping") + padded(",cc") + b"\0" * 8, MALFORMED),
    "a bundle element of negative size": (b"#bundle\0" + b"\0" * 8 + b"\xff\xff\xff\xfc", MALFORMED),
    "a text that never ends": (padded("/continuo/get") + padded(",is") + b"\0\0\0\0abcd", MALFORMED),
    "a text that is not UTF-8": (padded("/continuo/get") + padded(",is") + b"\0\0\0\0\xc3\x28\0\0", MALFORMED),
    "a datagram that is too large": (message("/continuo/ping", *range(500)), MALFORMED),
    "an address that is a pattern": (message("/continuo/p*", 0, 1), MALFORMED),
    "an unknown address": (message("/continuo/play", 0), UNKNOWN),
    "an address of ours to clients": (message("/continuo/pong", 0, 1, 1), UNKNOWN),
    "a text for a number": (message("/continuo/ping", 0, "seven"), WRONG),
    "a number for a text": (message("/continuo/get", 0, 7), WRONG),
    "a float that is not whole": (message("/continuo/ping", 0, 7.5), WRONG),
    "no number": (message("/continuo/transport", 0, 1, 0, math.nan, 4, 4), WRONG),
    "infinity": (message("/continuo/transport", 0, 1, 0, math.inf, 4, 4), WRONG),
    "too few arguments": (message("/continuo/ping", 0), WRONG),
    "too many arguments": (message("/continuo/ping", 0, 1, 2), WRONG),
    "an id below 0": (message("/continuo/ping", -1, 1), RANGE),
    "a pitch of 200": (message("/continuo/clip/notes", 0, 1, 0, 0, 100, 200, 90, 0), RANGE),
    "a velocity of 0": (message("/continuo/clip/notes", 0, 1, 0, 0, 100, 60, 0, 0), RANGE),
    "a part of 16": (message("/continuo/clip/notes", 0, 1, 0, 0, 100, 60, 90, 16), RANGE),
    "a note cut short": (message("/continuo/clip/notes", 0, 1, 0, 0, 100, 60), WRONG),
    "33 notes": (message("/continuo/clip/notes", 0, 1, 0, *(NOTE * 33)), WRONG),
    "a meter of 4/5": (message("/continuo/transport", 0, 1, 0, 120.0, 4, 5), RANGE),
    "a tempo of 0": (message("/continuo/transport", 0, 1, 0, 0.0, 4, 4), RANGE),
    "no bars": (message("/continuo/generate", 0, 1, 1, 0, 0, 1, -1), RANGE),
    "65 bars": (message("/continuo/generate", 0, 1, 1, 65, 0, 1, -1), RANGE),
    "a take before its clip": (message("/continuo/generate", 0, 1, 77, 4, 0, 1, -1), NOT_FOUND),
    "the end of a take there never was": (message("/continuo/cancel", 0, 77), NOT_FOUND),
    "an unknown model": (message("/continuo/set", 0, "model", "nonsense"), RANGE),
    "an unknown control": (message("/continuo/set", 0, "swing", 1.0), WRONG),
    "a control out of range": (message("/continuo/set", 0, "temperature", 99.0), RANGE),
    "a protocol of the future": (message("/continuo/hello", 0, 9000, 2, "future"), RANGE),
}


@pytest.fixture
def raw(served: Served) -> Iterator[RawClient]:
    with RawClient(served.port) as raw:
        yield raw


def send_clip(raw: RawClient, notes: Sequence[tuple[int, ...]], length_ticks: int, req: int = 1) -> None:
    """A clip of one part, as fast as the daemon takes it."""
    raw.say("clip/begin", req, len(notes), length_ticks, 4, 4, 120.0)
    raw.say("clip/part", req, 0, 0, 0, "keys")
    datagrams = [notes[at : at + 32] for at in range(0, len(notes), 32)]
    for index, some in enumerate(datagrams):
        raw.say("clip/notes", req, index, *(value for note in some for value in note))
        if index % 64 == 63:
            raw.waiting()
    raw.say("clip/end", req, len(datagrams))


def plays(raw: RawClient, req: int = 1, clip_req: int = 1) -> bool:
    """Whether a clip that is held is continued."""
    raw.say("set", "out", 2)
    raw.say("generate", req, clip_req, 1, 0, 1, -1)
    while (found := raw.wait_for("take/begin", "take/notes", "take/end", "error"))[0] not in ("take/end", "error"):
        pass
    return found[0] == "take/end"


@pytest.mark.parametrize("case", REFUSED)
def test_it_is_told_what_was_wrong_and_the_next_ping_is_answered(raw: RawClient, case: str) -> None:
    data, code = REFUSED[case]
    raw.send(data)
    answers = raw.waiting()
    assert [path for path, _ in answers] == ["/continuo/error"]
    _, (_, _, told, text) = answers[0]
    assert (told, isinstance(text, str) and len(text) > 20) == (code, True), text


def test_numbers_of_every_kind_are_taken(raw: RawClient) -> None:
    whole = padded("/continuo/ping") + padded(",hd") + struct.pack(">qd", 0, 9.0)
    bundle = b"#bundle\0" + struct.pack(">Qi", 2**63, len(whole)) + whole
    for data in (whole, bundle, padded("/continuo/ping") + padded(",FT"), message("/continuo/ping", 0.0, 9.0)):
        raw.send(data)
        assert raw.wait_for("pong")[1][0] in (1, 9)


@pytest.mark.parametrize(
    "data", [PING, message("/continuo/play", 0), b"garbage!"], ids=["pings", "unknown", "malformed"]
)
def test_a_burst_of_ten_thousand_does_no_harm(raw: RawClient, served: Served, data: bytes) -> None:
    with RawClient(served.port) as flood:
        for _ in range(10_000):
            flood.send(data)
        send_clip(raw, [NOTE], BAR_TICKS)
        assert raw.wait_for("clip/ready", "error")[0] == "clip/ready"
        assert plays(raw)


def test_what_is_missing_of_a_clip_is_asked_for(raw: RawClient) -> None:
    raw.say("clip/begin", 1, 3, BAR_TICKS, 4, 4, 120.0)
    raw.say("clip/notes", 1, 0, *NOTE)
    raw.say("clip/notes", 1, 2, *NOTE)
    raw.say("clip/end", 1, 3)
    assert {raw.wait_for("clip/need")[1][1], raw.wait_for("clip/need")[1][1]} == {-1, 1}
    raw.say("clip/part", 1, 0, 0, 0, "keys")
    raw.say("clip/notes", 1, 1, *NOTE)
    assert raw.wait_for("clip/ready", "error") == ("clip/ready", [1, 3])
    assert plays(raw)


def test_a_clip_with_fewer_notes_than_it_said_is_refused(raw: RawClient) -> None:
    raw.say("clip/begin", 1, 5, BAR_TICKS, 4, 4, 120.0)
    raw.say("clip/part", 1, 0, 0, 0, "keys")
    raw.say("clip/notes", 1, 0, *NOTE)
    raw.say("clip/end", 1, 1)
    name, values = raw.wait_for("clip/ready", "error")
    assert (name, values[1]) == ("error", WRONG)
    assert "5 notes but 1 came" in str(values[2])


def test_an_empty_clip_is_continued(raw: RawClient) -> None:
    send_clip(raw, [], 0)
    assert raw.wait_for("clip/ready", "error") == ("clip/ready", [1, 0])
    assert plays(raw)


def test_a_clip_without_parts_is_refused_when_it_is_to_be_continued(raw: RawClient) -> None:
    raw.say("clip/begin", 1, 0, BAR_TICKS, 4, 4, 120.0)
    raw.say("clip/end", 1, 0)
    raw.wait_for("clip/ready")
    raw.say("generate", 1, 1, 1, 0, 1, -1)
    name, values = raw.wait_for("take/begin", "error")
    assert (name, values[1]) == ("error", WRONG)


def test_a_clip_of_twenty_thousand_notes_is_continued(raw: RawClient) -> None:
    notes = [(step * PPQ // 4, 100, 36 + step % 48, 1 + step % 127, 0) for step in range(20_000)]
    send_clip(raw, notes, 5_000 * PPQ)
    assert raw.wait_for("clip/ready", "error") == ("clip/ready", [1, 20_000])
    assert plays(raw)


@pytest.mark.parametrize("meter", [(1, 128), (33, 4), (7, 8)])
def test_a_clip_in_an_odd_meter_is_continued(raw: RawClient, meter: tuple[int, int]) -> None:
    bar_ticks = meter[0] * 4 * PPQ // meter[1]
    raw.say("clip/begin", 1, 1, 2 * bar_ticks, *meter, 120.0)
    raw.say("clip/part", 1, 0, 0, 0, "keys")
    raw.say("clip/notes", 1, 0, 0, 10, 60, 90, 0)
    raw.say("clip/end", 1, 1)
    raw.wait_for("clip/ready")
    assert plays(raw)


def test_ticks_at_the_end_of_the_range_are_survived(raw: RawClient) -> None:
    last: tuple[Value, ...] = (1, 10**9, 120.0, 4, 4)
    raw.say("transport", *last)
    raw.wait_for("status")
    send_clip(raw, [(0, 10**9, 60, 90, 0)], 10**9)
    assert raw.wait_for("clip/ready", "error")[0] == "clip/ready"
    assert plays(raw)
    raw.say("generate", 2, 1, 64, 0, 1, 10**9)
    assert raw.wait_for("take/begin", "error") == ("take/begin", [2, 64, 1, 1, 10**9])
    raw.wait_for("take/notes", "take/end")
    raw.say("transport", *last)
    assert raw.wait_for("status", "error")[0] == "status"


def test_a_part_whose_future_is_known_is_not_continued(raw: RawClient) -> None:
    send_clip(raw, [(10**9, 10**9, 60, 90, 0)], BAR_TICKS)
    assert raw.wait_for("clip/ready", "error")[0] == "clip/ready"
    raw.say("generate", 1, 1, 64, 0, 1, -1)
    name, values = raw.wait_for("take/begin", "error")
    assert (name, values[1]) == ("error", WRONG)
