from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import ErrorCode, ProtocolError
from bridge.osc_codec import decode, encode
from bridge.protocol import Message, build, parse, reference_markdown
from bridge.wire_table import BY_NAME, MAX_DATAGRAM_BYTES, NOTE_ARGUMENTS, TABLE, Address, Direction, Kind
from models.music.score import Note
from tests.bridge.strategies import contents_of

BEGIN = "/continuo/clip/begin"
GENERATE = "/continuo/generate"


def over_the_wire(data: bytes, direction: Direction) -> Message:
    [(address, args)] = decode(data)
    return parse(address, args, direction)


@pytest.mark.parametrize("address", TABLE, ids=lambda address: address.name)
@given(data=st.data())
def test_a_message_comes_through_bytes_as_it_was(address: Address, data: st.DataObject) -> None:
    values, notes = data.draw(contents_of(address))
    message = over_the_wire(encode(*build(address.name, *values, notes=notes)), address.direction)
    assert message.name == address.name
    assert list(message.values.values()) == values
    assert list(message.notes) == notes


def test_values_may_be_given_by_name() -> None:
    assert build("set", 5, name="top_p", value=0.5) == ("/continuo/set", [5, "top_p", 0.5])
    assert build("ping", n=2, id=1) == build("ping", 1, 2)


def test_a_value_left_out_or_named_twice_is_told() -> None:
    with pytest.raises(ProtocolError, match="lacks n"):
        build("ping", 1)
    with pytest.raises(ProtocolError, match="no free argument"):
        build("ping", 1, 2, n=3)
    with pytest.raises(ProtocolError, match="takes 2 arguments, not 3"):
        build("ping", 1, 2, 3)


def test_the_fullest_datagram_of_notes_fits() -> None:
    note = Note(10**9, 15, 127, 10**9, 127)
    assert len(encode(*build("take/notes", 2**31 - 1, 2**31 - 1, 16_383, notes=[note] * 32))) <= MAX_DATAGRAM_BYTES


@pytest.mark.parametrize("sent", [7, 7.0, 7 + 0j.real])
def test_a_whole_number_may_come_in_any_clothes(sent: float) -> None:
    message = parse("/continuo/ping", [sent, sent])
    assert message.values == {"id": 7, "n": 7}
    assert all(type(value) is int for value in message.values.values())


def test_truth_values_are_numbers() -> None:
    message = parse("/continuo/transport", [1, True, False, 120, 4, 4])
    assert (message.integer("playing"), message.integer("song_tick")) == (1, 0)


def test_a_float_argument_takes_whole_numbers_and_drops_the_noise_of_32_bits() -> None:
    assert parse("/continuo/transport", [1, 0, 0, 120, 4, 4]).number("tempo") == 120.0
    assert parse("/continuo/set", [1, "top_p", 0.8999999761581421]).values["value"] == 0.9


@pytest.mark.parametrize("raw", [math.nan, math.inf, -math.inf])
def test_no_number_may_be_nan_or_infinite(raw: float) -> None:
    for address in TABLE:
        for position, argument in enumerate(address.arguments):
            if argument.kind is Kind.TEXT:
                continue
            args: list[object] = ["text" if other.kind is Kind.TEXT else other.low for other in address.arguments]
            args[position] = raw
            with pytest.raises(ProtocolError, match=argument.name) as caught:
                parse(address.path, args, address.direction)
            assert caught.value.code is ErrorCode.WRONG_ARGUMENT


