"""Optimizers and the learning-rate schedule; no loop and no data.

Matrices of the trunk are stepped by Muon (Jordan et al., 2024), the rest (embeddings, heads' outputs, gains) by AdamW.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn


def split_parameters(network: nn.Module) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """(matrices of linear layers that feed another layer, all other parameters)."""
    outputs = {id(layer.weight) for head in getattr(network, "heads", []) for layer in (head.out, head.gate)}
    matrices = {
        id(layer.weight)
        for layer in network.modules()
        if isinstance(layer, nn.Linear) and id(layer.weight) not in outputs
    }
    parameters = list(network.parameters())
    return [p for p in parameters if id(p) in matrices], [p for p in parameters if id(p) not in matrices]


class Optimizers:
    """Muon and AdamW stepped as one."""

    def __init__(self, network: nn.Module, muon_lr: float, adam_lr: float, weight_decay: float) -> None:
        matrices, others = split_parameters(network)
        self._muon = torch.optim.Muon(
            matrices, lr=muon_lr, weight_decay=weight_decay, momentum=0.95, adjust_lr_fn="match_rms_adamw"
        )
        self._adam = torch.optim.AdamW(others, lr=adam_lr, betas=(0.9, 0.95), weight_decay=0.0, fused=True)
        self._peaks = (muon_lr, adam_lr)

    def step(self, scale: float) -> None:
        """One step at `scale` times the peak rates, then clear the gradients."""
        for optimizer, peak in zip((self._muon, self._adam), self._peaks, strict=True):
            for group in optimizer.param_groups:
                group["lr"] = peak * scale
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)

    def state_dict(self) -> dict[str, Any]:
        """What a resumed run needs."""
        return {"muon": self._muon.state_dict(), "adam": self._adam.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from `state_dict`."""
        self._muon.load_state_dict(state["muon"])
        self._adam.load_state_dict(state["adam"])


def schedule(progress: float, warm_up: float, decay: float) -> float:
    """Warm-up, a plateau, then a straight fall to zero (Hu et al., MiniCPM, 2024); all shares of the run, 0..1.

    The plateau is what makes a later, longer run possible: it resumes from before the fall.
    """
    if progress < warm_up:
        return progress / warm_up
    return min(1.0, max(0.0, (1.0 - progress) / decay)) if decay else 1.0


class Average:
    """Exponential moving average of the parameters."""

    def __init__(self, network: nn.Module, decay: float) -> None:
        self._decay = decay
        self.values = {name: value.detach().clone() for name, value in network.named_parameters()}

    def update(self, parameters: Iterable[tuple[str, Tensor]], step: int) -> None:
        """Move towards the parameters; early on faster, so that the start is forgotten."""
        weight = 1.0 - min(self._decay, (1 + step) / (10 + step))
        with torch.no_grad():
            for name, value in parameters:
                self.values[name].lerp_(value, weight)
