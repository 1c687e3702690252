from __future__ import annotations

import shutil
import subprocess
import wave
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from models.music.midi_file import read_score
from models.music.score import Note, Part, Score, Tempo
from models.sounds.band import PEAK, FloatArray, instrument, programs, synthesize

RATE = 44100
BEAT = 480
WHOLE = Path("/usr/share/sounds/sf3/FluidR3Mono_GM.sf3")


def play(*notes: Note, part: Part | None = None, bpm: float = 120.0) -> FloatArray:
    return synthesize(Score.build([part or Part(program=0)], notes, [Tempo(0, bpm)]), RATE)


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


@pytest.mark.parametrize("program", [0, 1, 4, 11, 24, 27, 33, 40, 48, 56, 65, 73, 80, 88])
def test_a_pitch_sounds_at_its_frequency(program: int) -> None:
    pitches = (48, 60, 72)
    notes = [Note(index * 4 * BEAT, 0, pitch, 2 * BEAT, 100) for index, pitch in enumerate(pitches)]
    sound = play(*notes, part=Part(program=program))
    for index, pitch in enumerate(pitches):
        wanted_hz = 440.0 * 2.0 ** ((pitch - 69) / 12)
        off_cents = 1200 * np.log2(peak_hz(sound, index * 2.0 + 0.1, index * 2.0 + 0.9, wanted_hz) / wanted_hz)
        assert abs(off_cents) < 20, pitch  # a section of strings is never nearer


@pytest.mark.parametrize("program", programs())
def test_every_instrument_is_heard_in_every_octave(program: int) -> None:
    pitches = range(36, 97, 12)
    notes = [Note(index * BEAT, 0, pitch, BEAT, 100) for index, pitch in enumerate(pitches)]
    sound = play(*notes, part=Part(program=program))
    for index, pitch in enumerate(pitches):
        assert loudness(sound, index * 0.5, index * 0.5 + 0.5) > 0.005, pitch


def test_every_drum_of_general_midi_is_heard() -> None:
    keys = range(35, 82)
    sound = play(
        *(Note(index * 2 * BEAT, 0, key, BEAT, 120) for index, key in enumerate(keys)), part=Part(is_drum=True)
    )
    for index, key in enumerate(keys):
        struck, before = (sound[round((index + shift) * RATE) :][: RATE // 10] for shift in (0.0, -0.1))
        assert np.abs(struck).max() > 0.04, key
        assert index == 0 or np.abs(struck).max() > 1.5 * np.abs(before).max(), key


def test_every_program_is_played_by_its_own_family() -> None:
    for program in range(128):
        chosen = int(instrument(Part(program=program)).removesuffix(".sfz"))
        assert chosen // 8 == program // 8
        assert chosen == program or program not in programs()


def test_drums_are_drums_whatever_their_program() -> None:
    assert instrument(Part(is_drum=True, program=25)) == "drums.sfz"


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


def test_an_empty_score_is_silence() -> None:
    sound = synthesize(Score.build([Part()], [], length_ticks=2 * BEAT))
    assert sound.shape[1] == 2
    assert not sound.any()


def test_the_same_score_gives_the_same_frames() -> None:
    long_samples = [Note(index * BEAT, 0, key, BEAT, 90) for index, key in enumerate((38, 49, 46, 57, 51, 55))]
    first, second = (play(*long_samples, part=Part(is_drum=True)) for _ in range(2))
    assert np.array_equal(first, second)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("fluidsynth") is None, reason="FluidSynth is not installed")
@pytest.mark.skipif(not WHOLE.exists(), reason="Debian's fluidr3mono-gm-soundfont is not installed")
def test_it_sounds_as_fluidsynth_does(tmp_path: Path) -> None:
    """The reference, with the font the band was cut from: same balance of registers, same course of loudness."""
    clip, wav = files("bridge") / "clips" / "pop.mid", tmp_path / "reference.wav"
    options = ["-ni", "-q", "-R", "0", "-C", "0", "-F", str(wav), "-r", str(RATE)]
    subprocess.run(["fluidsynth", *options, str(WHOLE), str(clip)], check=True, timeout=60)
    with wave.open(str(wav)) as file:
        reference = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2) / 32768.0
    sound = synthesize(read_score(clip.read_bytes()), RATE)
    length = min(len(sound), len(reference))
    ours, theirs = sound[:length].mean(axis=1), reference[:length].mean(axis=1)
    assert np.abs(_bands_db(ours) - _bands_db(theirs)).max() < 1.5
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
