"""A score as stereo sound, rendered at once. It plays nothing aloud and writes no file: see `bridge.render`."""

from __future__ import annotations

import math
from functools import cache
from importlib.resources import as_file, files

import numpy as np

from models.music.score import Note, Part, Score
from models.music.timebase import TempoMap
from models.sounds.soundfont import DRUM_BANK, EXCLUSIVE_CLASS, PAN, FloatArray, SoundFont, Zone
from models.sounds.voice import play

BUNDLED = "band.sf3"
PEAK = 0.89  # -1 dB: head room for what players add
TAIL_S = 1.5
REVERB_S = 1.1
REVERB_LEVEL = 0.16
BLOCK = 1 << 16


@cache
def bundled_font() -> SoundFont:
    """The General MIDI band that ships with Continuo, read once."""
    with as_file(files("models.sounds") / BUNDLED) as path:
        return SoundFont(path)


def nearest_preset(font: SoundFont, part: Part) -> tuple[int, int]:
    """The (bank, program) that comes closest to what the part asks for: same family first, then nearest number."""
    bank = DRUM_BANK if part.is_drum else 0
    wanted = part.program or 0
    there = [program for which, program in font.presets if which == bank]
    if not there:
        raise ValueError(f"the sounds have no {'drums' if part.is_drum else 'instruments'}; choose another SoundFont")
    return bank, min(there, key=lambda program: (program // 8 != wanted // 8, abs(program - wanted), program))


def synthesize(score: Score, font: SoundFont | None = None, sample_rate: int = 44100) -> FloatArray:
    """The score as (frames, 2) floats, its loudest frame at -1 dB; an empty score gives silence."""
    font = font or bundled_font()
    tempo = TempoMap(score.tempos)
    end_tick = max([score.length_ticks, *(note.end_tick for note in score.notes)])
    mix = np.zeros((round((tempo.tick_to_s(end_tick) + TAIL_S) * sample_rate), 2), np.float32)
    for index, part in enumerate(score.parts):
        zones = font.presets[nearest_preset(font, part)]
        notes = [note for note in score.notes if note.part == index]
        _add_part(mix, font, zones, notes, tempo, sample_rate)
    mix += _reverb(mix.mean(axis=1), sample_rate) * np.float32(REVERB_LEVEL)
    loudest = float(np.abs(mix).max(initial=0.0))
    if loudest > 0.0:
        mix *= np.float32(PEAK / loudest)
    return mix


def _add_part(
    mix: FloatArray, font: SoundFont, zones: tuple[Zone, ...], notes: list[Note], tempo: TempoMap, sample_rate: int
) -> None:
    """Add every note of one part to the mix."""
    next_onset_s: dict[int, float] = {}  # by exclusive class: a closed hi-hat silences the open one
    for note in reversed(notes):
        onset_s, end_s = tempo.tick_to_s(note.onset_tick), tempo.tick_to_s(note.end_tick)
        for zone in _zones_for(zones, note):
            group = zone.get(EXCLUSIVE_CLASS)
            cut_s = next_onset_s.get(group, math.inf) - onset_s if group else math.inf
            voice = play(font, zone, note.pitch, note.velocity, end_s - onset_s, sample_rate, cut_s)
            _add_voice(mix, voice, round(onset_s * sample_rate), zone.get(PAN) / 1000.0)
            if group:
                next_onset_s[group] = onset_s


def _zones_for(zones: tuple[Zone, ...], note: Note) -> list[Zone]:
    """The zones that sound for a note; a pitch outside every range takes the nearest zone."""
    fitting = [zone for zone in zones if zone.holds(note.pitch, note.velocity)]
    if fitting or not zones:
        return fitting
    return [min(zones, key=lambda zone: max(zone.keys[0] - note.pitch, note.pitch - zone.keys[1], 0))]


def _add_voice(mix: FloatArray, voice: FloatArray, at: int, pan: float) -> None:
    """Add one channel at equal power; `pan` from -0.5 (left) to 0.5."""
    voice = voice[: max(0, len(mix) - at)]
    angle = (min(0.5, max(-0.5, pan)) + 0.5) * np.pi / 2
    mix[at : at + len(voice), 0] += voice * np.float32(np.cos(angle))
    mix[at : at + len(voice), 1] += voice * np.float32(np.sin(angle))


def _reverb(dry: FloatArray, sample_rate: int) -> FloatArray:
    """The sound of a small room: convolution with fading noise, the same every time."""
    length = round(REVERB_S * sample_rate)
    fade = np.exp(-6.9 * np.arange(length) / length)
    room = np.random.default_rng(1).standard_normal((2, length)) * fade
    room /= np.sqrt((room**2).sum(axis=1, keepdims=True))
    size = 1 << (BLOCK + length - 1).bit_length()
    spectra = np.fft.rfft(room, size)
    wet = np.zeros((len(dry) + size, 2), np.float32)
    for start in range(0, len(dry), BLOCK):
        block = np.fft.irfft(np.fft.rfft(dry[start : start + BLOCK], size) * spectra, size)
        wet[start : start + size] += block.T.astype(np.float32)
    return wet[: len(dry)]
