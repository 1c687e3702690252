"""The tracks of a MIDI file and the messages on them: what they say, and how to say it. It opens no file.

Track names are written as UTF-8, and read as Latin-1 where they are not.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable

from mido import Message, MetaMessage, MidiTrack

from models.music.midi_parts import Rescale, Strip
from models.music.score import Meter, Note, Part, Tempo, require_range

MAX_DENOMINATOR = 128  # the shortest note value that is a whole number of ticks
US_PER_MINUTE = 60_000_000

TimedMessage = tuple[int, int, Message | MetaMessage]
"""Absolute tick, rank among the messages of that tick, message."""
RELEASE_RANK, OTHER_RANK, PRESS_RANK = range(3)


class TrackReader:
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
        tempos = {tick: tempo for tick, tempo in sorted(self._tempos.items()) if tempo > 0}
        meters = {
            tick: (numerator, denominator)
            for tick, (numerator, denominator) in sorted(self._meters.items())
            if numerator > 0 and denominator <= MAX_DENOMINATOR
        }
        # Two changes may meet on one tick of the score: the later one of the file is the one that lasts.
        bpm_at = {scale.to_score(tick): US_PER_MINUTE / tempo for tick, tempo in tempos.items()}
        meter_at = {scale.to_score(tick): meter for tick, meter in meters.items()}
        return (
            [Tempo(tick, bpm) for tick, bpm in bpm_at.items()],
            [Meter(tick, *meter) for tick, meter in meter_at.items()],
            len(self._tempos) - len(tempos) + len(self._meters) - len(meters),
        )


def _readable(name: str) -> str:
    """A track name as its writer meant it."""
    with contextlib.suppress(UnicodeDecodeError):
        name = name.encode("latin1").decode("utf-8")
    return name.strip("\0\t\r\n ")


def timed_messages(track: MidiTrack) -> list[TimedMessage]:
    """The messages of a track, but its end, which will move, and real-time messages, which files must not hold."""
    tick = 0
    messages: list[TimedMessage] = []
    for message in track:
        tick += message.time
        if message.type != "end_of_track" and not message.is_realtime:
            messages.append((tick, OTHER_RANK, message))
    return messages


def build_track(messages: Iterable[TimedMessage], end_tick: int = 0) -> MidiTrack:
    """A track of messages at absolute ticks; it ends at `end_tick` or with its last message, whichever is later."""
    track = MidiTrack()
    tick = 0
    for at_tick, _, message in sorted(messages, key=lambda timed: timed[:2]):
        track.append(message.copy(time=at_tick - tick))
        tick = at_tick
    track.append(MetaMessage("end_of_track", time=max(0, end_tick - tick)))
    return track


def setup_messages(part: Part, channel: int) -> list[TimedMessage]:
    """What a part's track says before it plays: its name and its program, where it has them."""
    messages: list[TimedMessage] = []
    if part.name:
        name = part.name.encode("utf-8", "replace").decode("latin1")
        messages.append((0, OTHER_RANK, MetaMessage("track_name", name=name)))
    if part.program is not None:
        messages.append((0, OTHER_RANK, Message("program_change", channel=channel, program=part.program)))
    return messages


def note_messages(notes: Iterable[Note], channel: int, scale: Rescale) -> list[TimedMessage]:
    """Presses and releases in a file's own ticks; a note lasts at least one of them.

    Raises:
        TypeError, ValueError: a note cannot sound or starts before tick 0.
    """
    messages: list[TimedMessage] = []
    for note in notes:
        note.check()
        require_range("onset_tick of a note in a file", note.onset_tick, 0, 2**31 - 1)
        onset = scale.to_file(note.onset_tick)
        end = max(onset + 1, scale.to_file(note.end_tick))
        press = Message("note_on", channel=channel, note=note.pitch, velocity=note.velocity)
        messages.append((onset, PRESS_RANK, press))
        messages.append((end, RELEASE_RANK, Message("note_off", channel=channel, note=note.pitch)))
    return messages


def tempo_message(tempo: Tempo) -> TimedMessage:
    """A tempo change, to the microsecond per quarter note.

    Raises:
        ValueError: the tempo does not fit.
    """
    microseconds = round(US_PER_MINUTE / tempo.bpm) if tempo.bpm > 0 else 0
    if not 1 <= microseconds < 2**24:
        raise ValueError(f"a MIDI file holds tempos from 3.6 to 60000000 bpm, not {tempo.bpm}")
    return tempo.tick, OTHER_RANK, MetaMessage("set_tempo", tempo=microseconds)


def meter_message(meter: Meter) -> TimedMessage:
    """A meter change.

    Raises:
        TypeError, ValueError: the meter does not fit.
    """
    require_range("numerator", meter.numerator, 1, 255)
    require_range("denominator", meter.denominator, 1, MAX_DENOMINATOR)
    if meter.denominator.bit_count() != 1:
        raise ValueError(f"a MIDI file holds denominators that are powers of two, not {meter.denominator}")
    message = MetaMessage("time_signature", numerator=meter.numerator, denominator=meter.denominator)
    return meter.tick, OTHER_RANK, message
