"""A file that grows at its end keeps everything it had."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from mido import Message, MetaMessage, MidiFile, MidiTrack, UnknownMetaMessage

from models.music.midi_extend import extend_midi
from models.music.midi_file import read_score
from models.music.score import Note, Part, Score

DIVISION = 96
BAR = 1920


def timed(track: MidiTrack) -> list[tuple[int, str]]:
    """What a track says and when, but its end."""
    tick = 0
    said = []
    for message in track:
        tick += message.time
        if message.type != "end_of_track":
            said.append((tick, repr(message.copy(time=0))))
    return said


def conductor() -> MidiTrack:
    return MidiTrack(
        [
            MetaMessage("time_signature", numerator=4, denominator=4, clocks_per_click=12),
            MetaMessage("set_tempo", tempo=432_100),
            MetaMessage("key_signature", key="F#m"),
            UnknownMetaMessage(0x60, data=[1, 2, 3]),
            MetaMessage("marker", text="B", time=700),
        ]
    )


def bass() -> MidiTrack:
    return MidiTrack(
        [
            MetaMessage("track_name", name="Bass"),
            Message("program_change", channel=4, program=33),
            Message("sysex", data=(126, 127, 9, 1)),
            Message("control_change", channel=4, control=7, value=99),
            Message("note_on", channel=4, note=40, velocity=90),
            Message("note_on", channel=4, note=40, velocity=0, time=394),  # rings over the bar line at 384
            Message("pitchwheel", channel=4, pitch=-300, time=100),
        ]
    )


def drums() -> MidiTrack:
    return MidiTrack(
        [
            Message("note_on", channel=9, note=36, velocity=90),
            Message("note_off", channel=9, note=36, time=24),
            MetaMessage("end_of_track", time=360),
        ]
    )


@pytest.fixture
def source(tmp_path: Path) -> Path:
    file = MidiFile(type=1, ticks_per_beat=DIVISION, tracks=[conductor(), bass(), drums()])
    file.save(tmp_path / "source.mid")
    return tmp_path / "source.mid"


@pytest.fixture
def flat_source(tmp_path: Path) -> Path:
    track = MidiTrack()
    for note in 60, 64:
        track.append(Message("note_on", channel=note - 60, note=note, velocity=90))
        track.append(Message("note_off", channel=note - 60, note=note, time=24))
    MidiFile(type=0, ticks_per_beat=DIVISION, tracks=[track]).save(tmp_path / "flat.mid")
    return tmp_path / "flat.mid"


def continued(score: Score, *notes: Note, new_parts: tuple[Part, ...] = ()) -> Score:
    return Score.build((*score.parts, *new_parts), [*score.notes, *notes])


def test_notes_join_the_track_and_channel_of_their_part(source: Path, tmp_path: Path) -> None:
    before = read_score(source)
    added = Note(BAR, 0, 43, 240, 77), Note(BAR + 480, 1, 38, 120, 66)
    extend_midi(source, continued(before, *added), BAR, tmp_path / "out.mid")
    after = read_score(tmp_path / "out.mid")
    assert after.parts == before.parts
    assert after.notes == tuple(sorted(before.notes + added))
    assert {
        message.channel
        for message in MidiFile(tmp_path / "out.mid").tracks[1]
        if not message.is_meta and message.type != "sysex"
    } == {4}


def test_everything_the_file_said_it_still_says_at_the_same_tick(source: Path, tmp_path: Path) -> None:
    extend_midi(source, continued(read_score(source), Note(BAR, 0, 43, 240, 77)), BAR, tmp_path / "out.mid")
    old, new = MidiFile(source), MidiFile(tmp_path / "out.mid")
    assert (new.type, new.ticks_per_beat, len(new.tracks)) == (old.type, DIVISION, len(old.tracks))
    assert timed(new.tracks[0]) == timed(old.tracks[0])
    assert timed(new.tracks[2]) == timed(old.tracks[2])
    added = [
        (384, repr(Message("note_on", channel=4, note=43, velocity=77))),
        (432, repr(Message("note_off", channel=4, note=43))),
    ]
    remaining = timed(new.tracks[1])
    for message in added:
        remaining.remove(message)
    assert remaining == timed(old.tracks[1])


def test_a_track_never_ends_earlier_than_it_did(source: Path, tmp_path: Path) -> None:
    extend_midi(source, continued(read_score(source)), BAR, tmp_path / "out.mid")
    for old, new in zip(MidiFile(source).tracks, MidiFile(tmp_path / "out.mid").tracks, strict=True):
        assert sum(message.time for message in new) == sum(message.time for message in old)


def test_notes_before_the_seam_are_not_added_twice(source: Path, tmp_path: Path) -> None:
    before = read_score(source)
    extend_midi(source, before, BAR, tmp_path / "out.mid")
    assert read_score(tmp_path / "out.mid") == before


def test_a_repeated_key_is_released_before_it_is_pressed_again(source: Path, tmp_path: Path) -> None:
    notes = Note(BAR, 1, 36, 480, 50), Note(BAR + 480, 1, 36, 480, 60)
    extend_midi(source, continued(read_score(source), *notes), BAR, tmp_path / "out.mid")
    kinds = [message.type for message in MidiFile(tmp_path / "out.mid").tracks[2] if message.type.startswith("note")]
    assert kinds == ["note_on", "note_off"] * 3


def test_a_new_part_brings_its_own_track(source: Path, tmp_path: Path) -> None:
    before = read_score(source)
    lead, silent = Part(program=80, name="Lead ♪"), Part(program=81)
    score = continued(before, Note(BAR, 3, 72, 480, 90), new_parts=(silent, lead))
    extend_midi(source, score, BAR, tmp_path / "out.mid")
    after = read_score(tmp_path / "out.mid")
    assert after.parts == (*before.parts, lead)
    assert [note for note in after.notes if note.part == 2] == [Note(BAR, 2, 72, 480, 90)]
    channels = {message.channel for message in MidiFile(tmp_path / "out.mid").tracks[3] if not message.is_meta}
    assert len(channels) == 1
    assert not channels & {4, 9}


def test_a_format_0_file_stays_one_track(flat_source: Path, tmp_path: Path) -> None:
    before = read_score(flat_source)
    lead = Part(program=80)
    added = Note(BAR, 0, 61, 480, 70), Note(BAR, 1, 65, 480, 71), Note(BAR, 2, 72, 480, 72)
    extend_midi(flat_source, continued(before, *added, new_parts=(lead,)), BAR, tmp_path / "out.mid")
    file = MidiFile(tmp_path / "out.mid")
    assert (file.type, len(file.tracks)) == (0, 1)
    after = read_score(tmp_path / "out.mid")
    assert {message.channel for message in file.tracks[0] if message.type == "note_on"} == {0, 1, 4}
    assert sorted(note.pitch for note in after.notes) == [60, 61, 64, 65, 72]
    assert lead in after.parts


def test_a_note_too_short_for_the_files_division_lasts_one_of_its_ticks(source: Path, tmp_path: Path) -> None:
    extend_midi(source, continued(read_score(source), Note(BAR, 0, 50, 1, 64)), BAR, tmp_path / "out.mid")
    note = next(note for note in read_score(tmp_path / "out.mid").notes if note.pitch == 50)
    assert note.duration_ticks == 480 // DIVISION


def test_the_same_input_gives_the_same_bytes(source: Path, tmp_path: Path) -> None:
    score = continued(read_score(source), *(Note(BAR + 7 * k, k % 2, 40 + k, 11, 64) for k in range(40)))
    for name in "a.mid", "b.mid":
        extend_midi(source.read_bytes(), score, BAR, tmp_path / name)
    assert (tmp_path / "a.mid").read_bytes() == (tmp_path / "b.mid").read_bytes()


def test_real_time_bytes_in_a_file_do_not_prevent_its_extension(tmp_path: Path) -> None:
    track = b"\x00\xf8\x00\x90\x3c\x40\x60\x80\x3c\x00\x00\xff\x2f\x00"
    header = b"MThd\x00\x00\x00\x06\x00\x01\x00\x01\x00\x60"
    data = header + b"MTrk" + len(track).to_bytes(4, "big") + track
    score = replace(read_score(data), notes=(Note(BAR, 0, 60, 480, 64),))
    extend_midi(data, score, BAR, tmp_path / "out.mid")
    assert [note.onset_tick for note in read_score(tmp_path / "out.mid").notes] == [0, BAR]


def test_a_note_that_cannot_sound_is_refused_before_anything_is_written(source: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="pitch must be in range"):
        extend_midi(source, continued(read_score(source), Note(BAR, 0, 128, 1, 64)), BAR, tmp_path / "out.mid")
    assert not (tmp_path / "out.mid").exists()
