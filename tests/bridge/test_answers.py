from __future__ import annotations

import pytest

from bridge.answers import Answer, refusal
from bridge.errors import ErrorCode, ProtocolError
from bridge.osc_codec import encode
from bridge.protocol import build
from bridge.wire_table import MAX_DATAGRAM_BYTES


def test_a_refusal_names_the_request_the_code_and_the_sentence() -> None:
    answer = refusal("/continuo/ping", ProtocolError(ErrorCode.BUSY, "wait"))
    assert answer == Answer("error", ("/continuo/ping", 6, "wait"))


@pytest.mark.parametrize("text", ["x" * 5_000, "é" * 5_000, "🎵" * 5_000, "a\0b", "\ud800"])
def test_any_sentence_fits_a_datagram_after_the_longest_address(text: str) -> None:
    answer = refusal("/" + 254 * "a", ProtocolError(ErrorCode.MALFORMED, text))
    assert len(encode(*build("error", 2**31 - 1, *answer.values))) <= MAX_DATAGRAM_BYTES
