"""The maximum-likelihood loop: draws, steps, validates, keeps. It knows no model by name.

Every step's examples come from a generator seeded by (seed, step): a resumed run sees what an unbroken one would.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.data.piece import Piece
from models.training.config import TrainingConfig
from models.training.optim import Average, Optimizers, schedule

log = logging.getLogger(__name__)


W = TypeVar("W")


class Task(Protocol[W]):
    """What a model brings to the loop; W is one example."""

    @property
    def network(self) -> nn.Module: ...
    def compile(self) -> None: ...
    def draw(self, piece: Piece, rng: np.random.Generator) -> W: ...
    def loss(self, windows: Sequence[W], device: torch.device) -> tuple[Tensor, int]: ...
    def validate(self, windows: Sequence[W], batch_windows: int, device: torch.device) -> dict[str, float]: ...


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a run stands, for who watches it."""

    share: float
    """Of the run that is done, 0..1."""
    step: int
    notes: int
    minutes: float
    bits: float
    """Of the last step, a predicted event."""
    held_out: dict[str, float]
    """The last validation's figures; empty before the first."""


Watch = Callable[[Standing], None]
"""Called after every step, between steps: it may raise to stop the run."""


def watch_nothing(standing: Standing) -> None:
    """Nobody looks."""


class LikelihoodRun(Generic[W]):
    """One run in a folder: `last.pt`, `plateau.pt` (before the rates fell) and `curve.jsonl`."""

    def __init__(self, config: TrainingConfig, task: Task[W], out_dir: Path, device: torch.device) -> None:
        self.config, self.task, self.out_dir, self.device = config, task, out_dir, device
        task.network.to(device)
        self.optimizers = Optimizers(task.network, config.muon_lr, config.adam_lr, config.weight_decay)
        self.average = Average(task.network, config.average)
        self.step = 0
        self.notes = 0
        self.minutes = 0.0
        self._figures: dict[str, float] = {}
        self._drawer = ThreadPoolExecutor(max_workers=1)
        self._ahead: tuple[int, Future[list[W]]] | None = None

    def progress(self, max_minutes: float | None) -> float:
        """Share of the run that is done, 0..1: by notes, or by time where that ends sooner."""
        by_time = self.minutes / max_minutes if max_minutes else 0.0
        return min(1.0, max(self.notes / self.config.train_notes, by_time))

    def save(self, name: str) -> None:
        """Keep everything a resumed run needs; the file is whole at every moment."""
        state = {
            "network": self.task.network.state_dict(),
            "average": self.average.values,
            "optimizers": self.optimizers.state_dict(),
            "at": {"step": self.step, "notes": self.notes, "minutes": self.minutes},
        }
        partial = self.out_dir / f"{name}.partial"
        torch.save(state, partial)
        partial.replace(self.out_dir / name)

    def resume(self, max_minutes: float | None = None) -> bool:
        """Go on from `last.pt`, or from `plateau.pt` where the rates had begun to fall and this run is longer.

        `plateau.pt` is there only while `last.pt` is past it.
        """
        last, plateau = self.out_dir / "last.pt", self.out_dir / "plateau.pt"
        if not last.exists():
            return False
        self._load(last)
        if plateau.exists() and self.progress(max_minutes) <= 1.0 - self.config.decay:
            self._load(plateau)
            plateau.replace(last)
        return True

    def _load(self, path: Path) -> None:
        state = torch.load(path, map_location=self.device, weights_only=True)
        self.task.network.load_state_dict(state["network"])
        self.average.values = state["average"]
        self.optimizers.load_state_dict(state["optimizers"])
        self.step, self.notes, self.minutes = (state["at"][key] for key in ("step", "notes", "minutes"))

    def train(
        self,
        pieces: Sequence[Piece],
        weights: NDArray[np.float64],
        held_out: Sequence[W],
        max_minutes: float | None = None,
        watch: Watch = watch_nothing,
    ) -> None:
        """Run to the end of the notes or the minutes.

        Args:
            weights: (len(pieces),) how likely each piece is drawn; sums to 1.
        """
        saved = time.monotonic()
        plateau_kept = self.progress(max_minutes) > 1.0 - self.config.decay
        while self.progress(max_minutes) < 1.0:
            began = time.monotonic()
            if not plateau_kept and self.progress(max_minutes) > 1.0 - self.config.decay:
                self.save("plateau.pt")
                plateau_kept = True
            bits = self._step(pieces, weights, max_minutes)
            self.minutes += (time.monotonic() - began) / 60
            if self.step % self.config.validate_every == 0:
                self._note_curve(bits, held_out)
            if time.monotonic() - saved > self.config.save_minutes * 60:
                self.save("last.pt")
                saved = time.monotonic()
            watch(Standing(self.progress(max_minutes), self.step, self.notes, self.minutes, bits, self._figures))
        self.save("last.pt")
        self._note_curve(None, held_out)

    def _step(self, pieces: Sequence[Piece], weights: NDArray[np.float64], max_minutes: float | None) -> float:
        windows = self._drawn_for(self.step, pieces, weights)
        with torch.autocast(self.device.type, dtype=torch.bfloat16):
            loss, notes = self.task.loss(windows, self.device)
        loss.backward()
        nn.utils.clip_grad_norm_(self.task.network.parameters(), 1.0)
        self.optimizers.step(schedule(self.progress(max_minutes), self.config.warm_up, self.config.decay))
        self.average.update(self.task.network.named_parameters(), self.step)
        self.step += 1
        self.notes += notes
        return float(loss.detach()) / np.log(2)

    def _drawn_for(self, step: int, pieces: Sequence[Piece], weights: NDArray[np.float64]) -> list[W]:
        """The examples of a step; those of the next are drawn meanwhile."""
        at, drawn = self._ahead or (-1, None)
        windows = drawn.result() if drawn is not None and at == step else self._draw(step, pieces, weights)
        self._ahead = (step + 1, self._drawer.submit(self._draw, step + 1, pieces, weights))
        return windows

    def _draw(self, step: int, pieces: Sequence[Piece], weights: NDArray[np.float64]) -> list[W]:
        rng = np.random.default_rng((self.config.seed, step))
        chosen = rng.choice(len(pieces), size=self.config.batch_windows, p=weights)
        return [self.task.draw(pieces[at], rng) for at in chosen]

    def _note_curve(self, bits: float | None, held_out: Sequence[W]) -> None:
        self._figures = self.validate(held_out[: self.config.validation_windows])
        at = {"step": self.step, "notes": self.notes, "minutes": round(self.minutes, 2), "train_bits": bits}
        row = json.dumps({**at, **self._figures})
        log.info("%s", row)
        with (self.out_dir / "curve.jsonl").open("a", encoding="utf-8") as curve:
            curve.write(row + "\n")

    def validate(self, windows: Sequence[W]) -> dict[str, float]:
        """Held-out figures of the moving average; none where nothing is held out."""
        if not windows:
            return {}
        network = self.task.network
        own = {name: value.detach().clone() for name, value in network.named_parameters()}
        network.load_state_dict(self.average.values, strict=False)
        with torch.autocast(self.device.type, dtype=torch.bfloat16):
            figures = self.task.validate(windows, self.config.batch_windows, self.device)
        network.load_state_dict(own, strict=False)
        return figures
