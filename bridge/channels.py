"""Which MIDI channel each part sounds on. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from models.music.constants import CHANNELS, DRUM_CHANNEL
from models.music.score import Part


@dataclass(frozen=True, slots=True)
class ChannelMap:
    """Where parts sound; made by `map_channels`."""

    channels: tuple[int, ...]
    """Part -> channel, 0-15."""
    programs: Mapping[int, int] = field(default_factory=dict)
    """Channel -> program, where one was given."""

    def channel_of(self, part: int) -> int:
        """The channel of a part; a part nobody announced plays on the first."""
        return self.channels[part] if part < len(self.channels) else 0


def map_channels(parts: Sequence[Part]) -> ChannelMap:
    """Drums on channel 10, the others from 1 up, skipping 10 (counted as musicians do).

    There are 15 melodic channels and 16 parts: a sixteenth melodic part shares the channel of a part with its program,
    or else the last one, whose program then holds for both.
    """
    melodic = [channel for channel in range(CHANNELS) if channel != DRUM_CHANNEL]
    by_program: dict[int | None, int] = {}
    programs: dict[int, int] = {}
    channels = []
    taken = 0
    for part in parts:
        if part.is_drum:
            channel = DRUM_CHANNEL
        elif taken < len(melodic):
            channel = melodic[taken]
            taken += 1
            by_program.setdefault(part.program, channel)
        else:
            channel = by_program.get(part.program, melodic[-1])
        channels.append(channel)
        if part.program is not None:
            programs.setdefault(channel, part.program)
    return ChannelMap(tuple(channels), programs)
