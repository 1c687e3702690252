from __future__ import annotations

from pathlib import Path

import pytest
import soundfile

from bridge.render import render_wav
from models.music.score import Note, Part, Score


def test_a_score_becomes_a_stereo_file_as_long_as_its_music(tmp_path: Path) -> None:
    score = Score.build([Part(program=0)], [Note(0, 0, 60, 960, 100)], length_ticks=1920)
    seconds = render_wav(score, tmp_path / "out.wav", sample_rate=22050)
    info = soundfile.info(tmp_path / "out.wav")
    assert (info.channels, info.samplerate, info.subtype) == (2, 22050, "PCM_16")
    assert info.duration == pytest.approx(seconds)
    assert 2.0 < seconds < 5.0


def test_a_path_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        render_wav(Score.build([Part()], []), tmp_path / "nowhere" / "out.wav")
