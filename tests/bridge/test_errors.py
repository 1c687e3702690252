from __future__ import annotations

from bridge.errors import ConfigError, ContinuoError, ErrorCode, GeneratorError, PortError, ProtocolError
from bridge.wire_table import BY_NAME


def test_every_error_of_ours_can_be_caught_as_one() -> None:
    assert all(issubclass(kind, ContinuoError) for kind in (ConfigError, GeneratorError, PortError, ProtocolError))


def test_a_protocol_error_carries_what_the_wire_answers() -> None:
    error = ProtocolError(ErrorCode.BUSY, "wait a bar")
    assert (error.code, error.text, str(error)) == (6, "wait a bar", "wait a bar")


def test_the_codes_are_those_the_table_explains() -> None:
    explained = [int(phrase.split()[0]) for phrase in BY_NAME["error"].meaning.split(", ")]
    assert explained == [int(code) for code in ErrorCode]
