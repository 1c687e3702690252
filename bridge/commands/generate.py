"""`continuo generate`: a MIDI file in, the same file with its continuation out."""

from __future__ import annotations

import secrets
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bridge.commands import options
from bridge.controls import BY_NAME
from bridge.errors import ContinuoError

if TYPE_CHECKING:
    from bridge.offline import Continuation, Order
    from models.generator import Controls, Model
    from models.music.score import Score


@click.command(short_help="continue a MIDI file")
@click.argument("in_path", metavar="IN.mid", type=options.ReadableFile)
@click.argument("out_path", metavar="OUT.mid", type=options.WritableFile)
@click.option("--bars", type=click.IntRange(1, 512), required=True, help="How many bars to add.")
@options.model
@options.device
@click.option("--parts", metavar="1,3", help="Parts that play on, counted from 1.  [default: all]")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), help="Same seed, same bytes.  [default: a new one]")
@options.sampling
@click.option("--only-continuation", is_flag=True, help="Leave the music of IN.mid out of OUT.mid.")
@options.as_json
def generate(
    in_path: Path,
    out_path: Path,
    bars: int,
    model: str,
    device: str,
    parts: str | None,
    seed: int | None,
    only_continuation: bool,
    as_json: bool,
    **controls: float,
) -> None:
    """Continue IN.mid by --bars bars into OUT.mid.

    The file stays as it was; notes are added to its own tracks and channels.
    """
    from bridge import offline
    from models.generator import Controls
    from models.music.midi_extend import extend_midi
    from models.music.midi_file import write_score

    score = read_prompt(in_path)
    seed = secrets.randbelow(2**31) if seed is None else seed
    order = offline.Order(bars, seed, parse_parts(parts, len(score.parts)), Controls(**controls))  # type: ignore[arg-type]
    player = load_model(model, device)
    refuse_idle_controls(player, order.controls)
    began_s = time.perf_counter()
    continuation = _play(player, score, order, is_shown=not as_json)
    took_s = time.perf_counter() - began_s
    if only_continuation:
        write_score(offline.only_continuation(score, continuation), out_path)
    else:
        extend_midi(in_path, offline.whole_score(score, continuation), continuation.start_tick, out_path)
    count = len(continuation.notes)
    if as_json:
        report = {"out": str(out_path), "model": player.spec.name, "bars": bars, "notes": count, "seed": seed}
        options.echo_json(report | {"seconds": round(took_s, 3)})
    else:
        click.echo(f"{out_path}: {count} notes in {bars} bars by {player.spec.name}, seed {seed}, {took_s:.1f} s")


def read_prompt(path: Path) -> Score:
    """The score in a MIDI file.

    Raises:
        ContinuoError: it is no MIDI file, or holds no music.
    """
    from models.music.midi_file import MidiFileError, read_score

    try:
        score = read_score(path)
    except MidiFileError as error:
        raise ContinuoError(f"{path}: {error}") from error
    if not score.notes:
        raise ContinuoError(
            f"{path} holds no notes, so there is nothing to continue; give a file with some music in it"
        )
    return score


def parse_parts(text: str | None, count: int) -> frozenset[int]:
    """Part numbers as typed ("1,3") as indexes; None = all, which is the empty set.

    Raises:
        click.BadParameter: a number is no part of the score.
    """
    if text is None:
        return frozenset()
    words = [word.strip() for word in text.split(",")]
    if not all(word.isdecimal() and 1 <= int(word) <= count for word in words):
        raise click.BadParameter(
            f"“{text}” should name parts from 1 to {count}, with commas between.", param_hint="--parts"
        )
    return frozenset(int(word) - 1 for word in words)


def load_model(name: str, device: str) -> Model:
    """The model of that name or in that file.

    Raises:
        ContinuoError: it cannot be served here, and why.
    """
    from models import registry

    try:
        return registry.load(name, device)
    except registry.ModelError as error:
        raise ContinuoError(str(error)) from error


def refuse_idle_controls(player: Model, controls: Controls) -> None:
    """Refuse a control that was set but does nothing to this model.

    Raises:
        ContinuoError: naming the control.
    """
    for name in options.SAMPLING:
        if getattr(controls, name) != BY_NAME[name].default and name not in player.spec.controls:
            flag = "--" + name.replace("_", "-")
            raise ContinuoError(
                f"{flag} does nothing to the model {player.spec.name}; leave it out or choose another model"
            )


def _play(player: Model, score: Score, order: Order, *, is_shown: bool) -> Continuation:
    """Make the continuation, with a progress bar on a terminal."""
    from bridge import offline

    if not is_shown:
        return offline.continue_score(score, player.open(), order)
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    start_tick, end_tick = offline.span_ticks(score, order.bars)
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(f"{order.bars} bars", total=end_tick - start_tick)
        return offline.continue_score(score, player.open(), order, lambda tick: progress.update(task, completed=tick))
