"""`continuo evaluate`: how well a model predicts music it has not seen, beside the baselines it must beat."""

from __future__ import annotations

from pathlib import Path

import click

from bridge.commands import options
from bridge.errors import ContinuoError
from bridge.importer import load_object


@click.command(short_help="bits per note on held-out pieces")
@click.argument("recipe", metavar="CONFIG", type=options.ReadableFile)
@click.option(
    "--data", "data_dirs", type=options.ReadableDir, multiple=True, required=True, help="Folder of music; repeat."
)
@click.option("--cache", type=options.WritableDir, required=True, help="Where read corpora are kept: a run's cache.")
@options.model
@click.option(
    "--baseline-notes", type=click.IntRange(1), default=3_000_000, show_default=True, help="The baseline learns these."
)
@click.option("--notes", type=click.IntRange(1), default=150_000, show_default=True, help="Held-out notes to predict.")
@options.as_json
def evaluate(
    recipe: Path,
    data_dirs: tuple[Path, ...],
    cache: Path,
    model: str,
    baseline_notes: int,
    notes: int,
    as_json: bool,
) -> None:
    """Predict held-out pieces of CONFIG's corpora with a model and with two variable-order Markov baselines.

    One baseline goes by the events before, the other also by what stood whole bars ago. All see the same pieces and are
    charged for every note, field by field; intervals are resampled by piece.
    """
    from bridge.log import setup

    setup()
    try:
        report = load_object("models.evaluation.report:bits_report")(
            recipe, data_dirs, cache, model, baseline_notes, notes
        )
    except (ValueError, FileNotFoundError) as error:
        raise ContinuoError(str(error)) from error
    if as_json:
        options.echo_json(report)
        return
    click.echo(load_object("models.evaluation.report:bits_table")(report))
    click.echo(f"\n{report['notes']} notes of {report['pieces']} pieces. The model saves, in bits a note (95 %):")
    for name, saved in report["saved_bits_per_note"].items():
        click.echo(f"  over {name}: {saved['mean']:.3f} ({saved['low']:.3f} to {saved['high']:.3f})")
