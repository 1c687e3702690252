"""Run as a process: plays a shipped clip on with a model, against no clock, and prints its speed as JSON."""

from __future__ import annotations

import json
import sys
import time
from importlib.resources import files

import click

from bridge.offline import Order, span_ticks, tempo_at
from models.generator import Context, Controls, Generator
from models.music.midi_file import read_score
from models.music.score import Score

BARS = 4
WARM_UP_BARS = 1


def measure(score: Score, generator: Generator, bars: int) -> dict[str, float]:
    """Prefill the score and continue it by `bars` bars: notes a second, and milliseconds to the first note."""
    start_tick, end_tick = span_ticks(score, bars)
    context = Context(score.parts, score.notes, start_tick, score.meters, tempo_at(score, start_tick).bpm)
    began_s = time.perf_counter()
    generator.reset(1)
    for _ in generator.prefill(context):
        pass
    prefilled_s = time.perf_counter()
    first_s, count = prefilled_s, 0
    for _ in generator.decode(end_tick, frozenset(range(len(score.parts))), Controls()):
        count += 1
        if count == 1:
            first_s = time.perf_counter()
    decode_s = time.perf_counter() - prefilled_s
    return {
        "notes": count,
        "prefill_ms": (prefilled_s - began_s) * 1000,
        "first_note_ms": (first_s - prefilled_s) * 1000,
        "notes_per_second": count / decode_s if count else 0.0,
    }


@click.command()
@click.option("--model", required=True)
@click.option("--device", required=True)
def main(model: str, device: str) -> None:
    """Print the findings."""
    from models import registry

    score = read_score((files("bridge") / "clips" / "pop.mid").read_bytes())
    began_s = time.perf_counter()
    player = registry.load(model, device)
    load_s = time.perf_counter() - began_s
    measure(score, player.open(), WARM_UP_BARS)
    found = measure(score, player.open(), BARS) | {"load_s": load_s}
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
