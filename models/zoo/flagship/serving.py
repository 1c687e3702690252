"""From a weights file to a flagship that plays. It trains nothing and reads no music."""

from __future__ import annotations

import gc
from pathlib import Path

import torch

from models.checkpoint import CheckpointError, card_path, load_weights, read_card
from models.generator import Context, Controls, Model
from models.layers.device import DeviceError, choose_device
from models.layers.linear import StepLinear
from models.music.constants import PPQ
from models.music.score import Meter, Note, Part
from models.registry import ModelError
from models.zoo.flagship.config import config_of
from models.zoo.flagship.generator import FlagshipModel
from models.zoo.flagship.network import FlagshipNetwork

WARM_NOTES = 160  # more than one piece of reading


def warm(model: Model) -> None:
    """Play a few bars nobody hears: the first pass of each kind takes torch ten times as long as the second."""
    notes = tuple(Note(beat * PPQ, 0, 60, PPQ, 80) for beat in range(WARM_NOTES))
    start_tick = WARM_NOTES * PPQ
    generator = model.open()
    for _ in generator.prefill(Context((Part(program=0),), notes, start_tick, (Meter(0, 4, 4),), 120.0)):
        pass
    for _ in generator.decode(start_tick + 4 * PPQ, frozenset((0,)), Controls()):
        pass


def read_network(weights: Path, device: str) -> FlagshipNetwork:
    """The network of a weights file, for playing only.

    Raises:
        ModelError: see `models.registry.load`.
    """
    try:
        place = choose_device(device)
        card = read_card(weights)
        network = FlagshipNetwork(config_of(card.network))
        load_weights(weights, network)
    except (CheckpointError, DeviceError) as error:
        raise ModelError(str(error)) from error
    except ValueError as error:
        raise ModelError(f"{card_path(weights)} describes no flagship ({error}): restore it") from error
    network.requires_grad_(requires_grad=False).to(place)
    if place.type == "cpu":
        for layer in network.modules():
            if isinstance(layer, StepLinear):
                layer.halve()
    return network


def load(weights: Path, device: str) -> Model:
    """The flagship of a weights file, warmed by a few bars.

    Raises:
        ModelError: see `models.registry.load`.
    """
    torch.set_num_threads(1)  # batches of one are slower on two threads, and the second core has the clock to keep
    model = FlagshipModel(read_network(weights, device))
    warm(model)
    gc.collect()
    gc.freeze()  # a full collection over torch's objects would stop every thread for a tenth of a second
    return model
