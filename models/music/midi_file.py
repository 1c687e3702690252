"""MIDI files in, MIDI files out: scores to the rest of us. It plays nothing and opens no port."""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path

from mido import KeySignatureError, MidiFile

from models.music.constants import PPQ
from models.music.midi_parts import ReadReport, Rescale, build_parts, choose_channels, gather_parts
from models.music.midi_tracks import (
    TrackReader,
    build_track,
    meter_message,
    note_messages,
    setup_messages,
    tempo_message,
)
from models.music.score import Score

MAX_QUARTERS = 100_000  # 14 hours at 120 bpm; beyond it a delta time is broken, not the piece long


class MidiFileError(ValueError):
    """A file that cannot be read as a piece of music; the message says what to do about it."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A file, the score it makes, and where in the file each part of the score lives."""

    file: MidiFile
    score: Score
    report: ReadReport
    homes: tuple[tuple[int, int], ...]
    """Per part: index of its track in the file, and its channel."""


def read_score(source: Path | bytes) -> Score:
    """The piece in a MIDI file; `read_midi` also tells what had to be changed.

    Raises:
        MidiFileError: it is no MIDI file that holds notes in musical time.
        OSError: the path cannot be read.
    """
    return read_midi(source)[0]


def read_midi(source: Path | bytes) -> tuple[Score, ReadReport]:
    """The piece in a MIDI file, and what had to be changed to make it a score.

    A part is what one channel plays in one track. Its program is the one in force at its first note; later program
    changes are ignored. `length_ticks` is where the last track ends.

    Raises:
        MidiFileError: it is no MIDI file that holds notes in musical time.
        OSError: the path cannot be read.
    """
    reading = read_file(source)
    return reading.score, reading.report


def read_file(source: Path | bytes) -> Reading:
    """Like `read_midi`, for those who go on working with the file itself."""
    file = parse_file(source if isinstance(source, bytes) else source.read_bytes())
    tracks = TrackReader()
    for index, track in enumerate(file.tracks):
        tracks.read(index, track)
    if tracks.end_tick > MAX_QUARTERS * file.ticks_per_beat:
        raise MidiFileError(
            f"the file lasts {tracks.end_tick // file.ticks_per_beat} quarter notes, expected at most {MAX_QUARTERS}: "
            "one of its times is broken, export it again"
        )
    strips = tracks.strips()
    if not strips:
        raise MidiFileError("the file holds no notes: choose one that does, or export it with its note tracks")
    hanging = sum(strip.close(tracks.end_tick) for strip in strips)
    groups, report = gather_parts(strips)
    scale = Rescale(file.ticks_per_beat)
    parts, notes, report = build_parts(groups, scale, report)
    tempos, meters, ignored = tracks.changes(scale)
    score = Score.build(parts, notes, tempos, meters)
    score = replace(score, length_ticks=max(score.length_ticks, scale.to_score(tracks.end_tick)))
    report = replace(
        report,
        hanging_notes=hanging,
        stray_releases=sum(strip.stray_releases for strip in strips),
        ignored_changes=ignored,
    )
    return Reading(file, score, report, tuple((group[0].track, group[0].channel) for group in groups))


def parse_file(data: bytes) -> MidiFile:
    """mido's view of a file whose header we accept.

    Raises:
        MidiFileError: it is empty, cut short, no MIDI file, or of a kind that has no common musical time.
    """
    _check_header(data)
    try:
        return MidiFile(file=BytesIO(data), clip=True)
    except EOFError:
        raise MidiFileError(
            f"the file ends after {len(data)} bytes in the middle of a track: it is cut short, copy or export it again"
        ) from None
    except (OSError, ValueError, LookupError, TypeError, struct.error, KeySignatureError) as error:
        raise MidiFileError(f"the file has broken track data ({error}): export it again") from error


def _check_header(data: bytes) -> None:
    if not data:
        raise MidiFileError("the file is empty: export it again")
    if data[:4] != b"MThd":
        raise MidiFileError(f"the file starts with {data[:4]!r}, not b'MThd': choose a Standard MIDI File (.mid)")
    if len(data) < 14:
        raise MidiFileError(f"the file ends after {len(data)} bytes inside its header: copy or export it again")
    form, _, division = struct.unpack(">HHH", data[8:14])
    if form not in (0, 1):
        raise MidiFileError(f"the file has format {form}, expected 0 or 1: save it as a format 1 file")
    if division & 0x8000:
        raise MidiFileError("the file counts SMPTE frames, not beats: export it with ticks per quarter note")
    if division == 0:
        raise MidiFileError("the file has 0 ticks per quarter note: export it again, 480 is usual")


def write_score(score: Score, path: Path) -> None:
    """Write a format 1 file at `PPQ`: tempo and meter on the first track, then one track per part.

    What comes back from `read_score` is the same score, except: tempos are whole microseconds per quarter note; parts
    without notes are not read; a part without a program takes one from a part that shares its channel; names lose
    white space at their ends; the score ends no earlier than its last note, tempo and meter; of notes of one part that
    overlap at one pitch the first to start is the first to end.

    Raises:
        TypeError, ValueError: a note, tempo or meter cannot be written; the message names the value and its range.
        OSError: the path cannot be written.
    """
    file = MidiFile(type=1, ticks_per_beat=PPQ)
    changes = [meter_message(meter) for meter in score.meters] + [tempo_message(tempo) for tempo in score.tempos]
    file.tracks.append(build_track(changes, score.length_ticks))
    scale = Rescale(PPQ)
    for index, (part, channel) in enumerate(zip(score.parts, choose_channels(score.parts), strict=True)):
        notes = [note for note in score.notes if note.part == index]
        file.tracks.append(build_track(setup_messages(part, channel) + note_messages(notes, channel, scale)))
    file.save(path)
