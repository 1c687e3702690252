"""What the MIDI child decides, without a child."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bridge.midi_records import Command, Kind, cancel, note_off, note_on, panic, program, silence
from bridge.note_queue import DROP_NS, LATE_NS, NoteQueue
from bridge.notes import Message, all_sound_off
from tests.fakes import MS, ManualClock, SoundingPort


def play_until(queue: NoteQueue, now_ns: int) -> list[Message]:
    """Everything due at `now_ns`, sent then."""
    messages = []
    while (due_ns := queue.next_due_ns) is not None and due_ns <= now_ns:
        messages += queue.pop(now_ns)
    return messages


def test_commands_come_out_in_order_of_time_not_of_arrival() -> None:
    queue = NoteQueue()
    for command in (note_on(30, 1, 2, 0, 62, 90), note_off(20, 1, 1, 0, 60), note_on(10, 1, 1, 0, 60, 90)):
        assert queue.push(command) == []
    assert queue.next_due_ns == 10
    assert play_until(queue, 25) == [(0x90, 60, 90), (0x80, 60, 64)]
    assert queue.next_due_ns == 30
    assert queue.sounding == 0


def test_at_one_instant_notes_end_before_the_program_and_the_next_note() -> None:
    queue = NoteQueue()
    queue.push(note_on(0, 1, 1, 0, 60, 90))
    for command in (note_on(10, 1, 2, 0, 60, 80), program(10, 1, 0, 5), note_off(10, 1, 1, 0, 60)):
        queue.push(command)
    assert play_until(queue, 10) == [(0x90, 60, 90), (0x80, 60, 64), (0xC0, 5), (0x90, 60, 80)]


def test_a_cancel_ends_the_take_at_once_and_drops_what_it_had_pending() -> None:
    queue = NoteQueue()
    queue.push(note_on(0, 1, 1, 0, 60, 90))
    queue.push(note_on(0, 2, 2, 0, 64, 90))
    play_until(queue, 0)
    queue.push(note_on(50, 1, 3, 0, 67, 90))
    queue.push(note_off(90, 2, 2, 0, 64))
    assert queue.push(cancel(1)) == [(0x80, 60, 64)], "the channel is not quietened: another take sounds there"
    assert play_until(queue, 100) == [(0x80, 64, 64)]


def test_a_cancel_quietens_the_channels_of_its_take() -> None:
    queue = NoteQueue()
    queue.push(note_on(0, 1, 1, 2, 60, 90))
    queue.push(note_on(0, 2, 2, 3, 64, 90))
    play_until(queue, 0)
    assert queue.push(cancel(1)) == [(0x82, 60, 64), *all_sound_off(2)]
    assert queue.push(cancel(1)) == []


def test_a_dated_cancel_waits_for_its_time() -> None:
    queue = NoteQueue()
    queue.push(note_on(0, 1, 1, 0, 60, 90))
    queue.push(note_on(50, 1, 2, 0, 64, 90))
    assert queue.push(cancel(1, 50)) == []
    assert play_until(queue, 49) == [(0x90, 60, 90)]
    assert play_until(queue, 60) == [(0x80, 60, 64)], "a note at the very instant of the cut is not played"
    assert queue.next_due_ns is None


def test_panic_acts_when_it_arrives_and_forgets_everything() -> None:
    queue = NoteQueue()
    queue.push(note_on(0, 1, 1, 4, 60, 90))
    play_until(queue, 0)
    queue.push(note_on(50, 1, 2, 5, 64, 90))
    assert queue.push(panic()) == [(0x84, 60, 64), *all_sound_off(4)]
    assert queue.next_due_ns is None


def test_a_late_note_is_counted_and_a_stale_one_not_played() -> None:
    queue = NoteQueue()
    for note, due_ns in enumerate((0, -LATE_NS, -LATE_NS - 1, -DROP_NS, -DROP_NS - 1)):
        queue.push(note_on(due_ns, 7, note, note, 60, 90))
    assert len(play_until(queue, 0)) == 4
    assert (queue.late, queue.dropped, queue.sent) == (2, 1, 4)
    assert queue.late_by_tag == {7: 3}


def test_the_note_off_of_a_dropped_note_is_not_sent() -> None:
    queue = NoteQueue()
    queue.push(note_on(0, 1, 1, 0, 60, 90))
    queue.push(note_off(10, 1, 1, 0, 60))
    assert play_until(queue, DROP_NS + 1) == []


def test_only_the_latest_takes_are_told_apart() -> None:
    queue = NoteQueue()
    for tag in range(40):
        queue.push(note_on(0, tag, tag, 0, 60, 90))
        queue.pop(LATE_NS + 1)
    assert set(queue.late_by_tag) == set(range(8, 40))


def test_lateness_counts_what_was_sent() -> None:
    queue = NoteQueue()
    queue.push(note_on(0, 1, 1, 0, 60, 90))
    queue.push(note_off(0, 1, 2, 0, 61))
    play_until(queue, 0)
    assert queue.lateness.counts == {0: 1}


def test_silence_spares_a_channel_that_sounds() -> None:
    queue = NoteQueue()
    queue.push(note_on(0, 1, 1, 0, 60, 90))
    queue.push(silence(1, 0))
    queue.push(silence(1, 1))
    assert play_until(queue, 1) == [(0x90, 60, 90), *all_sound_off(1)]


COMMANDS = st.builds(
    Command,
    due_ns=st.integers(0, 400 * MS),
    kind=st.sampled_from(
        [Kind.NOTE_ON, Kind.NOTE_ON, Kind.NOTE_OFF, Kind.CANCEL, Kind.PROGRAM, Kind.PANIC, Kind.SILENCE]
    ),
    tag=st.integers(0, 2),
    note=st.integers(0, 5),
    channel=st.integers(0, 1),
    data1=st.integers(60, 62),
    data2=st.integers(1, 127),
)


@given(st.lists(st.tuples(COMMANDS, st.integers(0, 30 * MS)), max_size=50))
def test_any_commands_in_any_order_leave_nothing_hanging(steps: list[tuple[Command, int]]) -> None:
    port = SoundingPort(ManualClock(0))
    for command, wait_ns in steps:
        port.send(command)
        port.advance(wait_ns)
        assert port.queue.sounding == len(port.synth.sounding)
    port.end()
    assert not port.synth.sounding
    assert len(port.synth.ons) == port.synth.offs
