from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.answers import Answer
from bridge.clip_transfer import Clip
from bridge.controls import ControlValues
from bridge.errors import ErrorCode, ProtocolError
from bridge.take_log import KEPT_TAKES, MAX_RESENDS, Take, TakeLog
from bridge.take_request import read_request
from models.music.score import Meter, Part
from tests.bridge.talk import BAR, ME, message, scale_of

CLIP = Clip(1, (Part(),), (), BAR, Meter(0, 4, 4), 120.0)


def a_take(req: int = 1, bars: int = 8) -> Take:
    asked = message("generate", ME, req, 1, bars, 0, -1, -1)
    return Take(asked, read_request(asked, CLIP, ControlValues.defaults({})))


def test_a_take_begins_streams_and_ends() -> None:
    take = a_take()
    assert take.last_word() == []
    assert take.begun((8, 1, 42, -1)) == [Answer("take/begin", (1, 8, 1, 42, -1))]
    assert take.add(scale_of(3)) == [Answer("take/notes", (1, 0), tuple(scale_of(3)))]
    assert take.end(2) == [Answer("take/end", (1, 1, 3, 2))]
    assert take.last_word() == [Answer("take/end", (1, 1, 3, 2))]


@given(st.lists(st.integers(0, 100), max_size=12))
def test_notes_are_packed_numbered_and_none_is_lost(sizes: list[int]) -> None:
    take = a_take()
    notes = scale_of(sum(sizes))
    sent, at = [], 0
    for size in sizes:
        sent += take.add(notes[at : at + size])
        at += size
    assert [answer.values for answer in sent] == [(1, index) for index in range(len(sent))]
    assert [note for answer in sent for note in answer.notes] == notes
    assert all(0 < len(answer.notes) <= 32 for answer in sent)
    assert take.end(0) == [Answer("take/end", (1, len(sent), len(notes), 0))]


def test_a_take_longer_than_the_wire_can_number_keeps_what_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.take_log.MAX_DATAGRAMS", 2)
    take = a_take()
    assert len(take.add(scale_of(100))) == 2
    assert take.add(scale_of(1)) == []
    assert take.end(0) == [Answer("take/end", (1, 2, 64, 0))]


def test_the_end_is_told_again_only_when_more_notes_were_late() -> None:
    take = a_take()
    take.end(1)
    assert take.end(1) == []
    assert take.end(0) == []
    assert take.end(4) == [Answer("take/end", (1, 0, 0, 4))]


def test_a_take_that_is_over_takes_nothing_more() -> None:
    take = a_take()
    assert take.silence() == [Answer("take/end", (1, 0, 0, 0))]
    assert take.silence() == []
    assert take.begun((8, 1, 42, -1)) == []
    assert take.add(scale_of(3)) == []
    assert take.fail(ProtocolError(ErrorCode.MODEL_FAULT, "no")) == []


def test_a_failure_is_the_last_word() -> None:
    take = a_take()
    take.begun((8, 1, 42, -1))
    error = Answer("error", ("/continuo/generate", 7, "no; cure"))
    assert take.fail(ProtocolError(ErrorCode.MODEL_FAULT, "no; cure")) == [error]
    assert take.end(0) == []
    assert take.silence() == []
    assert take.last_word() == [error]
    assert take.repeat(take.message) == [error]


def test_the_same_request_is_answered_as_before() -> None:
    take = a_take()
    assert take.repeat(take.message) == []
    [begin] = take.begun((8, 1, 42, -1))
    assert take.repeat(take.message) == [begin]
    [end] = take.end(0)
    assert take.repeat(take.message) == [begin, end]
    with pytest.raises(ProtocolError, match="other arguments; count req up"):
        take.repeat(a_take(bars=4).message)


def test_a_datagram_is_sent_again_five_times() -> None:
    take = a_take()
    sent = take.add(scale_of(40))
    assert [take.resend(1) for _ in range(MAX_RESENDS)] == [sent[1]] * MAX_RESENDS
    with pytest.raises(ProtocolError, match="sent again 5 times"):
        take.resend(1)
    assert take.resend(0) == sent[0]


def test_a_datagram_never_sent_is_refused() -> None:
    take = a_take()
    take.add(scale_of(40))
    with pytest.raises(ProtocolError, match="has 2 datagrams so far, and 2 is none of them") as caught:
        take.resend(2)
    assert caught.value.code is ErrorCode.OUT_OF_RANGE


def test_the_log_keeps_the_last_few_and_refuses_old_numbers() -> None:
    log = TakeLog()
    for req in range(1, KEPT_TAKES + 2):
        log.check_new(req)
        log.add(a_take(req))
    assert log.get(1) is None
    assert log.find(2).req == 2
    with pytest.raises(ProtocolError, match=r"no take 1 \(known: 2, 3, 4, 5\)") as caught:
        log.find(1)
    assert caught.value.code is ErrorCode.NOT_FOUND
    with pytest.raises(ProtocolError, match="take 1 is older than take 5; count req up"):
        log.check_new(1)


def test_takes_that_failed_or_were_silenced_are_not_audible() -> None:
    log = TakeLog()
    takes = [a_take(req) for req in (1, 2, 3)]
    for take in takes:
        log.add(take)
    takes[0].silence()
    takes[1].fail(ProtocolError(ErrorCode.MODEL_FAULT, "no"))
    takes[2].end(0)
    assert [take.req for take in log.audible()] == [3], "whole, but it may still sound"
