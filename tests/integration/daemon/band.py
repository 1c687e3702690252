"""The clip that is continued, two bars of bass, drums and keys; and what tests do with it again and again."""

from __future__ import annotations

import time

from models.music.constants import PPQ
from models.music.score import Note, Part
from tests.integration.daemon.liblo import Liblo
from tests.integration.daemon.tape import Tape

PARTS = (Part(program=33, name="bass"), Part(is_drum=True, name="drums"), Part(program=4, name="keys"))
CHANNELS = (0, 9, 1)
BAR_TICKS = 4 * PPQ
BPM = 90.0
ENDING_S = 15.0  # for what takes milliseconds on a machine with nothing else to do
HANDED_S = 0.3  # longer than the port is handed notes ahead: what is not silent by then was not silenced


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


def play_long(client: Liblo, tape: Tape) -> int:
    """A take of minutes, once some of it sounds; its number."""
    tape.cut()
    req = client.generate(send_band(client), bars=32, seed=3)
    client.until(lambda: len(tape.hanging()) >= 2)
    return req


def is_left_silent(client: Liblo, tape: Tape) -> None:
    """Require that every note has ended by its own note-off, and that no other follows."""
    client.until(lambda: not tape.hanging(), patience_s=ENDING_S)
    struck = len(tape.ons())
    time.sleep(HANDED_S)
    assert len(tape.ons()) == struck
    assert not tape.hanging()
    assert tape.quietened() >= {each.channel for each in tape.ons()}
