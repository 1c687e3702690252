"""A MIDI file with more music at its end. The file itself stays as it was; only messages are added to it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from models.music.midi_file import Reading, read_file
from models.music.midi_parts import Rescale, choose_channels
from models.music.midi_tracks import TimedMessage, build_track, note_messages, setup_messages, timed_messages
from models.music.score import Note, Score


def extend_midi(source: Path | bytes, continuation: Score, start_tick: int, out_path: Path) -> None:
    """Write `source` with the notes of `continuation` from `start_tick` on added; same input, same bytes.

    Ticks are those of the score that `read_score` makes of the source, and so are the first parts: their notes go to
    the very track and channel they came from. Parts beyond the source's bring a track of their own (a channel of
    their own in a format 0 file, which has one track). Division, tempo, meter, controllers, names: all as they were.

    Raises:
        MidiFileError: the source is no MIDI file that holds notes in musical time.
        TypeError, ValueError: a note cannot sound.
        OSError: a path cannot be read or written.
    """
    reading = read_file(source)
    file = reading.file
    scale = Rescale(file.ticks_per_beat)
    notes: list[list[Note]] = [[] for _ in continuation.parts]
    for note in continuation.notes:
        if note.onset_tick >= start_tick:
            notes[note.part].append(note)
    tracks = [timed_messages(track) for track in file.tracks]
    for (track, channel), played in zip(reading.homes, notes, strict=False):
        tracks[track] += note_messages(played, channel, scale)
    _add_parts(tracks, reading, continuation, notes, scale)
    ends = [sum(message.time for message in track) for track in file.tracks]
    ends += [0] * (len(tracks) - len(ends))
    file.tracks = [build_track(messages, end_tick) for messages, end_tick in zip(tracks, ends, strict=True)]
    file.save(out_path)


def _add_parts(
    tracks: list[list[TimedMessage]],
    reading: Reading,
    continuation: Score,
    notes: Sequence[Sequence[Note]],
    scale: Rescale,
) -> None:
    """Make room for the parts the source does not have and that play."""
    added = [index for index in range(len(reading.homes), len(continuation.parts)) if notes[index]]
    taken = {message.channel for track in reading.file.tracks for message in track if hasattr(message, "channel")}
    parts = [continuation.parts[index] for index in added]
    for index, part, channel in zip(added, parts, choose_channels(parts, taken), strict=True):
        messages = note_messages(notes[index], channel, scale)
        if reading.file.type == 0:
            tracks[0] += [timed for timed in setup_messages(part, channel) if not timed[2].is_meta] + messages
        else:
            tracks.append(setup_messages(part, channel) + messages)
