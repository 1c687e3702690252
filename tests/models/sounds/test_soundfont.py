from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from models.sounds.soundfont import ATTENUATION, FINE_TUNE, SoundFont, SoundFontError, riff_chunks
from models.sounds.synth import bundled_font

KEYS, INSTRUMENT, SAMPLE = 43, 41, 53


def chunk(name: bytes, payload: bytes) -> bytes:
    return name + struct.pack("<I", len(payload)) + payload


def generators(*pairs: tuple[int, int]) -> bytes:
    return b"".join(struct.pack("<Hh", *pair) for pair in pairs)


def small_font(frames: np.ndarray) -> bytes:
    """One preset, one instrument, one uncompressed sample; a global zone tunes, the preset turns down."""
    instrument = generators((FINE_TUNE, 7), (ATTENUATION, 10)) + generators((KEYS, 40 | 80 << 8), (SAMPLE, 0))
    preset = generators((ATTENUATION, 5), (INSTRUMENT, 0))
    tables = [
        (
            b"phdr",
            struct.pack("<20sHHHIII", b"Beep", 5, 0, 0, 0, 0, 0) + struct.pack("<20sHHHIII", b"EOP", 0, 0, 1, 0, 0, 0),
        ),
        (b"pbag", struct.pack("<4H", 0, 0, 2, 0)),
        (b"pgen", preset + bytes(4)),
        (b"inst", struct.pack("<20sH", b"Beep", 0) + struct.pack("<20sH", b"EOI", 2)),
        (b"ibag", struct.pack("<6H", 0, 0, 2, 0, 4, 0)),
        (b"igen", instrument + bytes(4)),
        (b"shdr", struct.pack("<20sIIIIIBbHH", b"beep", 0, len(frames), 10, 90, 22050, 69, -3, 0, 1) + bytes(46)),
    ]
    lists = [(b"sdta", chunk(b"smpl", frames.astype("<i2").tobytes()))]
    lists += [(b"pdta", b"".join(chunk(*table) for table in tables))]
    return chunk(b"RIFF", b"sfbk" + b"".join(chunk(b"LIST", name + payload) for name, payload in lists))


def test_an_uncompressed_font_is_read(tmp_path: Path) -> None:
    path = tmp_path / "beep.sf2"
    path.write_bytes(small_font(np.arange(100) * 100))
    font = SoundFont(path)
    (zone,) = font.presets[(0, 5)]
    assert font.names[(0, 5)] == "Beep"
    assert zone.keys == (40, 80)
    assert font.samples[0].root_key == 69
    assert font.frames(0)[50] == pytest.approx(5000 / 32768)


def test_a_preset_adds_to_its_instrument_and_a_global_zone_lies_below(tmp_path: Path) -> None:
    path = tmp_path / "beep.sf2"
    path.write_bytes(small_font(np.zeros(100)))
    (zone,) = SoundFont(path).presets[(0, 5)]
    assert zone.get(ATTENUATION) == 15
    assert zone.get(FINE_TUNE) == 7


def test_compressed_samples_are_decoded_to_frames_that_hold_their_loop() -> None:
    font = bundled_font()
    zone = font.presets[(0, 33)][0]
    sample = font.samples[zone.sample]
    assert sample.is_vorbis
    assert len(font.frames(zone.sample)) >= sample.loop_end
    assert 0.05 < np.abs(font.frames(zone.sample)).max() <= 1.1


def test_odd_chunks_are_read_with_and_without_padding() -> None:
    for padding in (b"", b"\0"):
        inner = b"INFO" + chunk(b"INAM", b"odd") + padding + chunk(b"ICOP", b"mine")
        data = chunk(b"RIFF", b"sfbk" + chunk(b"LIST", inner))
        assert riff_chunks(data) == {"INAM": b"odd", "ICOP": b"mine"}


@pytest.mark.parametrize("data", [b"", b"RIFF", b"RIFF\0\0\0\0WAVE", b"RIFF\4\0\0\0sfbk"])
def test_what_is_no_soundfont_is_refused_by_name(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "broken.sf2"
    path.write_bytes(data)
    with pytest.raises(SoundFontError, match=r"broken\.sf2"):
        SoundFont(path)


def test_a_font_cut_short_is_refused(tmp_path: Path) -> None:
    whole = small_font(np.zeros(100))
    for length in range(0, len(whole) - 46, 7):
        path = tmp_path / "short.sf2"
        path.write_bytes(whole[:length])
        with pytest.raises(SoundFontError):
            SoundFont(path)
