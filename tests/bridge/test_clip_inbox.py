"""A clip over a network that loses, doubles and reorders, with a client that resends what it is asked for."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.answers import Answer
from bridge.clip_inbox import KEPT_CLIPS, MAX_TRANSFERS, MAX_TRIES, ClipInbox, InboxResult
from bridge.clip_transfer import Clip
from bridge.errors import ErrorCode, ProtocolError
from bridge.protocol import Message
from bridge.wire_table import HEADER_INDEX
from models.music.score import Note
from tests.bridge.talk import BAR, ME, clip_messages, message, scale_of


def feed(inbox: ClipInbox, messages: list[Message], now_s: float = 0.0) -> list[InboxResult]:
    return [result for each in messages if (result := inbox.take_in(each, now_s)) != InboxResult()]


def needs(results: list[InboxResult]) -> list[int]:
    return [int(a.values[1]) for result in results for a in result.answers if a.name == "clip/need"]


class Network:
    """Carries a client's messages to an inbox and its answers back, badly."""

    def __init__(self, seed: int, loss: float, messages: list[Message]) -> None:
        self.rng = random.Random(seed)
        self.loss = loss
        self.inbox = ClipInbox()
        self.by_index: dict[int, list[Message]] = {
            each.integer("index"): [each] for each in messages if each.name == "clip/notes"
        }
        self.by_index[HEADER_INDEX] = [each for each in messages if each.name in ("clip/begin", "clip/part")]
        self.under_way = messages[:]
        self.now_s = 0.0
        self.clips: list[Clip] = []
        self.ready: list[Answer] = []

    def run(self) -> None:
        """Until nothing happens any more."""
        for _ in range(4_000):
            if self.clips and not self.under_way:
                return
            self.rng.shuffle(self.under_way)
            arriving, self.under_way = self.under_way, []
            for each in arriving:
                self._arrive(each)
            self.now_s += 0.05
            for result in self.inbox.tick(self.now_s):
                self._answer(result)
        raise AssertionError("it never ends")

    def _arrive(self, each: Message) -> None:
        fate = self.rng.random()
        if fate < self.loss:
            return
        if fate > 0.8:
            self.under_way.append(each)  # and once more later
        self._answer(self.inbox.take_in(each, self.now_s))

    def _answer(self, result: InboxResult) -> None:
        assert not any(answer.name == "error" for answer in result.answers), result
        for answer in result.answers:
            if answer.name == "clip/need" and self.rng.random() > self.loss:
                self.under_way += self.by_index.get(int(answer.values[1]), [])
            elif answer.name == "clip/ready":
                self.ready.append(answer)
        if result.clip:
            self.clips.append(result.clip)


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 10**6), loss=st.sampled_from([0.0, 0.05, 0.2]), count=st.integers(0, 400))
def test_a_clip_arrives_whole_once_over_any_bad_network(seed: int, loss: float, count: int) -> None:
    notes = scale_of(count)
    network = Network(seed, loss, clip_messages(1, notes))
    network.run()
    [clip] = network.clips
    assert clip.notes == tuple(notes)
    assert all(answer.values == (1, count) for answer in network.ready)
    assert network.ready


def test_twenty_thousand_notes_arrive() -> None:
    notes = scale_of(20_000)
    network = Network(1, 0.1, clip_messages(1, notes))
    network.run()
    assert network.clips[0].notes == tuple(notes)


def test_an_empty_clip_with_parts_is_a_clip() -> None:
    [result] = feed(ClipInbox(), clip_messages(1, [], parts=(0, 3)))
    assert result.answers == (Answer("clip/ready", (1, 0)),)
    assert result.clip is not None
    assert result.clip.part_numbers == {0, 3}


def test_the_end_sent_twice_is_answered_twice_and_done_once() -> None:
    inbox = ClipInbox()
    messages = clip_messages(1, scale_of(5))
    feed(inbox, messages)
    again = feed(inbox, messages)
    assert again == [InboxResult((Answer("clip/ready", (1, 5)),))]


def test_gaps_are_asked_for_at_the_end_and_again_until_patience_ends() -> None:
    inbox = ClipInbox()
    messages = clip_messages(1, scale_of(160))
    without_two = [each for each in messages if each.values.get("index") not in (1, 3)]
    assert needs(feed(inbox, without_two)) == [1, 3]
    now_s, rounds = 0.0, 1
    while True:
        now_s += 0.1
        results = inbox.tick(now_s)
        if not needs(results) and results:
            break
        rounds += needs(results) == [1, 3]
    assert rounds == MAX_TRIES
    [error] = results[0].answers
    assert error.values[:2] == ("/continuo/clip/end", ErrorCode.NOT_FOUND)
    assert "datagram 1, 3 is missing after 5 requests; send it again" in str(error.values[2])
    assert results[0].failed_req == 1
    assert inbox.tick(now_s + 100.0) == []


