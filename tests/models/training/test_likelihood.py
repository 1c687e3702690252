"""The loop: it learns, it goes on exactly where it was, it keeps what a longer run needs."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from models.data.piece import Piece, piece_of
from models.tokens.vocabulary import FIELDS
from models.training.config import TrainingConfig
from models.training.likelihood import LikelihoodRun, Standing
from models.zoo.flagship.task import FlagshipTask
from tests.models.tiny import random_score

SIZES = {"n_layer": 1, "n_head": 1, "n_embd": 64, "n_ff": 64, "n_head_ff": 32, "block_size": 64}
CONFIG = TrainingConfig(
    "flagship",
    network=SIZES,
    window_events=48,
    batch_windows=2,
    train_notes=600,
    warm_up=0.2,
    decay=0.3,
    validate_every=3,
    validation_windows=2,
    save_minutes=0.0,
    compile=False,
)
CPU = torch.device("cpu")


class Stop(Exception):  # noqa: N818 - no error: what a watcher raises to stop
    """Raised by a watcher that has seen enough."""


def pieces(count: int = 3) -> list[Piece]:
    """Noise to learn by heart."""
    return [piece_of(random_score(seed, bars=6), f"group {seed}") for seed in range(count)]


def run_in(folder: Path, config: TrainingConfig = CONFIG) -> LikelihoodRun:
    """A fresh run, the same every time."""
    torch.set_num_threads(1)
    torch.manual_seed(config.seed)
    folder.mkdir(exist_ok=True)
    return LikelihoodRun(config, FlagshipTask(config.network, config.window_events), folder, CPU)


def train(run: LikelihoodRun, stop_after: int | None = None) -> list[Standing]:
    """Train on noise, to the end or so many steps; everything its watcher was shown."""
    seen: list[Standing] = []

    def watch(standing: Standing) -> None:
        seen.append(standing)
        if standing.step == stop_after:
            raise Stop

    data = pieces()
    weights = np.full(len(data), 1 / len(data))
    with contextlib.suppress(Stop):
        run.train(data, weights, run.task.validation_windows(data), watch=watch)
    return seen


def test_it_learns_one_batch_by_heart() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    task = FlagshipTask(SIZES, 48)
    windows = [task.draw(piece, np.random.default_rng(0)) for piece in pieces(2)]
    optimizer = torch.optim.AdamW(task.network.parameters(), lr=5e-3)
    losses = []
    for _ in range(40):
        loss, notes = task.loss(windows, CPU)
        losses.append(float(loss.detach()))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert notes == sum(len(window.tokens) for window in windows)
    assert losses[0] > 10, "an untrained network is surprised"
    assert losses[-1] < 0.4 * losses[0]


def test_a_resumed_run_is_the_unbroken_one(tmp_path: Path) -> None:
    unbroken = run_in(tmp_path / "unbroken")
    whole = train(unbroken)
    assert len(whole) > 5
    train(run_in(tmp_path / "broken"), stop_after=3)
    resumed = run_in(tmp_path / "broken")
    assert resumed.resume(None)
    rest = train(resumed)
    assert [s.step for s in rest] == [s.step for s in whole[3:]]
    assert [s.bits for s in rest] == [s.bits for s in whole[3:]]
    for (name, mine), theirs in zip(
        resumed.task.network.named_parameters(), unbroken.task.network.parameters(), strict=True
    ):
        assert torch.equal(mine, theirs), name
        assert torch.equal(resumed.average.values[name], unbroken.average.values[name]), name


def test_a_longer_run_goes_on_from_before_the_rates_fell(tmp_path: Path) -> None:
    short = run_in(tmp_path)
    train(short)
    assert (tmp_path / "plateau.pt").exists()
    longer = run_in(tmp_path, replace(CONFIG, train_notes=2 * CONFIG.train_notes))
    assert longer.resume(None)
    assert 0 < longer.step < short.step
    assert not (tmp_path / "plateau.pt").exists(), "it would be taken again by the next resume, its progress lost"
    train(longer, stop_after=short.step + 1)
    again = run_in(tmp_path, longer.config)
    assert again.resume(None)
    assert again.step == short.step + 1


def test_a_run_broken_off_while_the_rates_fell_goes_on_falling(tmp_path: Path) -> None:
    run = run_in(tmp_path)
    steps = len(train(run_in(tmp_path / "whole")))
    train(run, stop_after=steps - 1)
    assert (tmp_path / "plateau.pt").exists()
    again = run_in(tmp_path)
    assert again.resume(None)
    assert again.step == steps - 1


def test_a_finished_run_resumed_as_it_was_has_nothing_to_do(tmp_path: Path) -> None:
    """Once, it went back and let its rates fall again."""
    train(run_in(tmp_path))
    again = run_in(tmp_path)
    assert again.resume(None)
    assert train(again) == []


def test_nothing_to_resume_is_said(tmp_path: Path) -> None:
    assert not run_in(tmp_path).resume(None)


def test_a_run_ends_by_its_minutes_where_they_are_over_sooner(tmp_path: Path) -> None:
    run = run_in(tmp_path)
    run.minutes = 3.0
    assert run.progress(None) == 0.0
    assert run.progress(6.0) == 0.5
    run.notes = CONFIG.train_notes
    assert run.progress(6.0) == 1.0


def test_the_curve_and_the_watcher_tell_the_same_held_out_figures(tmp_path: Path) -> None:
    seen = train(run_in(tmp_path))
    rows = [json.loads(line) for line in (tmp_path / "curve.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [*range(3, len(seen) + 1, 3), len(seen)]
    assert seen[0].held_out == {}
    assert seen[2].held_out == {key: rows[0][key] for key in (*FIELDS, "bits_per_note")}
    assert rows[0]["bits_per_note"] == pytest.approx(sum(rows[0][field] for field in FIELDS))
    assert [s.share for s in seen] == sorted(s.share for s in seen)
    assert seen[-1].share == 1.0


def test_validation_is_of_the_average_and_leaves_the_network_alone(tmp_path: Path) -> None:
    run = run_in(tmp_path)
    windows = run.task.validation_windows(pieces(1))
    before = run.validate(windows)
    with torch.no_grad():
        for parameter in run.task.network.parameters():
            parameter.add_(1.0)
    kept = {name: value.clone() for name, value in run.task.network.named_parameters()}
    assert run.validate(windows) == before
    assert all(torch.equal(value, kept[name]) for name, value in run.task.network.named_parameters())


def test_nothing_held_out_is_no_figure(tmp_path: Path) -> None:
    assert run_in(tmp_path).validate([]) == {}
