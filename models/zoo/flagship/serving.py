"""From a weights file to a flagship that plays."""

from __future__ import annotations

import gc
from pathlib import Path

import torch

from models.checkpoint import CheckpointError, load_weights, read_card
from models.generator import Model
from models.registry import ModelError
from models.zoo.flagship.generator import FlagshipModel
from models.zoo.flagship.network import FlagshipConfig, FlagshipNetwork


def choose_device(wanted: str) -> torch.device:
    """The device asked for; `auto` takes a GPU where there is one.

    Raises:
        ModelError: this machine has no such device.
    """
    has = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if wanted == "auto":
        return torch.device("cuda" if has["cuda"] else "cpu")
    if not has.get(wanted, False):
        there = ", ".join(name for name, is_there in has.items() if is_there)
        raise ModelError(f"device {wanted!r} is not on this machine: use auto, or one of {there}")
    return torch.device(wanted)


def load(weights: Path, device: str) -> Model:
    """The flagship of a weights file, warmed by one pass.

    Raises:
        ModelError: see `models.registry.load`.
    """
    torch.set_num_threads(1)  # batches of one are slower on two threads, and the second core has the clock to keep
    try:
        card = read_card(weights)
        network = FlagshipNetwork(FlagshipConfig(**card.network))
        load_weights(weights, network)
    except (CheckpointError, TypeError) as error:
        raise ModelError(str(error)) from error
    network.requires_grad_(requires_grad=False)
    model = FlagshipModel(network.to(choose_device(device)))
    gc.collect()
    gc.freeze()  # a full collection over torch's objects would stop every thread for a tenth of a second
    return model
