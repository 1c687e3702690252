from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import numpy as np

from models.music.score import Note, Part, Score
from models.sounds.soundfont import DRUM_BANK, SoundFont
from models.sounds.subset import KITS, PROGRAMS, subset
from models.sounds.synth import BUNDLED, bundled_font, synthesize


def test_a_subset_plays_its_presets_as_the_whole_does(tmp_path: Path) -> None:
    path = tmp_path / "small.sf3"
    whole = (files("models.sounds") / BUNDLED).read_bytes()
    path.write_bytes(subset(whole, {(0, 33), (0, 4), (DRUM_BANK, 0)}))
    parts = [Part(program=33), Part(program=4), Part(is_drum=True)]
    score = Score.build(parts, [Note(0, 0, 40, 480, 90), Note(0, 1, 64, 480, 90), Note(480, 2, 38, 120, 90)])
    small = SoundFont(path)
    assert set(small.presets) == {(0, 33), (0, 4), (DRUM_BANK, 0)}
    assert path.stat().st_size < len(whole) / 3
    assert np.array_equal(synthesize(score, small), synthesize(score))


def test_the_bundled_band_holds_what_the_tool_says() -> None:
    assert set(bundled_font().presets) == {(0, program) for program in PROGRAMS} | {(DRUM_BANK, kit) for kit in KITS}


def test_every_family_of_general_midi_has_a_voice() -> None:
    assert {program // 8 for program in PROGRAMS} == set(range(16))


def test_the_licence_travels_with_the_sounds() -> None:
    text = (files("models.sounds") / "LICENSE.txt").read_text()
    assert "Frank Wen" in text
    assert "Permission is hereby granted, free of charge" in text
