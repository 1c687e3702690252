"""A model without weights: it plays the prompt's last bars again, so that every expected note is known."""

from __future__ import annotations

from collections.abc import Iterator

from models.generator import Context, Controls, GeneratorSpec
from models.music.score import Note
from models.music.timebase import MeterMap


class EchoGenerator:
    """Repeats the bar before the context's end; the seed raises every velocity, so that seeds can be told apart."""

    def __init__(self) -> None:
        self._seed = 0
        self._context: Context | None = None
        self._at_tick = 0

    def reset(self, seed: int) -> None:
        self._seed = seed
        self._context = None

    def reseed(self, seed: int) -> None:
        self._seed = seed

    def prefill(self, context: Context) -> Iterator[int]:
        self._context = context
        self._at_tick = context.start_tick
        yield len(context.notes)

    def decode(self, until_tick: int, parts: frozenset[int], controls: Controls) -> Iterator[Note]:
        context = self._context
        assert context is not None
        bars = MeterMap(context.meters)
        start_tick = context.start_tick
        length_ticks = start_tick - bars.bar_to_tick(max(0, bars.tick_to_bar(start_tick)[0] - 1))
        last_bar = [note for note in context.notes if start_tick - length_ticks <= note.onset_tick < start_tick]
        for bar in range(1, (until_tick - start_tick) // length_ticks + 1):
            for note in last_bar:
                onset_tick = note.onset_tick + bar * length_ticks
                if note.part in parts and self._at_tick <= onset_tick < until_tick:
                    velocity = 1 + (note.velocity + self._seed) % 127
                    yield Note(onset_tick, note.part, note.pitch, note.duration_ticks, velocity)
        self._at_tick = until_tick

    def rewind(self, to_tick: int) -> None:
        self._at_tick = to_tick


class EchoModel:
    """The model of that generator."""

    spec = GeneratorSpec("echo", "none", 1, 4096, 16, reads_prompt=True, controls=frozenset({"temperature"}))

    def open(self) -> EchoGenerator:
        return EchoGenerator()
