"""Tiny random models of every kind, and noise for them to go on from: what the contract of generators is tried on."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from models.generator import Context, Controls, Generator, Model
from models.music.constants import PPQ
from models.music.score import Meter, Note
from models.zoo.flagship.generator import FlagshipModel
from tests.models.tiny import BAND, random_score, tiny_network

MODELS: dict[str, Callable[[int], Model]] = {
    "flagship": lambda block_size: FlagshipModel(tiny_network(block_size)),
}
"""Kind -> a tiny model of it that looks at so many notes."""
BLOCK = 512  # four pieces of reading
WHOLE = 4 * PPQ
BARS = 8
START_TICK = BARS * WHOLE
ALL = frozenset(range(len(BAND)))
PLAIN = Controls()


def context_of(
    seed: int = 0, bars: int = BARS, given: frozenset[int] = frozenset(), future_seed: int = 1, crowd: int = 10
) -> Context:
    """Noise to go on from; what is given goes on as noise of another seed."""
    heard = [note for note in random_score(seed, bars, notes_per_bar=crowd).notes if note.onset_tick < bars * WHOLE]
    future = [note.shifted(bars * WHOLE) for note in random_score(future_seed, 4).notes if note.part in given]
    return Context(BAND, tuple(sorted([*heard, *future])), bars * WHOLE, (Meter(0, 4, 4),), 112.0, given)


def opened(model: Model, context: Context, seed: int = 7) -> Generator:
    """A generator that has read a context."""
    generator = model.open()
    generator.reset(seed)
    read(generator, context)
    return generator


def read(generator: Generator, context: Context) -> list[int]:
    """Prefill to the end."""
    return list(generator.prefill(context))


def play(
    generator: Generator,
    bars: float = 2,
    parts: frozenset[int] = ALL,
    controls: Controls = PLAIN,
    start: int = START_TICK,
) -> list[Note]:
    """Decode up to so many bars after the start."""
    return list(generator.decode(start + round(bars * WHOLE), parts, controls))


def assert_sound(notes: Sequence[Note], start: int, until: int, parts: frozenset[int]) -> None:
    """In order, in time, by who was asked, and able to sound."""
    assert notes, "a continuation of noise by noise has notes"
    onsets = [note.onset_tick for note in notes]
    assert onsets == sorted(onsets)
    assert start <= onsets[0] and onsets[-1] < until
    assert {note.part for note in notes} <= parts
    for note in notes:
        note.check()
