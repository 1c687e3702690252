"""From a weights file to a flagship that plays."""

from __future__ import annotations

import gc
from pathlib import Path

import torch

from models.checkpoint import CheckpointError, load_weights, read_card
from models.generator import Context, Controls, Model
from models.layers.linear import StepLinear
from models.music.constants import PPQ
from models.music.score import Meter, Note, Part
from models.registry import ModelError
from models.zoo.flagship.generator import FlagshipModel
from models.zoo.flagship.network import FlagshipConfig, FlagshipNetwork

WARM_NOTES = 160  # more than one piece of reading


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


def warm(model: Model) -> None:
    """Play a few bars nobody hears: the first pass of each kind takes torch ten times as long as the second."""
    notes = tuple(Note(beat * PPQ, 0, 60, PPQ, 80) for beat in range(WARM_NOTES))
    start_tick = WARM_NOTES * PPQ
    generator = model.open()
    for _ in generator.prefill(Context((Part(program=0),), notes, start_tick, (Meter(0, 4, 4),), 120.0)):
        pass
    for _ in generator.decode(start_tick + 4 * PPQ, frozenset((0,)), Controls()):
        pass


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
    place = choose_device(device)
    network.to(place)
    if place.type == "cpu":
        for layer in network.modules():
            if isinstance(layer, StepLinear):
                layer.halve()
    model = FlagshipModel(network)
    warm(model)
    gc.collect()
    gc.freeze()  # a full collection over torch's objects would stop every thread for a tenth of a second
    return model
