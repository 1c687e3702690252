from __future__ import annotations

from pathlib import Path

import pytest

from models.sounds.soundfont import ATTENUATION, DRUM_BANK, FINE_TUNE, SoundFont, SoundFontError, riff_chunks
from tests.models.sounds.small_font import STREAM, chunk, small_font

KEYS = 43


def font_of(folder: Path, data: bytes) -> SoundFont:
    path = folder / "beep.sf3"
    path.write_bytes(data)
    return SoundFont(path)


def test_a_font_is_read_with_its_samples(tmp_path: Path) -> None:
    font = font_of(tmp_path, small_font((KEYS, 40 | 80 << 8)))
    assert set(font.presets) == {(0, 5), (DRUM_BANK, 0)}
    (zone,) = font.presets[0, 5]
    assert zone.keys == (40, 80)
    assert font.samples[zone.sample].root_key == 69
    assert font.ogg(zone.sample) == STREAM


def test_a_preset_adds_to_its_instrument_and_a_global_zone_lies_below(tmp_path: Path) -> None:
    (zone,) = font_of(tmp_path, small_font()).presets[0, 5]
    assert zone.get(ATTENUATION) == 15
    assert zone.get(FINE_TUNE) == 7


def test_odd_chunks_are_read_with_and_without_padding() -> None:
    for padding in (b"", b"\0"):
        inner = b"INFO" + chunk(b"INAM", b"odd") + padding + chunk(b"ICOP", b"mine")
        data = chunk(b"RIFF", b"sfbk" + chunk(b"LIST", inner))
        assert riff_chunks(data) == {"INAM": b"odd", "ICOP": b"mine"}


def test_samples_that_are_not_compressed_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SoundFontError, match=r"give an \.sf3 file"):
        font_of(tmp_path, small_font(sample_type=1))


@pytest.mark.parametrize("data", [b"", b"RIFF", b"RIFF\0\0\0\0WAVE", b"RIFF\4\0\0\0sfbk"])
def test_what_is_no_soundfont_is_refused_by_name(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(SoundFontError, match=r"beep\.sf3"):
        font_of(tmp_path, data)


def test_a_font_cut_short_is_refused(tmp_path: Path) -> None:
    whole = small_font()
    for length in range(0, len(whole) - 46, 7):
        with pytest.raises(SoundFontError):
            font_of(tmp_path, whole[:length])