@pytest.mark.parametrize(
    ("address", "args", "code", "words"),
    [
        ("/continuo/ping", [1, 0.5], ErrorCode.WRONG_ARGUMENT, "n came as 0.5; send a whole number"),
        ("/continuo/ping", [1, "one"], ErrorCode.WRONG_ARGUMENT, "n came as “one”; send a whole number"),
        ("/continuo/ping", [1, None], ErrorCode.WRONG_ARGUMENT, "n came as None"),
        ("/continuo/ping", [1, [2]], ErrorCode.WRONG_ARGUMENT, "n came as"),
        ("/continuo/ping", [1, b"blob"], ErrorCode.WRONG_ARGUMENT, "n came as"),
        ("/continuo/ping", [1], ErrorCode.WRONG_ARGUMENT, "takes 2 arguments, not 1; send exactly: id n"),
        ("/continuo/ping", [], ErrorCode.WRONG_ARGUMENT, "not 0"),
        ("/continuo/ping", [-1, 0], ErrorCode.OUT_OF_RANGE, "id came as -1"),
        ("/continuo/ping", [2**31, 0], ErrorCode.OUT_OF_RANGE, "id came as"),
        ("/continuo/ping", [1e300, 0], ErrorCode.OUT_OF_RANGE, "id came as"),
        ("/continuo/get", [1, 3], ErrorCode.WRONG_ARGUMENT, "name came as 3; send a text"),
        (
            "/continuo/hello",
            [1, 0, 1, "Live"],
            ErrorCode.OUT_OF_RANGE,
            "reply_port came as 0; send a whole number from 1",
        ),
        (
            GENERATE,
            [1, 1, 1, 65, 0, -1, -1],
            ErrorCode.OUT_OF_RANGE,
            "bars came as 65; send a whole number from 1 to 64",
        ),
        (GENERATE, [1, 1, 1, 0, 0, -1, -1], ErrorCode.OUT_OF_RANGE, "bars"),
        (GENERATE, [1, 1, 1, 4, 65_536, -1, -1], ErrorCode.OUT_OF_RANGE, "parts"),
        (GENERATE, [1, 1, 1, 4, 0, -2, -1], ErrorCode.OUT_OF_RANGE, "seed"),
        (BEGIN, [1, 1, 4, 1920, 4, 3, 120], ErrorCode.OUT_OF_RANGE, "den came as 3; send one of 1, 2, 4"),
        (BEGIN, [1, 1, 100_001, 1920, 4, 4, 120], ErrorCode.OUT_OF_RANGE, "count"),
        (BEGIN, [1, 1, 4, 1920, 4, 4, 0], ErrorCode.OUT_OF_RANGE, "tempo"),
        (BEGIN, [1, 1, 4, 1920, 4, 4, "fast"], ErrorCode.WRONG_ARGUMENT, "tempo came as “fast”; send a number"),
        ("/continuo/clip/notes", [1, 1, 0, 0, 480, 60, 100], ErrorCode.WRONG_ARGUMENT, "whole notes"),
        ("/continuo/clip/notes", [1, 1, 0, *[0, 480, 60, 100, 0] * 33], ErrorCode.WRONG_ARGUMENT, "fewer notes"),
        ("/continuo/nothing", [1], ErrorCode.UNKNOWN_ADDRESS, "no address “/continuo/nothing”"),
        ("/live/song", [1], ErrorCode.UNKNOWN_ADDRESS, "README"),
        ("/continuo/PING", [1], ErrorCode.UNKNOWN_ADDRESS, "did you mean /continuo/ping?"),
        ("/generate", [1], ErrorCode.UNKNOWN_ADDRESS, "did you mean /continuo/generate?"),
        ("/continuo/pong", [1, 1, 1], ErrorCode.UNKNOWN_ADDRESS, "goes from daemon to client"),
        ("", [], ErrorCode.UNKNOWN_ADDRESS, "no address"),
    ],
)
def test_what_is_wrong_is_told_in_one_sentence(address: str, args: list[object], code: ErrorCode, words: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        parse(address, args)
    assert caught.value.code is code
    assert words in caught.value.text
    assert "\n" not in caught.value.text


@pytest.mark.parametrize(
    ("position", "raw"),
    [(0, -1), (0, 10**9 + 1), (1, 0), (1, -480), (2, -1), (2, 128), (3, 0), (3, 128), (4, -1), (4, 16)],
)
def test_a_note_outside_its_range_is_refused_by_name(position: int, raw: int) -> None:
    flat = [0, 480, 60, 100, 0]
    flat[position] = raw
    with pytest.raises(ProtocolError, match=NOTE_ARGUMENTS[position].name) as caught:
        parse("/continuo/clip/notes", [1, 1, 0, *[0, 480, 60, 100, 0], *flat])
    assert caught.value.code is ErrorCode.OUT_OF_RANGE


def test_edge_notes_are_kept() -> None:
    message = parse("/continuo/clip/notes", [1, 1, 0, 0, 1, 0, 1, 0, 10**9, 10**9, 127, 127, 15])
    assert message.notes == (Note(0, 0, 0, 1, 1), Note(10**9, 15, 127, 10**9, 127))


def test_a_wrong_value_is_shown_short_and_printable() -> None:
    with pytest.raises(ProtocolError) as caught:
        parse("/continuo/ping", [1, "\x1b[2J" + "x" * 500])
    assert "\x1b" not in caught.value.text
    assert len(caught.value.text) < 200


def test_a_number_for_a_control_must_fit_32_bits() -> None:
    with pytest.raises(ProtocolError, match="value came as") as caught:
        parse("/continuo/set", [1, "top_k", 2**40])
    assert caught.value.code is ErrorCode.OUT_OF_RANGE


def test_a_text_with_a_nul_cannot_be_built() -> None:
    with pytest.raises(ProtocolError, match="name"):
        build("get", 1, "a\0b")


def test_the_reference_tells_every_address_argument_and_range() -> None:
    text = reference_markdown()
    for address in TABLE:
        row = next(line for line in text.splitlines() if line.startswith(f"| `{address.path}` |"))
        assert all(argument.name in row for argument in address.arguments)
        assert address.meaning in row
    for argument in {argument for address in TABLE for argument in address.arguments}:
        assert f"| {argument.name} | {argument.kind.value} |" in text
    assert "| bars | int | 1..64 bars | `generate`, `take/begin` |" in text
    assert "| id | int | 0..2147483647 | every message |" in text


def test_values_are_read_by_name_and_type() -> None:
    message = parse("/continuo/clip/part", [9, 3, 1, 0, -1, "Bass"])
    assert (message.client_id, message.integer("part"), message.text("name")) == (9, 1, "Bass")
    assert message.path == "/continuo/clip/part"
    assert BY_NAME[message.name].path == message.path
