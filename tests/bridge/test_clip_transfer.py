from __future__ import annotations

import pytest

from bridge.clip_transfer import MAX_ASKED, Clip, ClipTransfer
from bridge.errors import ErrorCode, ProtocolError
from bridge.wire_table import HEADER_INDEX
from models.music.score import Meter, Note, Part
from tests.bridge.talk import BAR, ME, clip_messages, message, scale_of


def test_a_clip_sent_in_order_is_whole_after_its_end() -> None:
    transfer = ClipTransfer(3, 0.0)
    notes = scale_of(70)
    *first, last = clip_messages(3, notes, parts=(0, 9))
    for each in first:
        transfer.take_in(each, 0.0)
    assert not transfer.is_whole
    assert transfer.has_all_notes
    transfer.take_in(last, 0.0)
    assert transfer.is_whole
    clip = transfer.clip()
    assert clip.notes == tuple(notes)
    assert clip.parts[0] == Part(is_drum=False, program=0, name="part 0")
    assert clip.parts[1:9] == (None,) * 8
    assert clip.parts[9] == Part(is_drum=True, program=9, name="part 9")
    assert (clip.req, clip.length_ticks, clip.meter, clip.bpm) == (3, BAR, Meter(0, 4, 4), 120.0)


def test_gaps_are_told_and_so_is_a_missing_beginning() -> None:
    transfer = ClipTransfer(1, 0.0)
    begin, part, *notes, end = clip_messages(1, scale_of(160))
    transfer.take_in(notes[1], 0.0)
    assert transfer.missing() == [HEADER_INDEX, 0, 2], "before the end has come, also the next one"
    transfer.take_in(end, 0.0)
    assert transfer.missing() == [HEADER_INDEX, 0, 2, 3, 4]
    transfer.take_in(begin, 0.0)
    assert transfer.missing()[0] == HEADER_INDEX, "the part of the notes that came is not introduced"
    transfer.take_in(part, 0.0)
    assert transfer.missing() == [0, 2, 3, 4]
    assert not transfer.is_whole


def test_gaps_are_asked_for_in_portions() -> None:
    transfer = ClipTransfer(1, 0.0)
    begin, _, *_, end = clip_messages(1, scale_of(20_000))
    transfer.take_in(begin, 0.0)
    transfer.take_in(end, 0.0)
    assert transfer.missing() == list(range(MAX_ASKED))


def test_notes_are_sorted_however_they_come() -> None:
    transfer = ClipTransfer(1, 0.0)
    notes = [Note(480, 0, 60, 10, 1), Note(0, 0, 72, 10, 1), Note(0, 0, 60, 10, 1)]
    for each in clip_messages(1, notes):
        transfer.take_in(each, 0.0)
    assert transfer.clip().notes == tuple(sorted(notes))


def test_news_resets_the_tries_and_repetition_does_not() -> None:
    transfer = ClipTransfer(1, 0.0)
    begin = clip_messages(1, [])[0]
    transfer.tries = 3
    transfer.take_in(begin, 1.0)
    assert (transfer.tries, transfer.heard_s) == (0, 1.0)
    transfer.tries = 3
    transfer.take_in(begin, 2.0)
    assert (transfer.tries, transfer.heard_s) == (3, 1.0)


@pytest.mark.parametrize(
    "changed",
    [
        message("clip/begin", ME, 1, 41, BAR, 4, 4, 120.0),
        message("clip/part", ME, 1, 0, 1, 0, "part 0"),
        message("clip/notes", ME, 1, 0, notes=scale_of(31)),
        message("clip/end", ME, 1, 3),
    ],
    ids=lambda changed: changed.name,
)
def test_a_second_message_with_other_contents_is_refused_and_changes_nothing(changed: object) -> None:
    transfer = ClipTransfer(1, 0.0)
    for each in clip_messages(1, scale_of(40)):
        transfer.take_in(each, 0.0)
    before = transfer.clip()
    with pytest.raises(ProtocolError, match="different contents; count req up") as caught:
        transfer.take_in(changed, 1.0)  # type: ignore[arg-type]
    assert caught.value.code is ErrorCode.WRONG_ARGUMENT
    assert transfer.clip() == before


def test_a_datagram_past_the_end_is_refused_whichever_comes_first() -> None:
    early = ClipTransfer(1, 0.0)
    early.take_in(message("clip/end", ME, 1, 1), 0.0)
    with pytest.raises(ProtocolError, match="index 1, but clip/end says there are 1"):
        early.take_in(message("clip/notes", ME, 1, 1), 0.0)
    late = ClipTransfer(1, 0.0)
    late.take_in(message("clip/notes", ME, 1, 1), 0.0)
    with pytest.raises(ProtocolError, match="index 1, but clip/end says there are 1"):
        late.take_in(message("clip/end", ME, 1, 1), 0.0)


def test_a_wrong_count_is_told_once_everything_has_come() -> None:
    transfer = ClipTransfer(1, 0.0)
    transfer.take_in(message("clip/begin", ME, 1, 5, BAR, 4, 4, 120.0), 0.0)
    for each in clip_messages(1, scale_of(4))[1:]:
        transfer.take_in(each, 0.0)
    assert transfer.is_whole
    with pytest.raises(ProtocolError, match="begun with 5 notes but 4 came in 1 datagrams"):
        transfer.clip()


def test_too_many_notes_are_refused_even_before_the_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.clip_transfer.MAX_CLIP_NOTES", 40)
    transfer = ClipTransfer(1, 0.0)
    transfer.take_in(message("clip/notes", ME, 1, 0, notes=scale_of(32)), 0.0)
    with pytest.raises(ProtocolError, match="more than 40 notes") as caught:
        transfer.take_in(message("clip/notes", ME, 1, 1, notes=scale_of(32)), 0.0)
    assert caught.value.code is ErrorCode.OUT_OF_RANGE


def test_notes_past_the_end_make_a_part_given() -> None:
    notes = (Note(0, 0, 60, 10, 1), Note(0, 1, 60, 10, 1), Note(BAR, 1, 60, 10, 1))
    clip = Clip(1, (Part(), Part(), None, Part()), notes, BAR, Meter(0, 4, 4), 120.0)
    assert clip.part_numbers == {0, 1, 3}
    assert clip.given_parts == {1}


def test_nobody_saying_a_program_is_no_program() -> None:
    transfer = ClipTransfer(1, 0.0)
    transfer.take_in(message("clip/begin", ME, 1, 0, BAR, 4, 4, 120.0), 0.0)
    transfer.take_in(message("clip/part", ME, 1, 0, 0, -1, ""), 0.0)
    transfer.take_in(message("clip/end", ME, 1, 0), 0.0)
    assert transfer.is_whole
    assert transfer.clip().parts == (Part(False, None, ""),)
