"""Run as a process: plays a shipped clip on with a model, against no clock, and prints its speed as JSON."""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Iterable
from importlib.resources import files

import click

from bridge.offline import span_ticks, tempo_at
from models.generator import Context, Controls, Generator
from models.music.midi_file import read_score
from models.music.score import Score
from models.registry import ModelError, load

BARS = 4
LONG_NOTES = 512


def context_of(score: Score) -> Context:
    """What a model is told of a score that is to be played on."""
    start_tick, _ = span_ticks(score, 1)
    return Context(score.parts, score.notes, start_tick, score.meters, tempo_at(score, start_tick).bpm)


def looped(context: Context, count: int) -> Context:
    """The same music over and over, so long that exactly `count` notes lie before the end."""
    rounds = -(-count // len(context.notes))
    notes = [note.shifted(turn * context.start_tick) for turn in range(rounds) for note in context.notes]
    return Context(context.parts, tuple(notes[-count:]), rounds * context.start_tick, context.meters, context.bpm)


def measure(generator: Generator, context: Context, until_tick: int, seed: int) -> dict[str, float]:
    """Prefill and decode once: milliseconds for either's first result, and notes a second."""
    began_s = time.perf_counter()
    generator.reset(seed)
    for _ in generator.prefill(context):
        pass
    prefilled_s = first_s = time.perf_counter()
    count = 0
    for _ in generator.decode(until_tick, frozenset(range(len(context.parts))), Controls()):
        count += 1
        if count == 1:
            first_s = time.perf_counter()
    return {
        "prefill_ms": (prefilled_s - began_s) * 1000,
        "first_note_ms": (first_s - prefilled_s) * 1000,
        "notes_per_second": count / (time.perf_counter() - prefilled_s),
    }


def medians(runs: Iterable[dict[str, float]]) -> dict[str, float]:
    """The median of every figure."""
    listed = list(runs)
    return {name: round(statistics.median(run[name] for run in listed), 3) for name in listed[0]}


@click.command()
@click.option("--model", required=True)
@click.option("--device", required=True)
@click.option("--runs", type=int, default=1)
def main(model: str, device: str, runs: int) -> None:
    """Print the figures; the first, cold run does not count."""
    score = read_score((files("bridge") / "clips" / "pop.mid").read_bytes())
    context, until_tick = context_of(score), span_ticks(score, BARS)[1]
    began_s = time.perf_counter()
    try:
        player = load(model, device)
    except ModelError as error:
        sys.exit(str(error))
    load_s = time.perf_counter() - began_s
    measure(player.open(), context, span_ticks(score, 1)[1], 0)
    found = medians(measure(player.open(), context, until_tick, seed) for seed in range(1, runs + 1))
    long = looped(context, LONG_NOTES)
    prefills = medians(measure(player.open(), long, long.start_tick, seed) for seed in range(runs))
    found |= {f"prefill_{LONG_NOTES}_ms": prefills["prefill_ms"], "load_s": round(load_s, 3)}
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
