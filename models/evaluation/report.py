"""The likelihood table: one call measures the flagship and the baseline on the same held-out pieces."""

from __future__ import annotations

import logging
import random
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from models.checkpoint import load_weights, read_card
from models.data.piece import Piece
from models.evaluation.bits import PieceBits, draw_training, flagship_bits, markov_bits, saved_interval, summary
from models.evaluation.markov import MarkovModel
from models.registry import find
from models.tokens.grid import IntArray
from models.tokens.vocabulary import FIELDS
from models.training.config import load_config
from models.training.run import gather
from models.zoo.flagship.network import FlagshipConfig, FlagshipNetwork

log = logging.getLogger(__name__)

BASELINES = {"markov": False, "markov by bars": True}
"""Name -> whether the baseline is told what stood whole bars ago."""


def load_flagship(name_or_path: str) -> FlagshipNetwork:
    """The network alone, in single precision.

    Raises:
        ModelError, CheckpointError: it cannot be read.
    """
    _, weights = find(name_or_path)
    network = FlagshipNetwork(FlagshipConfig(**read_card(weights).network))
    load_weights(weights, network)
    return network.eval()


def bits_report(
    config_path: Path,
    data_dirs: Sequence[Path],
    cache: Path,
    model: str = "flagship",
    markov_events: int = 3_000_000,
    max_notes: int = 150_000,
) -> dict[str, object]:
    """Bits per note of the model and of the Markov baselines on held-out pieces of a recipe's corpora.

    Args:
        markov_events: training events of the baselines, drawn from the pieces the model was trained on.
        max_notes: held-out pieces are taken in a fixed shuffle until they hold so many notes.
    """
    config = load_config(config_path)
    pieces, shares, held_out = gather(config, list(data_dirs), cache)
    random.Random(1).shuffle(held_out)
    chosen, notes = [], 0
    for piece in held_out:
        if notes < max_notes:
            chosen.append(piece)
            notes += len(piece.notes)
    torch.manual_seed(0)
    network = load_flagship(model)
    log.info("%d held-out pieces, %d notes", len(chosen), notes)
    mine = [flagship_bits(network, piece) for piece in chosen]
    training = draw_training(pieces, shares, markov_events)
    baselines = {name: baseline_bits(training, chosen, by_bars) for name, by_bars in BASELINES.items()}
    return {
        "pieces": len(chosen),
        "notes": sum(row.notes for row in mine),
        "markov_training_events": sum(len(piece) for piece in training),
        "models": {model: summary(mine), **{name: summary(rows) for name, rows in baselines.items()}},
        "saved_bits_per_note": {name: saved_by(mine, rows) for name, rows in baselines.items()},
    }


def baseline_bits(training: Sequence[IntArray], held_out: Sequence[Piece], by_bars: bool) -> list[PieceBits]:
    """What a baseline that learnt `training` needs for each held-out piece."""
    markov = MarkovModel(by_bars=by_bars)
    markov.train(training)
    return [markov_bits(markov, piece) for piece in held_out]


def saved_by(mine: Sequence[PieceBits], theirs: Sequence[PieceBits]) -> dict[str, float]:
    """Bits a note saved, with the 95 % interval."""
    return {
        name: round(value, 4) for name, value in zip(("mean", "low", "high"), saved_interval(mine, theirs), strict=True)
    }


def bits_table(report: Mapping[str, object]) -> str:
    """The report as a Markdown table."""
    columns = (*FIELDS, "bits_per_note")
    lines = ["| model | " + " | ".join(columns) + " | 95 % |", "|" + " --- |" * (len(columns) + 2)]
    models = report["models"]
    assert isinstance(models, dict)
    for name, row in models.items():
        values = " | ".join(f"{row[column]:.3f}" for column in columns)
        lines.append(f"| {name} | {values} | {row['low']:.3f} to {row['high']:.3f} |")
    return "\n".join(lines)
