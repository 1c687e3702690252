"""`continuo train`: a recipe and music in, weights out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from bridge.commands import options
from bridge.errors import ContinuoError
from bridge.importer import load_object

if TYPE_CHECKING:
    from models.training.likelihood import Standing

SECONDS_A_MINUTE = 60


def shown_on(progress: Progress) -> Callable[[Standing], None]:
    """A watcher that moves a bar: notes a second since its first look, bits of the last step, bits held out."""
    task = progress.add_task("training", total=1.0, figures="reading the music")
    first: list[Standing] = []

    def watch(standing: Standing) -> None:
        first.append(standing) if not first else None
        seconds = (standing.minutes - first[0].minutes) * SECONDS_A_MINUTE
        figures = [f"{standing.bits:.2f} bits"]
        if seconds > 0:
            figures.insert(0, f"{(standing.notes - first[0].notes) / seconds:.0f} notes/s")
        if standing.held_out:
            figures.append(f"{standing.held_out['bits_per_note']:.2f} held out")
        progress.update(task, completed=standing.share, figures=", ".join(figures))

    return watch


@click.command(short_help="train a model")
@click.argument("recipe", metavar="CONFIG", type=options.ReadableFile)
@click.option(
    "--data", "data_dirs", type=options.ReadableDir, multiple=True, required=True, help="Folder of music; repeat."
)
@click.option("--out", "out_dir", type=options.WritableDir, required=True, help="Folder for checkpoints and weights.")
@click.option("--resume", is_flag=True, help="Go on with the run in --out.")
@click.option("--max-minutes", type=click.FloatRange(0, min_open=True), help="Stop after this long, weights kept.")
@click.option(
    "--device", type=click.Choice(options.DEVICES[1:]), default="cpu", show_default=True, help="Where it computes."
)
def train(
    recipe: Path, data_dirs: tuple[Path, ...], out_dir: Path, resume: bool, max_minutes: float | None, device: str
) -> None:
    """Train the model described by CONFIG (see configs/) on the MIDI files in --data."""
    from bridge.log import setup

    columns = (BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[figures]}"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        setup()  # now, so that lines of the log go above the bar
        try:
            weights = load_object("models.training.run:train")(
                recipe, list(data_dirs), out_dir, resume, max_minutes, device, shown_on(progress)
            )
        except (ValueError, FileNotFoundError, FileExistsError) as error:
            raise ContinuoError(str(error)) from error
    click.echo(f"weights: {weights}")
