"""Tracks as lists of messages at absolute ticks."""

from __future__ import annotations

from mido import Message, MetaMessage, MidiTrack

from models.music.midi_parts import Rescale
from models.music.midi_tracks import (
    OTHER_RANK,
    PRESS_RANK,
    RELEASE_RANK,
    TrackReader,
    build_track,
    note_messages,
    setup_messages,
    timed_messages,
)
from models.music.score import Note, Part


def test_at_one_tick_keys_are_released_first_and_pressed_last() -> None:
    press, release = Message("note_on", note=60), Message("note_off", note=60)
    control = Message("control_change", control=7)
    track = build_track([(5, PRESS_RANK, press), (5, OTHER_RANK, control), (5, RELEASE_RANK, release)])
    assert [message.type for message in track] == ["note_off", "control_change", "note_on", "end_of_track"]
    assert [message.time for message in track] == [5, 0, 0, 0]


def test_messages_of_one_rank_keep_their_order() -> None:
    controls = [Message("control_change", control=control) for control in (9, 1, 5)]
    track = build_track([(0, OTHER_RANK, control) for control in controls])
    assert [message.control for message in track[:-1]] == [9, 1, 5]


def test_a_track_ends_where_it_is_told_or_with_its_last_message() -> None:
    message = Message("control_change")
    assert build_track([(5, OTHER_RANK, message)], end_tick=8)[-1] == MetaMessage("end_of_track", time=3)
    assert build_track([(5, OTHER_RANK, message)], end_tick=2)[-1] == MetaMessage("end_of_track", time=0)


def test_building_a_track_leaves_the_messages_given_alone() -> None:
    message = Message("control_change", time=3)
    build_track([(50, OTHER_RANK, message)])
    assert message.time == 3


def test_timed_messages_build_the_track_they_came_from() -> None:
    track = MidiTrack(
        [Message("note_on", note=60, time=4), Message("note_off", note=60, time=7), MetaMessage("end_of_track", time=2)]
    )
    assert build_track(timed_messages(track), end_tick=13) == track


def test_a_part_says_only_what_it_knows_of_itself() -> None:
    assert setup_messages(Part(), 3) == []
    assert [message.type for _, _, message in setup_messages(Part(program=3, name="A"), 3)] == [
        "track_name",
        "program_change",
    ]


def test_a_note_is_one_press_and_one_release() -> None:
    messages = note_messages([Note(480, 0, 60, 240, 99)], 2, Rescale(96))
    assert messages == [
        (96, PRESS_RANK, Message("note_on", channel=2, note=60, velocity=99)),
        (144, RELEASE_RANK, Message("note_off", channel=2, note=60)),
    ]


def test_a_channel_that_never_plays_makes_no_part() -> None:
    reader = TrackReader()
    reader.read(0, MidiTrack([Message("control_change"), Message("note_off", note=60), Message("note_on", velocity=0)]))
    assert reader.strips() == []


def test_a_program_change_on_another_track_loses_to_the_parts_own() -> None:
    reader = TrackReader()
    notes = [Message("note_on", note=60, velocity=1, time=9), Message("note_off", note=60, time=9)]
    reader.read(0, MidiTrack([Message("program_change", program=5, time=3)]))
    reader.read(1, MidiTrack([Message("program_change", program=7), *notes]))
    reader.read(2, MidiTrack(notes))
    assert [strip.program for strip in reader.strips()] == [7, 5]


def test_a_program_change_after_the_first_note_is_too_late() -> None:
    reader = TrackReader()
    reader.read(0, MidiTrack([Message("note_on", note=60, velocity=1), Message("program_change", program=5, time=1)]))
    assert [strip.program for strip in reader.strips()] == [None]
