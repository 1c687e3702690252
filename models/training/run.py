"""From a recipe to weights: read the corpora, train, export with a card. It shows nothing; whoever watches does."""

from __future__ import annotations

import datetime
import logging
import random
import subprocess
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from models.checkpoint import Card, save_weights
from models.data.corpus import Source, cached_corpus, find_corpus, is_validation
from models.data.piece import Piece
from models.layers.device import choose_device
from models.tokens.vocabulary import fingerprint
from models.training.config import TrainingConfig, TrainingConfigError, load_config
from models.training.likelihood import LikelihoodRun, Watch, watch_nothing
from models.zoo.flagship.task import FlagshipTask

log = logging.getLogger(__name__)
TASKS = {"flagship": FlagshipTask}


def find_sources(config: TrainingConfig, data_dirs: list[Path]) -> list[tuple[Source, Path]]:
    """Each source with its folder; a recipe without sources takes the data folders as they are.

    Raises:
        FileNotFoundError: a corpus is not there.
        TrainingConfigError: two data folders share a name.
    """
    if config.sources:
        return [(source, find_corpus(source.name, data_dirs)) for source in config.sources]
    folders = {folder.resolve().name: folder for folder in data_dirs}
    if len(folders) < len(data_dirs):
        raise TrainingConfigError("two data folders share a name: rename one, so that their pieces can be told apart")
    return [(Source(name), folder) for name, folder in folders.items()]


def gather(
    config: TrainingConfig, data_dirs: list[Path], cache: Path
) -> tuple[list[Piece], NDArray[np.float64], list[Piece]]:
    """(training pieces, how likely each is drawn, held-out pieces in a fixed shuffle).

    Raises:
        FileNotFoundError: a corpus is not there, or nothing is left to train on.
    """
    pieces, weights, held_out = [], [], []
    for source, folder in find_sources(config, data_dirs):
        for piece in cached_corpus(source, folder, cache):
            if is_validation(piece.group):
                held_out.append(piece)
            else:
                pieces.append(piece)
                weights.append(source.weight * len(piece.notes))
    if not pieces:
        raise FileNotFoundError("no piece to train on: check the sources of the recipe and --data")
    random.Random(0).shuffle(held_out)
    share = np.array(weights, dtype=np.float64)
    return pieces, share / share.sum(), held_out


def revision() -> str:
    """The commit this runs from, or 'unknown' outside a checkout."""
    try:
        command = ["git", "rev-parse", "--short", "HEAD"]
        folder = Path(__file__).parent
        found = subprocess.run(command, capture_output=True, text=True, check=True, cwd=folder)  # noqa: S603 - constant
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return found.stdout.strip()


def facts(run: LikelihoodRun, sources: list[Source], figures: dict[str, float], windows: int) -> dict[str, object]:
    """The card's facts."""
    return {
        "data": [asdict(source) for source in sources],
        "split": "by group: one group in 33 is held out (models/data/corpus.py, is_validation)",
        "window_events": run.config.window_events,
        "steps": run.step,
        "notes_seen": run.notes,
        "minutes": round(run.minutes, 1),
        "validation_bits_per_note": {key: round(value, 4) for key, value in figures.items()},
        "validation_windows": windows,
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "revision": revision(),
    }


def export(run: LikelihoodRun, told: dict[str, object]) -> Path:
    """Write the average's weights and their card into the run's folder."""
    config, parameters = run.config, run.average.values
    path = run.out_dir / f"{config.model}.safetensors"
    size = sum(value.numel() for value in parameters.values())
    save_weights(path, parameters, Card(config.model, config.network, fingerprint(), size, told))
    return path


def task_of(config: TrainingConfig, recipe: Path) -> FlagshipTask:
    """What a recipe trains, its network fresh from the recipe's seed.

    Raises:
        TrainingConfigError: no such model, or sizes that make no network.
    """
    if config.model not in TASKS:
        known = ", ".join(TASKS)
        raise TrainingConfigError(f"{recipe}: model: {config.model!r} cannot be trained; known are {known}")
    torch.manual_seed(config.seed)
    try:
        return TASKS[config.model](config.network, config.window_events)
    except ValueError as error:
        raise TrainingConfigError(f"{recipe}: network: {error}") from error


def train(
    config_path: Path,
    data_dirs: list[Path],
    out_dir: Path,
    resume: bool = False,
    max_minutes: float | None = None,
    device: str = "cpu",
    watch: Watch = watch_nothing,
) -> Path:
    """Follow a recipe; returns the weights file, its card beside it.

    Args:
        resume: go on with the run in `out_dir`, where there is one.
        max_minutes: of training, earlier runs in `out_dir` counted; the rates fall in time for it.
        watch: called after every step, on this thread.

    Raises:
        TrainingConfigError, FileNotFoundError: the recipe or the data is not as it should be.
        FileExistsError: the folder holds a run and `resume` was not asked for.
        DeviceError: this machine has no such device.
    """
    config = load_config(config_path)
    place = choose_device(device)
    if (out_dir / "last.pt").exists() and not resume:
        raise FileExistsError(f"{out_dir} holds a run already: add --resume to go on with it, or choose another --out")
    task = task_of(config, config_path)
    out_dir.mkdir(parents=True, exist_ok=True)
    pieces, weights, held_out = gather(config, data_dirs, out_dir / "cache")
    log.info("%d pieces to train on, %d held out", len(pieces), len(held_out))
    run = LikelihoodRun(config, task, out_dir, place)
    if resume and not run.resume(max_minutes):
        log.info("%s holds no run yet: starting afresh", out_dir)
    if config.compile:
        task.compile()
    windows = task.validation_windows(held_out)
    random.Random(0).shuffle(windows)
    run.train(pieces, weights, windows, max_minutes, watch)
    told = facts(run, [source for source, _ in find_sources(config, data_dirs)], run.validate(windows), len(windows))
    return export(run, told)
