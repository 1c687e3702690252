"""`continuo train`: a recipe and music in, weights out."""

from __future__ import annotations

from pathlib import Path

import click

from bridge.commands import options
from bridge.errors import ContinuoError
from bridge.importer import load_object


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

    setup()
    try:
        weights = load_object("models.training.run:train")(
            recipe, list(data_dirs), out_dir, resume, max_minutes, device
        )
    except (ValueError, FileNotFoundError, FileExistsError) as error:
        raise ContinuoError(str(error)) from error
    click.echo(f"weights: {weights}")
