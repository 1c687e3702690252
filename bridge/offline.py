"""Continues a score without a clock, a socket or a port. The daemon does the same in time: see `worker`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from models.generator import Context, Controls, Generator
from models.music.score import Meter, Note, Score, Tempo
from models.music.seam import prompt_end_tick
from models.music.timebase import MeterMap


@dataclass(frozen=True, slots=True)
class Order:
    """What is wanted of a continuation."""

    bars: int
    seed: int
    parts: frozenset[int] = frozenset()
    """Empty = every part of the score."""
    controls: Controls = field(default_factory=Controls)


@dataclass(frozen=True, slots=True)
class Continuation:
    """The notes made, in the score's own ticks, and the bar lines they lie between."""

    notes: tuple[Note, ...]
    start_tick: int
    end_tick: int


def continue_score(
    score: Score, generator: Generator, order: Order, on_tick: Callable[[int], None] = lambda tick: None
) -> Continuation:
    """Play on after the score's last bar; `on_tick` hears how far, in ticks after the start. Same order, same notes."""
    start_tick, end_tick = span_ticks(score, order.bars)
    context = Context(score.parts, score.notes, start_tick, score.meters, tempo_at(score, start_tick).bpm)
    wanted = order.parts or frozenset(range(len(score.parts)))
    generator.reset(order.seed)
    for _ in generator.prefill(context):
        pass
    notes = []
    for note in generator.decode(end_tick, wanted, order.controls):
        notes.append(note)
        on_tick(note.onset_tick - start_tick)
    on_tick(end_tick - start_tick)
    return Continuation(tuple(notes), start_tick, end_tick)


def span_ticks(score: Score, bars: int) -> tuple[int, int]:
    """The bar lines between which the next `bars` bars of the score lie."""
    meter_map = MeterMap(score.meters)
    start_tick = prompt_end_tick(score)
    return start_tick, meter_map.bar_to_tick(meter_map.tick_to_bar(start_tick)[0] + bars)


def tempo_at(score: Score, tick: int) -> Tempo:
    """The tempo in force at `tick`."""
    return [tempo for tempo in score.tempos if tempo.tick <= tick][-1]


def whole_score(score: Score, continuation: Continuation) -> Score:
    """Prompt and continuation as one score, which ends where the continuation does."""
    notes = score.notes + continuation.notes
    return Score.build(score.parts, notes, score.tempos, score.meters, continuation.end_tick)


def only_continuation(score: Score, continuation: Continuation) -> Score:
    """The continuation as a score of its own that starts at tick 0."""
    start_tick = continuation.start_tick
    meter = MeterMap(score.meters).meter_at(start_tick)
    return Score.build(
        score.parts,
        (note.shifted(-start_tick) for note in continuation.notes),
        [Tempo(0, tempo_at(score, start_tick).bpm)],
        [Meter(0, meter.numerator, meter.denominator)],
        continuation.end_tick - start_tick,
    )
