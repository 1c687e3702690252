"""How the flagship is trained: its windows, its loss, its validation. The loop is everybody's."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from models.data.piece import Piece
from models.data.windows import Window, draw_window, plain_windows
from models.tokens.vocabulary import FIELDS, GIVEN_SLOT, SLOT
from models.zoo.flagship.collate import collate
from models.zoo.flagship.config import config_of
from models.zoo.flagship.likelihood import field_nll
from models.zoo.flagship.network import FlagshipNetwork

NATS_TO_BITS = 1 / np.log(2)


class FlagshipTask:
    """What the likelihood loop asks of a model."""

    def __init__(self, network: dict[str, int], window_events: int) -> None:
        config = config_of(network)
        self.network = FlagshipNetwork(config)
        self._events = min(window_events, config.block_size)
        self._nll = field_nll

    def compile(self) -> None:
        """Fuse the kernels of a training step."""
        self._nll = torch.compile(field_nll)

    def draw(self, piece: Piece, rng: np.random.Generator) -> Window:
        """One training example."""
        return draw_window(piece, self._events, rng)

    def loss(self, windows: Sequence[Window], device: torch.device) -> tuple[Tensor, int]:
        """Mean nats a predicted event, and how many events the windows hold."""
        batch = collate(windows, self._events).to(device)
        return self._nll(self.network, batch).sum() / batch.counts.sum(), sum(len(w.tokens) for w in windows)

    def validation_windows(self, pieces: Sequence[Piece]) -> list[Window]:
        """Held-out pieces, end to end."""
        return [window for piece in pieces for window in plain_windows(piece, self._events)]

    @torch.no_grad()
    def validate(self, windows: Sequence[Window], batch_windows: int, device: torch.device) -> dict[str, float]:
        """Bits a note of each field, `bits_per_note` their sum; rests and ends are charged to the notes."""
        nats, notes = np.zeros(len(FIELDS)), 0
        for at in range(0, len(windows), batch_windows):
            batch = collate(windows[at : at + batch_windows], self._events).to(device)
            nats += self._nll(self.network, batch).double().sum(dim=(0, 1)).cpu().numpy()
            notes += int((batch.counts & (batch.tokens[..., SLOT] < GIVEN_SLOT)).sum())
        bits = nats * NATS_TO_BITS / max(1, notes)
        return {**dict(zip(FIELDS, bits.tolist(), strict=True)), "bits_per_note": float(bits.sum())}
