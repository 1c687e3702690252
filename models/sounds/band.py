"""A score as stereo sound: sfizz plays the band that ships with Continuo. It writes no file: see `bridge.render`."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pysfizz._sfizz import Synth  # `pysfizz.Synth` wraps this one, but plays a single note at a time

from models.music.score import Note, Part, Score
from models.music.timebase import TempoMap

SUFFIX = ".sfz"
SAMPLES = "samples"
DRUMS = "drums"

PEAK = 0.89  # -1 dB: head room for what players add
TAIL_S = 1.5
BLOCK = 1024

FloatArray = npt.NDArray[np.float32]


@cache
def programs() -> tuple[int, ...]:
    """The General MIDI programs the band has an instrument for, ascending."""
    names = (Path(file.name) for file in (files("models.sounds") / "band").iterdir())
    return tuple(sorted(int(name.stem) for name in names if name.suffix == SUFFIX and name.stem != DRUMS))


def instrument(part: Part) -> str:
    """The file that plays the part: the drums, or the nearest program, of the same family first."""
    if part.is_drum:
        return DRUMS + SUFFIX
    wanted = part.program or 0
    nearest = min(programs(), key=lambda there: (there // 8 != wanted // 8, abs(there - wanted), there))
    return f"{nearest:03}{SUFFIX}"


def synthesize(score: Score, sample_rate: int = 44100) -> FloatArray:
    """The score as (frames, 2) floats, its loudest frame at -1 dB; an empty score gives silence.

    Raises:
        FileNotFoundError: an instrument of the band is missing.
    """
    tempo = TempoMap(score.tempos)
    end_tick = max([score.length_ticks, *(note.end_tick for note in score.notes)])
    mix = np.zeros((round((tempo.tick_to_s(end_tick) + TAIL_S) * sample_rate), 2), np.float32)
    for index, part in enumerate(score.parts):
        strikes = _strikes([note for note in score.notes if note.part == index], tempo, sample_rate)
        if strikes:
            for start, block in _blocks(part, strikes, len(mix), sample_rate):
                mix[start : start + BLOCK] += block[: len(mix) - start]
    loudest = float(np.abs(mix).max(initial=0.0))
    if loudest > 0.0:
        mix *= np.float32(PEAK / loudest)
    return mix


def _strikes(notes: list[Note], tempo: TempoMap, sample_rate: int) -> list[tuple[int, int, int]]:
    """(frame, pitch, velocity) of every beginning and, with velocity 0, of every end; ends come first."""
    strikes = []
    for note in notes:
        strikes.append((round(tempo.tick_to_s(note.onset_tick) * sample_rate), note.pitch, note.velocity))
        strikes.append((round(tempo.tick_to_s(note.end_tick) * sample_rate), note.pitch, 0))
    return sorted(strikes, key=lambda strike: (strike[0], strike[2] > 0, strike[1]))


def _blocks(
    part: Part, strikes: list[tuple[int, int, int]], frames: int, sample_rate: int
) -> Iterator[tuple[int, FloatArray]]:
    """One part from its beginning on, as (first frame, `BLOCK` frames of left and right)."""
    synth = Synth(sample_rate, BLOCK)
    synth.enable_freewheeling()  # wait for samples instead of skipping what is late
    with as_file(files("models.sounds") / "band") as band:
        if not synth.load_sfz_file(str(band / instrument(part))):
            raise FileNotFoundError(f"{band / instrument(part)} cannot be loaded; install Continuo again")
        due = 0
        for start in range(0, frames, BLOCK):
            while due < len(strikes) and strikes[due][0] < start + BLOCK:
                frame, pitch, velocity = strikes[due]
                strike = synth.note_on if velocity else synth.note_off
                strike(frame - start, pitch, velocity)
                due += 1
            yield start, np.stack(synth.render_block(), axis=1)
