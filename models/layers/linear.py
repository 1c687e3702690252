"""A linear layer that reads half as much for one row: a single step on a CPU waits for memory, not for arithmetic."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class StepLinear(nn.Linear):
    """`nn.Linear` without bias; once `halve` was called, single rows go through half-precision weights.

    Checkpoints are kept in half precision, so the weights lose nothing; sums are still taken in single precision.
    """

    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__(in_features, out_features, bias=False)
        self._half: Tensor | None = None

    def halve(self) -> None:
        """Keep a half-precision copy for single rows; worth it on a CPU only."""
        self._half = self.weight.detach().to(torch.float16)

    def forward(self, x: Tensor) -> Tensor:
        """(..., in_features) to (..., out_features)."""
        if self._half is not None and x.numel() == self.in_features:
            return F.linear(x.to(torch.float16), self._half).to(x.dtype)
        return F.linear(x, self.weight)
