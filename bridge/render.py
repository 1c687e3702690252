"""Writes a score as a WAV file, played by the band that ships with Continuo."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np

from models.music.score import Score
from models.sounds.band import synthesize


def render_wav(score: Score, path: Path, sample_rate: int = 44100) -> float:
    """Write 16-bit stereo, the loudest frame at -1 dB; returns its length in seconds.

    Raises:
        OSError: the path cannot be written.
    """
    sound = synthesize(score, sample_rate)
    with path.open("wb") as file, wave.open(file, "wb") as wav:
        wav.setnchannels(2)
        wav.setsampwidth(2)
        wav.setframerate(sample_rate)
        wav.writeframes(np.round(sound * 32767.0).astype("<i2").tobytes())
    return len(sound) / sample_rate