def test_the_wait_between_two_rounds_doubles() -> None:
    inbox = ClipInbox()
    feed(inbox, [each for each in clip_messages(1, scale_of(40)) if each.values.get("index") != 0])
    asked_ms = []
    for ms in range(0, 10_000, 10):
        if needs(inbox.tick(ms / 1000)):
            asked_ms.append(ms)
    assert asked_ms == pytest.approx([200, 600, 1400, 3000], abs=40)


def test_a_clip_that_failed_may_be_sent_again_under_the_same_number() -> None:
    inbox = ClipInbox()
    messages = clip_messages(1, scale_of(40))
    feed(inbox, [messages[0], messages[-1]])
    for second in range(60):
        inbox.tick(float(second))
    with pytest.raises(ProtocolError, match="not whole"):
        inbox.take_in(messages[-1], 60.0)
    assert feed(inbox, messages[1:-1], 60.0) == [], "what is left of it on the way wakes nothing"
    [result] = feed(inbox, messages, 61.0)
    assert result.clip is not None


def test_a_lost_end_alone_delays_the_clip_and_does_not_lose_it() -> None:
    inbox = ClipInbox()
    feed(inbox, clip_messages(1, scale_of(40))[:-1])
    assert inbox.tick(0.9) == []
    [result] = inbox.tick(1.0)
    assert result.clip is not None
    assert len(result.clip.notes) == 40


def test_a_lost_tail_is_asked_for_though_nobody_said_how_long_it_is() -> None:
    inbox = ClipInbox()
    feed(inbox, clip_messages(1, scale_of(100))[:-3])
    assert needs(inbox.tick(1.0)) == [2]


def test_what_is_asked_for_in_portions_is_asked_on_when_a_portion_has_come() -> None:
    inbox = ClipInbox()
    begin, part, *notes, end = clip_messages(1, scale_of(320 * 32))
    assert needs(feed(inbox, [begin, part, end])) == list(range(256))
    assert needs(feed(inbox, notes[:256])) == list(range(256, 320))
    assert inbox.is_coming(1)
    [result] = feed(inbox, notes[256:])
    assert result.clip is not None
    assert not inbox.is_coming(1)


def test_a_wrong_count_fails_at_once() -> None:
    inbox = ClipInbox()
    messages = clip_messages(1, scale_of(4))
    messages[0] = message("clip/begin", ME, 1, 5, BAR, 4, 4, 120.0)
    [result] = feed(inbox, messages)
    assert result.answers[0].values[:2] == ("/continuo/clip/end", ErrorCode.WRONG_ARGUMENT)
    assert result.failed_req == 1


def test_a_contradiction_leaves_every_clip_as_it_was() -> None:
    inbox = ClipInbox()
    feed(inbox, clip_messages(1, scale_of(5)))
    with pytest.raises(ProtocolError, match="clip 1 is held already with different contents"):
        inbox.take_in(message("clip/begin", ME, 1, 6, BAR, 4, 4, 120.0), 0.0)
    assert inbox.find(1).notes == tuple(scale_of(5))


def test_the_last_few_clips_are_held_and_older_numbers_are_refused() -> None:
    inbox = ClipInbox()
    for req in range(1, KEPT_CLIPS + 2):
        feed(inbox, clip_messages(req, [Note(0, 0, 60, 10, req)]))
    assert inbox.find(2).notes[0].velocity == 2
    with pytest.raises(ProtocolError, match=r"no clip 1 \(held: 2, 3, 4, 5\)") as caught:
        inbox.find(1)
    assert caught.value.code is ErrorCode.NOT_FOUND
    with pytest.raises(ProtocolError, match="clip 1 is older than those still held"):
        feed(inbox, clip_messages(1, []))


def test_too_many_at_once_give_up_the_oldest_and_say_so() -> None:
    inbox = ClipInbox()
    for req in range(1, MAX_TRANSFERS + 2):
        inbox.take_in(message("clip/begin", ME, req, 1, BAR, 4, 4, 120.0), req / 100)
    [result] = inbox.tick(0.1)
    assert result.failed_req == 1
    assert result.answers[0].values[1] == ErrorCode.BUSY
    assert not inbox.is_coming(1)
    assert inbox.is_coming(5)
