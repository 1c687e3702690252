"""MIDI files in and out: bytes through mido, scores to the rest of us. It plays nothing and opens no port.

The only module that speaks to mido's file half. Track names are kept as UTF-8, read as Latin-1 where they are not.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path

from mido import KeySignatureError, MidiFile, MidiTrack

from models.music.midi_parts import ReadReport, Rescale, Strip, build_parts, gather_parts
from models.music.score import Meter, Score, Tempo

MAX_QUARTERS = 100_000  # 14 hours at 120 bpm; beyond it a delta time is broken, not the piece long
MAX_DENOMINATOR = 128  # the shortest note value that is a whole number of ticks
US_PER_MINUTE = 60_000_000


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
    tracks = _TrackReader()
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


class _TrackReader:
    """Collects what the tracks say, in the file's own ticks."""

    def __init__(self) -> None:
        self.end_tick = 0
        self._strips: dict[tuple[int, int], Strip] = {}
        self._programs: list[tuple[int, int, int, int]] = []
        self._tempos: dict[int, int] = {}
        self._meters: dict[int, tuple[int, int]] = {}

    def read(self, index: int, track: MidiTrack) -> None:
        """Add one track; a later track's tempo or meter replaces an earlier one at the same tick."""
        tick = 0
        name = None
        strips: dict[int, Strip] = {}
        for message in track:
            tick += message.time
            kind = message.type
            if kind in ("note_on", "note_off"):
                channel = message.channel
                strip = strips.get(channel)
                if strip is None:
                    strip = strips[channel] = Strip(index, channel)
                if kind == "note_on" and message.velocity:
                    strip.press(tick, message.note, message.velocity)
                else:
                    strip.release(tick, message.note)
            elif kind == "program_change":
                self._programs.append((index, message.channel, tick, message.program))
            elif kind == "set_tempo":
                self._tempos[tick] = message.tempo
            elif kind == "time_signature":
                self._meters[tick] = (message.numerator, message.denominator)
            elif kind == "track_name" and name is None:
                name = _readable(message.name)
        for strip in strips.values():
            strip.name = name or ""
        self._strips.update({(index, channel): strip for channel, strip in strips.items()})
        self.end_tick = max(self.end_tick, tick)

    def strips(self) -> list[Strip]:
        """The strips that play, by track and channel, each with its program."""
        playing = [self._strips[key] for key in sorted(self._strips) if self._strips[key].first_tick >= 0]
        for strip in playing:
            strip.program = self._program_of(strip)
        return playing

    def _program_of(self, strip: Strip) -> int | None:
        """The last change at or before the first note; the strip's own track knows better than others."""
        heard = [
            (track == strip.track, tick, order, program)
            for order, (track, channel, tick, program) in enumerate(self._programs)
            if channel == strip.channel and tick <= strip.first_tick
        ]
        return max(heard)[-1] if heard else None

    def changes(self, scale: Rescale) -> tuple[list[Tempo], list[Meter], int]:
        """Tempo and meter changes at `PPQ`, and how many made no sense."""
        tempos = {
            scale.to_score(tick): US_PER_MINUTE / tempo for tick, tempo in sorted(self._tempos.items()) if tempo > 0
        }
        meters = {
            scale.to_score(tick): meter
            for tick, meter in sorted(self._meters.items())
            if meter[0] > 0 and meter[1] <= MAX_DENOMINATOR
        }
        return (
            [Tempo(tick, bpm) for tick, bpm in tempos.items()],
            [Meter(tick, *meter) for tick, meter in meters.items()],
            sum(tempo == 0 for tempo in self._tempos.values())
            + sum(numerator == 0 or denominator > MAX_DENOMINATOR for numerator, denominator in self._meters.values()),
        )


def _readable(name: str) -> str:
    """A track name as its writer meant it."""
    try:
        name = name.encode("latin1").decode("utf-8")
    except UnicodeDecodeError:
        pass
    return name.strip("\0\t\r\n ")
