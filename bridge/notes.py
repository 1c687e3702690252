"""The ledger of sounding notes: every on gets exactly one off. It knows no time and no port.

This module imports only the standard library, because the MIDI child does.
"""

from __future__ import annotations

from typing import NamedTuple

Message = tuple[int, ...]
"""The bytes of one MIDI message."""

_NOTE_OFF, _NOTE_ON, _CONTROL = 0x80, 0x90, 0xB0
_TAKES_REMEMBERED = 64  # a daemon plays for days; whoever cancels a take cancels one of the latest
_SUSTAIN, _ALL_SOUND_OFF, _ALL_NOTES_OFF = 64, 120, 123


class Strike(NamedTuple):
    """What holds a pitch of a channel."""

    tag: int
    note: int


class NoteLedger:
    """Which strike holds each pitch of each channel. Every method returns the messages that keep it true."""

    def __init__(self) -> None:
        self._held: dict[tuple[int, int], Strike] = {}
        self._channels: set[int] = set()
        self._channels_by_take: dict[int, set[int]] = {}

    @property
    def sounding(self) -> int:
        """Notes that sound now."""
        return len(self._held)

    def is_sounding_on(self, channel: int) -> bool:
        """Whether a note sounds on this channel."""
        return any(held_channel == channel for held_channel, _ in self._held)

    def strike(self, strike: Strike, channel: int, pitch: int, velocity: int) -> list[Message]:
        """Start a note; the same pitch still held on the channel ends first."""
        messages: list[Message] = []
        if (channel, pitch) in self._held:
            messages.append(_off(channel, pitch))
        self._held[channel, pitch] = strike
        self._channels.add(channel)
        self._channels_by_take.setdefault(strike.tag, set()).add(channel)
        if len(self._channels_by_take) > _TAKES_REMEMBERED:
            del self._channels_by_take[next(iter(self._channels_by_take))]
        messages.append((_NOTE_ON | channel, pitch, velocity))
        return messages

    def release(self, strike: Strike, channel: int, pitch: int) -> list[Message]:
        """End a note, unless another strike has taken the pitch or it never sounded."""
        if self._held.get((channel, pitch)) != strike:
            return []
        del self._held[channel, pitch]
        return [_off(channel, pitch)]

    def end_take(self, tag: int) -> list[Message]:
        """End every note of one take."""
        ending = [key for key, strike in self._held.items() if strike.tag == tag]
        for key in ending:
            del self._held[key]
        return [_off(channel, pitch) for channel, pitch in ending]

    def silence_take(self, tag: int) -> list[Message]:
        """End every note of one take, then quieten its channels, but those where another take sounds."""
        messages = self.end_take(tag)
        for channel in sorted(self._channels_by_take.pop(tag, ())):
            if not self.is_sounding_on(channel):
                messages += all_sound_off(channel)
        return messages

    def end_all(self) -> list[Message]:
        """End every note, then quieten every channel that was ever used."""
        messages = [_off(channel, pitch) for channel, pitch in self._held]
        self._held.clear()
        for channel in sorted(self._channels):
            messages += all_sound_off(channel)
        return messages


def all_sound_off(channel: int) -> list[Message]:
    """Pedal up, all notes off, all sound off: some synths obey only one of the last two."""
    control = _CONTROL | channel
    return [(control, _SUSTAIN, 0), (control, _ALL_NOTES_OFF, 0), (control, _ALL_SOUND_OFF, 0)]


def _off(channel: int, pitch: int) -> Message:
    return (_NOTE_OFF | channel, pitch, 64)
