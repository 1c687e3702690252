from __future__ import annotations

import shutil
import subprocess
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
import soundfile

from models.music.midi_file import read_score
from models.music.score import Note, Part, Score, Tempo
from models.sounds.soundfont import DRUM_BANK, FloatArray
from models.sounds.synth import BUNDLED, PEAK, bundled_font, nearest_preset, synthesize

RATE = 44100
BEAT = 480


def play(*notes: Note, part: Part | None = None, bpm: float = 120.0) -> FloatArray:
    return synthesize(Score.build([part or Part(program=0)], notes, [Tempo(0, bpm)]), sample_rate=RATE)


def peak_hz(sound: FloatArray, start_s: float, end_s: float, near_hz: float) -> float:
    """The loudest frequency within a semitone of `near_hz`."""
    piece = sound[int(start_s * RATE) : int(end_s * RATE)].sum(axis=1)
    spectrum = np.abs(np.fft.rfft(piece * np.hanning(len(piece)), 1 << 18))
    frequencies = np.fft.rfftfreq(1 << 18, 1 / RATE)
    window = (frequencies > near_hz / 1.06) & (frequencies < near_hz * 1.06)
    return float(frequencies[window][np.argmax(spectrum[window])])


def loudness(sound: FloatArray, start_s: float, end_s: float) -> float:
    piece = sound[int(start_s * RATE) : int(end_s * RATE)]
    return float(np.sqrt((piece.astype(np.float64) ** 2).mean()))


@pytest.mark.parametrize("program", [0, 4, 24, 33, 40, 48, 56, 65, 73, 80])
@pytest.mark.parametrize("pitch", [48, 60, 72])
def test_a_pitch_sounds_at_its_frequency(program: int, pitch: int) -> None:
    sound = play(Note(0, 0, pitch, 2 * BEAT, 100), part=Part(program=program))
    wanted_hz = 440.0 * 2.0 ** ((pitch - 69) / 12)
    off_cents = 1200 * np.log2(peak_hz(sound, 0.1, 0.9, wanted_hz) / wanted_hz)
    assert abs(off_cents) < 20  # a section of strings is never nearer


def test_every_program_is_heard() -> None:
    font = bundled_font()
    presets = {nearest_preset(font, Part(program=program)) for program in range(128)}
    for _, program in sorted(presets):
        assert loudness(play(Note(0, 0, 60, BEAT, 100), part=Part(program=program)), 0.0, 0.5) > 0.01, program


@pytest.mark.parametrize("key", range(35, 82))
def test_every_drum_of_general_midi_is_heard(key: int) -> None:
    hit, snare = Note(0, 0, key, BEAT, 120), Note(2 * BEAT, 0, 38, BEAT, 100)
    sound = play(hit, snare, part=Part(is_drum=True))
    assert np.abs(sound[: RATE // 2]).max() > 0.04


def test_a_missing_program_is_played_by_its_own_family() -> None:
    font = bundled_font()
    for program in range(128):
        bank, chosen = nearest_preset(font, Part(program=program))
        assert bank == 0
        assert chosen // 8 == program // 8


def test_drums_come_from_the_drum_bank_whatever_their_program() -> None:
    assert nearest_preset(bundled_font(), Part(is_drum=True, program=25)) == (DRUM_BANK, 0)


def test_notes_begin_at_their_tick_at_the_scores_tempo() -> None:
    sound = play(Note(4 * BEAT, 0, 60, BEAT, 100), bpm=60.0)
    assert np.abs(sound[: int(3.99 * RATE)]).max() < 1e-4
    assert np.abs(sound[int(4.0 * RATE) : int(4.1 * RATE)]).max() > 0.1


def test_the_loudest_frame_is_at_minus_one_decibel_however_many_notes_there_are() -> None:
    chord = [Note(0, 0, pitch, BEAT, 127) for pitch in range(36, 84, 2)]
    assert np.abs(play(*chord)).max() == pytest.approx(PEAK, abs=1e-3)


def test_a_louder_velocity_is_louder() -> None:
    sound = play(Note(0, 0, 60, BEAT // 2, 40), Note(4 * BEAT, 0, 60, BEAT // 2, 110))
    assert loudness(sound, 2.0, 2.25) > 3 * loudness(sound, 0.0, 0.25)


def test_a_closed_hat_silences_the_open_one() -> None:
    ringing = Note(0, 0, 46, BEAT, 110)
    alone = play(ringing, Note(8 * BEAT, 0, 36, BEAT, 110), part=Part(is_drum=True))
    cut = play(ringing, Note(BEAT // 2, 0, 42, BEAT // 8, 1), Note(8 * BEAT, 0, 36, BEAT, 110), part=Part(is_drum=True))
    assert loudness(cut, 0.27, 0.4) < 0.5 * loudness(alone, 0.27, 0.4)


def test_a_pitch_beyond_every_range_still_sounds() -> None:
    assert np.abs(play(Note(0, 0, 127, BEAT, 100), part=Part(program=32))).max() > 0.1


def test_an_empty_score_is_silence() -> None:
    sound = synthesize(Score.build([Part()], [], length_ticks=2 * BEAT))
    assert sound.shape[1] == 2
    assert not sound.any()


def test_the_same_score_gives_the_same_frames() -> None:
    notes = [Note(tick, 0, 60 + tick // BEAT, BEAT, 90) for tick in range(0, 4 * BEAT, BEAT)]
    assert np.array_equal(play(*notes), play(*notes))


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("fluidsynth") is None, reason="FluidSynth is not installed")
def test_it_sounds_as_fluidsynth_does(tmp_path: Path) -> None:
    """The reference implementation, same sounds, same piece: same balance of registers, same course of loudness."""
    clip, wav = files("bridge") / "clips" / "pop.mid", tmp_path / "reference.wav"
    options = ["-ni", "-q", "-R", "0", "-C", "0", "-F", str(wav), "-r", str(RATE)]
    subprocess.run(["fluidsynth", *options, str(files("models.sounds") / BUNDLED), str(clip)], check=True, timeout=60)
    reference, _ = soundfile.read(wav)
    sound = synthesize(read_score(clip.read_bytes()), sample_rate=RATE)
    length = min(len(sound), len(reference))
    ours, theirs = sound[:length].mean(axis=1), reference[:length].mean(axis=1)
    assert np.abs(_bands_db(ours) - _bands_db(theirs)).max() < 3.0
    assert np.corrcoef(_course(ours), _course(theirs))[0, 1] > 0.97


def _bands_db(sound: np.ndarray) -> np.ndarray:
    """Share of the energy in each octave from 60 Hz to 4 kHz."""
    power = np.abs(np.fft.rfft(sound)) ** 2
    edges = np.searchsorted(np.fft.rfftfreq(len(sound), 1 / RATE), [60, 120, 250, 500, 1000, 2000, 4000])
    energy = np.array([power[low:high].sum() for low, high in zip(edges, edges[1:], strict=False)])
    return 10 * np.log10(energy / power.sum())


def _course(sound: np.ndarray) -> np.ndarray:
    """Loudness of each twentieth of a second."""
    step = RATE // 20
    return np.sqrt((sound[: len(sound) // step * step].reshape(-1, step) ** 2).mean(axis=1))
