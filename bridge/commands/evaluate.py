"""`continuo evaluate`: how well a model predicts music it has not seen, beside the baseline it must beat."""

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
    """Predict held-out pieces of CONFIG's corpora with a model and with a variable-order Markov baseline.

    Both see the same pieces and are charged for every note, field by field; the interval is resampled by piece.
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
    saved = report["saved_bits_per_note"]
    click.echo(load_object("models.evaluation.report:bits_table")(report))
    click.echo(
        f"\n{report['notes']} notes of {report['pieces']} pieces; the model saves {saved['mean']:.3f} bits a note"
    )
    click.echo(f"over the baseline (95 %: {saved['low']:.3f} to {saved['high']:.3f}).")
