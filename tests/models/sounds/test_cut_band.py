from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest

from models.sounds.band import programs
from models.sounds.cut_band import PROGRAMS, cut_band, drum_zones
from models.sounds.soundfont import FULL, SoundFont, Zone
from tests.models.sounds.small_font import STREAM, small_font

HOLD, RELEASE, LOOP_MODE, SCALE, CLASS, ROOT = 35, 38, 54, 56, 57, 58


def cut(folder: Path, *local: tuple[int, int]) -> tuple[dict[str, str], Path]:
    """The opcodes of program 5, and where the band lies."""
    (folder / "beep.sf3").write_bytes(small_font(*local))
    cut_band(SoundFont(folder / "beep.sf3"), folder / "band", programs=(5,))
    words = (folder / "band" / "005.sfz").read_text().split()
    return dict(word.split("=", 1) for word in words if "=" in word), folder / "band"


def test_a_band_is_instruments_beside_their_samples(tmp_path: Path) -> None:
    opcodes, band = cut(tmp_path)
    assert {path.name for path in band.iterdir()} == {"005.sfz", "drums.sfz", "samples"}
    assert opcodes["sample"] == "beep-c-4-l-0.ogg"
    assert (band / "samples" / opcodes["sample"]).read_bytes() == STREAM


def test_tuning_comes_from_zone_and_sample_together(tmp_path: Path) -> None:
    opcodes, _ = cut(tmp_path)
    assert (opcodes["pitch_keycenter"], opcodes["tune"]) == ("69", "4")
    opcodes, _ = cut(tmp_path, (ROOT, 50), (SCALE, 0))
    assert (opcodes["pitch_keycenter"], opcodes["pitch_keytrack"]) == ("50", "0")


def test_a_loop_ends_with_its_last_frame(tmp_path: Path) -> None:
    opcodes, _ = cut(tmp_path, (LOOP_MODE, 1))
    assert (opcodes["loop_mode"], opcodes["loop_start"], opcodes["loop_end"]) == ("loop_continuous", "10", "89")
    opcodes, _ = cut(tmp_path)
    assert opcodes["loop_mode"] == "no_loop"
    assert "loop_end" not in opcodes


def test_times_and_levels_are_in_seconds_and_decibels(tmp_path: Path) -> None:
    opcodes, _ = cut(tmp_path, (HOLD, 1200), (RELEASE, 0))
    assert float(opcodes["ampeg_hold"]) == 2.0
    assert float(opcodes["ampeg_release"]) == pytest.approx(0.78)
    assert float(opcodes["volume"]) == pytest.approx(-0.6)


def test_what_silences_itself_still_does(tmp_path: Path) -> None:
    opcodes, _ = cut(tmp_path, (CLASS, 3))
    assert opcodes["group"] == opcodes["off_by"] == "3"


def test_drums_beyond_the_percussion_map_are_left_out() -> None:
    below, bass, snare, above = (Zone(keys, FULL, 0, {}) for keys in ((27, 34), (35, 36), (38, 38), (82, 90)))
    assert drum_zones([below, bass, snare, above]) == (bass, snare)


def test_the_bundled_band_holds_what_the_tool_says() -> None:
    assert programs() == PROGRAMS


def test_every_family_of_general_midi_has_a_voice() -> None:
    assert {program // 8 for program in PROGRAMS} == set(range(16))


def test_every_sample_is_there_and_is_used() -> None:
    band = files("models.sounds") / "band"
    texts = [file.read_text() for file in band.iterdir() if file.name.endswith(".sfz")]
    used = {word.removeprefix("sample=") for text in texts for word in text.split() if word.startswith("sample=")}
    assert used == {file.name for file in (band / "samples").iterdir()}


def test_the_licence_travels_with_the_sounds() -> None:
    text = (files("models.sounds") / "LICENSE.txt").read_text(encoding="utf-8")
    assert "Frank Wen" in text
    assert "Permission is hereby granted, free of charge" in text
