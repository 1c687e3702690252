from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

from bridge.render import render_wav
from models.music.score import Note, Part, Score


def test_a_score_becomes_a_stereo_file_as_long_as_its_music(tmp_path: Path) -> None:
    score = Score.build([Part(program=0)], [Note(0, 0, 60, 960, 100)], length_ticks=1920)
    seconds = render_wav(score, tmp_path / "out.wav", sample_rate=22050)
    with wave.open(str(tmp_path / "out.wav")) as sound:
        assert (sound.getnchannels(), sound.getframerate(), sound.getsampwidth()) == (2, 22050, 2)
        assert sound.getnframes() / 22050 == pytest.approx(seconds)
        frames = np.frombuffer(sound.readframes(sound.getnframes()), "<i2")
    assert np.abs(frames.astype(int)).max() == pytest.approx(0.89 * 32767, abs=2)
    assert 2.0 < seconds < 5.0


def test_a_path_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        render_wav(Score.build([Part()], []), tmp_path / "nowhere" / "out.wav")
