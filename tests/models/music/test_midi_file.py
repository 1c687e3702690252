"""Files as other programs write them, made here byte by byte, and our own, written and read again."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.music.midi_file import MAX_QUARTERS, MidiFileError, read_midi, read_score, write_score
from models.music.midi_parts import ReadReport
from models.music.score import Meter, Note, Part, Score, Tempo

END = b"\x00\xff\x2f\x00"
TEMPO_100 = b"\x00\xff\x51\x03" + (600_000).to_bytes(3, "big")
NOTE = b"\x00\x90\x3c\x40\x83\x60\x80\x3c\x00"  # pitch 60, velocity 64, 480 ticks


def chunk(name: bytes, data: bytes) -> bytes:
    return name + len(data).to_bytes(4, "big") + data


def midi(*tracks: bytes, form: int = 1, division: int = 480) -> bytes:
    numbers = (form, len(tracks), division)
    header = b"".join(number.to_bytes(2, "big") for number in numbers)
    return chunk(b"MThd", header) + b"".join(chunk(b"MTrk", track + END) for track in tracks)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "is empty"),
        (b"RIFF\x00\x00\x00\x00RMID", "not b'MThd'"),
        (midi(NOTE)[:10], "inside its header"),
        (midi(NOTE)[:-6], "cut short"),
        (midi(NOTE)[:20], "cut short"),
        (midi(NOTE, form=2), "format 2, expected 0 or 1"),
        (midi(NOTE, division=0xE728), "SMPTE"),
        (midi(NOTE, division=0), "0 ticks per quarter"),
        (midi(TEMPO_100), "no notes"),
        (midi(), "no notes"),
        (midi(b"\x00\x3c\x40"), "broken track data"),
        (midi(b"\x00\xff\x59\x02\x09\x00" + NOTE), "broken track data"),
        (midi(NOTE + b"\xff\xff\xff\x7f\x90\x3c\x40"), f"expected at most {MAX_QUARTERS}"),
        (chunk(b"MThd", b"\x00\x01\x00\x01\x01\xe0") + chunk(b"XXXX", NOTE), "broken track data"),
    ],
)
def test_a_file_that_is_no_music_is_refused_in_one_sentence(data: bytes, sentence: str) -> None:
    with pytest.raises(MidiFileError, match=sentence) as refusal:
        read_score(data)
    assert "\n" not in str(refusal.value)
    assert str(refusal.value).startswith("the file ")


@given(data=st.binary(max_size=60), cut=st.integers(0, 40))
def test_arbitrary_bytes_never_raise_anything_but_a_refusal(data: bytes, cut: int) -> None:
    whole = midi(NOTE, NOTE)
    try:
        read_score(whole[:cut] + data)
    except MidiFileError:
        return


def test_a_missing_file_is_an_operating_system_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_score(tmp_path / "none.mid")


def test_a_clean_file_is_reported_clean() -> None:
    score, report = read_midi(midi(TEMPO_100, b"\x00\xff\x03\x05Piano\x00\xc0\x04" + NOTE))
    assert score == Score(
        (Part(program=4, name="Piano"),), (Note(0, 0, 60, 480, 64),), (Tempo(0, 100.0),), length_ticks=480
    )
    assert report.is_clean


def test_a_file_without_tempo_and_meter_plays_at_120_in_common_time() -> None:
    score = read_score(midi(NOTE))
    assert score.tempos == (Tempo(0, 120.0),)
    assert score.meters == (Meter(0, 4, 4),)


def test_running_status_and_velocity_zero_are_understood() -> None:
    score = read_score(midi(b"\x00\x90\x3c\x40\x60\x3c\x00\x00\x3e\x40\x60\x3e\x00"))
    assert score.notes == (Note(0, 0, 60, 96, 64), Note(96, 0, 62, 96, 64))


def test_system_exclusive_messages_are_passed_over() -> None:
    sysex = b"\x00\xf0\x05\x7e\x7f\x09\x01\xf7"
    assert read_score(midi(sysex + NOTE)).notes == read_score(midi(NOTE)).notes


def test_data_bytes_above_127_are_clipped_not_fatal() -> None:
    assert read_score(midi(b"\x00\x90\x3c\xff\x60\x80\x3c\x00")).notes == (Note(0, 0, 60, 96, 127),)


def test_notes_nobody_releases_end_with_the_file() -> None:
    score, report = read_midi(midi(b"\x00\x90\x3c\x40", b"\x00\x91\x40\x40\x60\x81\x40\x00"))
    assert [note.duration_ticks for note in score.notes] == [96, 96]
    assert report == ReadReport(hanging_notes=1)


def test_notes_without_length_last_one_tick() -> None:
    score, report = read_midi(midi(b"\x00\x99\x24\x40\x00\x89\x24\x40"))
    assert score.notes == (Note(0, 0, 36, 1, 64),)
    assert report == ReadReport(zero_length_notes=1)


def test_a_release_of_a_key_that_is_up_is_left_out() -> None:
    score, report = read_midi(midi(b"\x00\x80\x3e\x00" + NOTE))
    assert score.notes == (Note(0, 0, 60, 480, 64),)
    assert report == ReadReport(stray_releases=1)


def test_of_two_presses_of_one_key_the_first_is_released_first() -> None:
    presses = b"\x00\x90\x3c\x40\x10\x90\x3c\x50"
    releases = b"\x10\x80\x3c\x00\x10\x80\x3c\x00"
    assert read_score(midi(presses + releases)).notes == (Note(0, 0, 60, 32, 64), Note(16, 0, 60, 32, 80))


def test_a_meter_change_inside_a_bar_is_kept_where_it_stands() -> None:
    meters = b"\x00\xff\x58\x04\x04\x02\x18\x08\x87\x40\xff\x58\x04\x06\x03\x24\x08"
    assert read_score(midi(meters, NOTE)).meters == (Meter(0, 4, 4), Meter(960, 6, 8))


def test_of_two_changes_at_one_tick_the_last_in_the_file_counts() -> None:
    fast, slow = b"\x00\xff\x51\x03\x04\x93\xe0", b"\x00\xff\x51\x03\x0f\x42\x40"
    assert read_score(midi(fast + slow, NOTE)).tempos == (Tempo(0, 60.0),)


def test_tempos_and_meters_without_meaning_are_ignored() -> None:
    nonsense = b"\x00\xff\x51\x03\x00\x00\x00\x00\xff\x58\x04\x00\x02\x18\x08\x01\xff\x58\x04\x04\x08\x18\x08"
    score, report = read_midi(midi(nonsense, NOTE))
    assert (score.tempos, score.meters) == ((Tempo(0, 120.0),), (Meter(0, 4, 4),))
    assert report == ReadReport(ignored_changes=3)


def test_ticks_are_rescaled_from_the_start_so_errors_never_add_up() -> None:
    division = 1000
    eighths = b"".join(b"\x00\x90\x3c\x40\x03\x80\x3c\x00" for _ in range(3000))
    notes = read_score(midi(eighths, division=division)).notes
    assert [note.onset_tick for note in notes] == [(2 * 3 * k * 480 + division) // (2 * division) for k in range(3000)]


def test_one_track_with_several_channels_makes_several_parts() -> None:
    track = b"\x00\xc0\x05\x00\xc1\x21" + b"".join(bytes([0, 0x90 + c, 60, 64]) for c in (9, 1, 0))
    track += b"".join(bytes([96 * (c == 9), 0x80 + c, 60, 0]) for c in (9, 1, 0))
    score = read_score(midi(track, form=0))
    assert score.parts == (Part(program=5), Part(program=33), Part(is_drum=True))


def test_the_program_is_the_one_in_force_at_the_first_note() -> None:
    track = b"\x00\xc0\x01\x00\xc0\x02" + NOTE + b"\x00\xc0\x03" + NOTE
    assert read_score(midi(track)).parts == (Part(program=2),)


def test_a_part_without_a_program_of_its_own_takes_that_of_its_channel() -> None:
    assert read_score(midi(b"\x00\xc0\x07", NOTE)).parts == (Part(program=7),)


def test_track_names_may_be_in_either_common_encoding() -> None:
    names = ["Flöte".encode(), "Flöte".encode("latin1")]
    tracks = [b"\x00\xff\x03" + bytes([len(name)]) + name + NOTE for name in names]
    assert [part.name for part in read_score(midi(*tracks)).parts] == ["Flöte", "Flöte"]


def test_a_hundred_tracks_become_sixteen_parts() -> None:
    tracks = [bytes([0, 0xC0, k % 20]) + NOTE * (1 + k % 20) for k in range(100)]
    score, report = read_midi(midi(*tracks))
    assert [part.program for part in score.parts] == list(range(4, 20))
    assert report == ReadReport(merged_parts=80, dropped_parts=4, dropped_notes=5 * (1 + 2 + 3 + 4))
    assert len(score.notes) == 5 * sum(range(5, 21))


def test_the_length_is_where_the_last_track_ends() -> None:
    assert read_score(midi(b"\x9e\x00\xff\x01\x00", NOTE)).length_ticks == 3840


NAMES = st.text(st.characters(codec="utf-8"), max_size=8).map(lambda text: text.strip("\0\t\r\n "))
PROGRAMS = st.integers(0, 127)


@st.composite
def scores(draw: st.DrawFn) -> Score:
    """Scores that come back whole: what `write_score` says it cannot keep is left out."""
    programs = draw(st.sampled_from([st.none(), PROGRAMS]))
    parts = draw(st.lists(st.builds(Part, st.booleans(), programs, NAMES), min_size=1, max_size=16))
    notes: list[Note] = []
    for index in range(len(parts)):
        for pitch in draw(st.sets(st.integers(0, 127), min_size=1, max_size=3)):
            spans = draw(st.lists(st.tuples(st.integers(0, 9999), st.integers(1, 2000)), min_size=1, max_size=4))
            ends = sorted(onset + length for onset, length in spans)
            velocity = draw(st.integers(1, 127))
            for (onset, _), end in zip(sorted(spans), ends, strict=True):
                notes.append(Note(onset, index, pitch, end - onset, velocity))
    ticks = st.integers(0, 20_000)
    microseconds = draw(st.dictionaries(ticks, st.integers(1, 2**24 - 1), max_size=4))
    meters = draw(st.dictionaries(ticks, st.tuples(st.integers(1, 255), st.integers(0, 7)), max_size=4))
    last = max([note.end_tick for note in notes] + list(microseconds) + list(meters))
    return Score.build(
        parts,
        notes,
        [Tempo(tick, 60_000_000 / us) for tick, us in microseconds.items()],
        [Meter(tick, numerator, 2**power) for tick, (numerator, power) in meters.items()],
        last + draw(st.integers(0, 5000)),
    )


@settings(max_examples=60, deadline=None)
@given(score=scores())
def test_a_score_comes_back_from_its_file(score: Score, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("midi") / "score.mid"
    write_score(score, path)
    again, report = read_midi(path)
    assert again == score
    assert report.is_clean


def test_a_tempo_between_microseconds_comes_back_as_the_nearest(tmp_path: Path) -> None:
    write_score(Score.build([Part()], [Note(0, 0, 60, 1, 1)], [Tempo(0, 123.4)]), tmp_path / "a.mid")
    assert read_score(tmp_path / "a.mid").tempos[0].bpm == pytest.approx(123.4, abs=2e-4)


def test_melodic_parts_have_channels_of_their_own_and_drums_have_theirs(tmp_path: Path) -> None:
    parts = [Part(is_drum=index == 3, program=index) for index in range(16)]
    write_score(Score.build(parts, [Note(0, index, 60, 10, 64) for index in range(16)]), tmp_path / "a.mid")
    status = [byte for byte in (tmp_path / "a.mid").read_bytes() if 0x90 <= byte <= 0x9F]
    assert sorted(status) == list(range(0x90, 0xA0))
    assert status[3] == 0x99


@pytest.mark.parametrize(
    ("score", "sentence"),
    [
        (Score.build([Part()], [Note(-1, 0, 60, 10, 64)]), "onset_tick of a note in a file must be in range 0"),
        (Score.build([Part()], [Note(0, 0, 60, 10, 0)]), "velocity must be in range 1..127, not 0"),
        (Score.build([Part()], [], [Tempo(0, 3.0)]), "tempos from 3.6"),
        (Score.build([Part()], [], [Tempo(0, 0.0)]), "tempos from 3.6"),
        (Score.build([Part()], [], [], [Meter(0, 4, 3)]), "powers of two, not 3"),
        (Score.build([Part()], [], [], [Meter(0, 256, 4)]), "numerator must be in range 1..255"),
    ],
)
def test_what_a_file_cannot_hold_is_refused_before_anything_is_written(
    score: Score, sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=sentence):
        write_score(score, tmp_path / "a.mid")
    assert not (tmp_path / "a.mid").exists()
