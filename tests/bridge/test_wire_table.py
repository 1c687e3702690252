from __future__ import annotations

from bridge.wire_table import BY_NAME, BY_PATH, MAX_INT, MAX_TICK, NOTE_ARGUMENTS, TABLE, Direction, Kind


def test_every_address_is_there_once_and_starts_with_the_client_number() -> None:
    assert len(BY_NAME) == len(BY_PATH) == len(TABLE)
    assert all(address.arguments[0].name == "id" for address in TABLE)
    assert all(path.startswith("/continuo/") for path in BY_PATH)


def test_the_addresses_are_those_of_the_contract() -> None:
    to_daemon = {address.name for address in TABLE if address.direction is Direction.TO_DAEMON}
    assert to_daemon == {
        *("hello", "ping", "transport", "scale", "clip/begin", "clip/part", "clip/notes", "clip/end", "generate"),
        *("cancel", "take/need", "set", "get", "panic", "bye"),
    }
    assert BY_NAME.keys() - to_daemon == {
        *("welcome", "pong", "clip/need", "clip/ready", "take/begin", "take/notes", "take/end"),
        *("status", "value", "error"),
    }


def test_every_whole_number_fits_32_bits_and_two_ticks_add_up_within_them() -> None:
    arguments = [argument for address in TABLE for argument in address.arguments + NOTE_ARGUMENTS]
    for argument in arguments:
        if argument.kind is Kind.INT:
            assert -MAX_INT - 1 <= argument.low <= argument.high <= MAX_INT, argument.name
    assert 2 * MAX_TICK <= MAX_INT


def test_no_message_names_an_argument_twice() -> None:
    for address in TABLE:
        names = [argument.name for argument in address.arguments]
        assert len(set(names)) == len(names), address.name
