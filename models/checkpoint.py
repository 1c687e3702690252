"""Weights on disk: safetensors beside a readable card. It builds no network and unpickles nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from models.tokens.vocabulary import fingerprint

FORMAT = 1


class CheckpointError(ValueError):
    """Weights that cannot be served; the message says which file and what to do."""


@dataclass(frozen=True, slots=True)
class Card:
    """What a checkpoint is, for people and for the loader."""

    model: str
    network: dict[str, int]
    vocabulary: str
    """`models.tokens.vocabulary.fingerprint` of the code that trained it."""
    parameters: int
    facts: dict[str, Any] = field(default_factory=dict)
    """Data and licences, split, steps, validation, date, revision."""
    format: int = FORMAT


def card_path(weights: Path) -> Path:
    """Where the card of a weights file lies."""
    return weights.with_suffix(".json")


def save_weights(path: Path, parameters: Mapping[str, Tensor], card: Card) -> None:
    """Write weights in half precision, and the card beside them."""
    halves = {name: value.detach().to("cpu", torch.float16).contiguous() for name, value in parameters.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(halves, path)
    card_path(path).write_text(json.dumps(asdict(card), indent=2) + "\n", encoding="utf-8")


def read_card(weights: Path) -> Card:
    """The card of a weights file.

    Raises:
        CheckpointError: there is none, or it is no card, or of another format or vocabulary.
    """
    path = card_path(weights)
    try:
        card = Card(**json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise CheckpointError(
            f"{path} is missing: a model is a .safetensors file with its .json card beside it"
        ) from None
    except (OSError, ValueError, TypeError) as error:
        raise CheckpointError(f"{path} is no model card ({error}): restore it from where the model came") from error
    if card.format != FORMAT:
        raise CheckpointError(f"{path} has format {card.format}, this version reads {FORMAT}: update Continuo")
    if card.vocabulary != fingerprint():
        raise CheckpointError(
            f"{weights} was trained with vocabulary {card.vocabulary}, this version speaks {fingerprint()}: "
            "train it again or use the Continuo it came with"
        )
    return card


def load_weights(path: Path, network: nn.Module) -> None:
    """Fill a network, in single precision.

    Raises:
        CheckpointError: the file is missing, damaged, or of another network.
    """
    try:
        weights = load_file(path)
    except FileNotFoundError:
        raise CheckpointError(f"{path} is missing: name another model or reinstall") from None
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"{path} is damaged ({error}): restore it from where it came") from error
    try:
        network.load_state_dict({name: value.float() for name, value in weights.items()}, strict=True)
    except RuntimeError as error:
        raise CheckpointError(f"{path} does not fit the network its card describes: {error}") from error
