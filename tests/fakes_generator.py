"""A model made of plain code: its notes are known beforehand, and it fails or stops where a test says so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from models.generator import Context, Controls, GeneratorSpec
from models.music.score import Note

STEP_TICKS = 240
DURATION_TICKS = 200
PIECE_NOTES = 4  # absorbed at once


def fixed_note(tick: int, part: int, seed: int) -> Note:
    """The note of one part at one step."""
    step = tick // STEP_TICKS
    return Note(tick, part, 36 + 6 * part + (step + seed) % 6, DURATION_TICKS, 1 + (step + seed) % 127)


def fixed_take(bars: int, parts: list[int], seed: int, start_tick: int = 0, bar_ticks: int = 1920) -> list[Note]:
    """A whole take, onsets counted from where it begins."""
    ticks = range(start_tick, start_tick + bars * bar_ticks, STEP_TICKS)
    return [fixed_note(tick, part, seed).shifted(-start_tick) for tick in ticks for part in sorted(parts)]


@dataclass
class Script:
    """What happens at each call. Hooks run on the worker's thread, and may raise or ask the worker for something."""

    on_open: Callable[[], None] = lambda: None
    on_piece: Callable[[int], None] = lambda absorbed: None
    on_note: Callable[[int], None] = lambda made: None
    """Before each note; told how many its generator has made so far."""
    calls: list[tuple[object, ...]] = field(default_factory=list)
    """(player, verb, argument) in order; players are counted from 0 as they are opened."""


class FixedGenerator:
    """See the module."""

    def __init__(self, number: int, script: Script) -> None:
        self._number = number
        self._script = script
        self._seed = 0
        self._context: Context | None = None
        self._position: tuple[int, int] = (0, -1)
        self._made = 0

    def reset(self, seed: int) -> None:
        self._seed, self._context = seed, None

    def reseed(self, seed: int) -> None:
        self._call("reseed", seed)
        self._seed = seed

    def prefill(self, context: Context) -> Iterator[int]:
        for absorbed in range(0, len(context.notes) + 1, PIECE_NOTES):
            self._script.on_piece(absorbed)
            self._call("piece", absorbed)
            yield absorbed
        self._context = context
        self._position = (context.start_tick, -1)

    def decode(self, until_tick: int, parts: frozenset[int], controls: Controls) -> Iterator[Note]:
        assert self._context is not None, "nothing was prefilled"
        self._call("decode", until_tick)
        for tick in range(self._position[0] // STEP_TICKS * STEP_TICKS, until_tick, STEP_TICKS):
            for part in sorted(parts):
                if (tick, part) > self._position:
                    self._script.on_note(self._made)
                    self._made += 1
                    self._position = (tick, part)
                    yield fixed_note(tick, part, self._seed)
        self._position = max(self._position, (until_tick, -1))

    def rewind(self, to_tick: int) -> None:
        self._call("rewind", to_tick)
        self._position = (to_tick, -1)

    def _call(self, verb: str, argument: object) -> None:
        self._script.calls.append((self._number, verb, argument))


class FixedModel:
    """The model of those generators."""

    def __init__(self, name: str = "fixed", script: Script | None = None) -> None:
        self.spec = GeneratorSpec(name, "none", 1, 4096, 16, reads_prompt=True, controls=frozenset({"temperature"}))
        self.script = script or Script()
        self._opened = 0

    def open(self) -> FixedGenerator:
        self.script.on_open()
        self._opened += 1
        return FixedGenerator(self._opened - 1, self.script)
