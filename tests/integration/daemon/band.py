"""The clip that the daemon is asked to continue: two bars of bass, drums and keys, one note a quarter and part."""

from __future__ import annotations

from models.music.constants import PPQ
from models.music.score import Note, Part
from tests.integration.daemon.liblo import Liblo

PARTS = (Part(program=33, name="bass"), Part(is_drum=True, name="drums"), Part(program=4, name="keys"))
CHANNELS = (0, 9, 1)
BAR_TICKS = 4 * PPQ
BPM = 90.0


def two_bars() -> list[Note]:
    riff = [(0, 36, 0), (0, 36, 1), (0, 60, 2)]
    return [
        Note(beat * PPQ, part, pitch + (beat % 4 if part != 1 else 2 * (beat % 2)), PPQ - 40, 80 + part)
        for beat in range(8)
        for _, pitch, part in riff
    ]


def send_band(client: Liblo, bpm: float = BPM) -> int:
    """Hand the clip over; returns its number."""
    return client.send_clip(PARTS, two_bars(), 2 * BAR_TICKS, bpm)
