"""From a recipe to weights: read the corpora, train, export with a card."""

from __future__ import annotations

import datetime
import logging
import random
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import torch

from models.checkpoint import Card, save_weights
from models.data.corpus import cached_corpus, is_validation
from models.data.piece import Piece
from models.tokens.vocabulary import fingerprint
from models.training.config import TrainingConfig, load_config
from models.training.likelihood import LikelihoodRun
from models.zoo.flagship.task import FlagshipTask

log = logging.getLogger(__name__)
TASKS = {"flagship": FlagshipTask}


def gather(config: TrainingConfig, data_dirs: list[Path], cache: Path) -> tuple[list[Piece], np.ndarray, list[Piece]]:
    """(training pieces, how likely each is drawn, held-out pieces in a fixed shuffle)."""
    pieces, weights, held_out = [], [], []
    for source in config.sources:
        for piece in cached_corpus(source, data_dirs, cache):
            if is_validation(piece.group):
                held_out.append(piece)
            else:
                pieces.append(piece)
                weights.append(source.weight * len(piece.notes))
    if not pieces:
        raise FileNotFoundError("no piece to train on: check the sources of the recipe and --data")
    random.Random(0).shuffle(held_out)
    share = np.array(weights)
    return pieces, share / share.sum(), held_out


def revision() -> str:
    """The commit this runs from, or 'unknown' outside a checkout."""
    try:
        command = ["git", "rev-parse", "--short", "HEAD"]
        found = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parent)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return found.stdout.strip()


def facts(config: TrainingConfig, run: LikelihoodRun, figures: dict[str, float], windows: int) -> dict[str, Any]:
    """The card's facts."""
    return {
        "data": [{"corpus": s.name, "weight": s.weight, "folders": list(s.folders)} for s in config.sources],
        "split": "by group: one group in 33 is held out (models/data/corpus.py, is_validation)",
        "steps": run.step,
        "notes_seen": run.notes,
        "minutes": round(run.minutes, 1),
        "validation_bits_per_note": {key: round(value, 4) for key, value in figures.items()},
        "validation_windows": windows,
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "revision": revision(),
    }


def train(
    config_path: Path, data_dirs: list[Path], out_dir: Path, resume: bool = False, max_minutes: float | None = None,
    device: str = "cpu",
) -> Path:  # fmt: skip
    """Follow a recipe; returns the weights file.

    Raises:
        TrainingConfigError, FileNotFoundError: the recipe or the data is not as it should be.
        FileExistsError: the folder holds a run and `resume` was not asked for.
    """
    config = load_config(config_path)
    if (out_dir / "last.pt").exists() and not resume:
        raise FileExistsError(f"{out_dir} holds a run already: add --resume to go on with it, or choose another --out")
    out_dir.mkdir(parents=True, exist_ok=True)
    pieces, weights, held_out = gather(config, data_dirs, out_dir / "cache")
    log.info("%d pieces, %d held out", len(pieces), len(held_out))
    torch.manual_seed(config.seed)
    task = TASKS[config.model](config.network, config.window_events)
    run = LikelihoodRun(config, task, out_dir, torch.device(device))
    if resume:
        run.resume(max_minutes)
    if config.compile:
        task.compile()
    windows = task.validation_windows(held_out)
    random.Random(0).shuffle(windows)
    run.train(pieces, weights, windows, max_minutes)
    figures = run.validate(windows)
    path = out_dir / f"{config.model}.safetensors"
    parameters = sum(value.numel() for value in run.average.values.values())
    card = Card(config.model, config.network, fingerprint(), parameters, facts(config, run, figures, len(windows)))
    save_weights(path, run.average.values, card)
    return path
