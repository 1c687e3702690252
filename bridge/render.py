"""Writes a score as a WAV file, played by the band that ships with Continuo."""

from __future__ import annotations

from pathlib import Path

import soundfile

from models.music.score import Score
from models.sounds.synth import synthesize


def render_wav(score: Score, path: Path, sample_rate: int = 44100) -> float:
    """Write 16-bit stereo, the loudest frame at -1 dB; returns its length in seconds.

    Raises:
        OSError: the path cannot be written.
    """
    sound = synthesize(score, sample_rate=sample_rate)
    with path.open("wb") as file:
        soundfile.write(file, sound, sample_rate, subtype="PCM_16", format="WAV")
    return len(sound) / sample_rate
