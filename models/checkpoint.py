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
    """Write weights in half precision, and the card beside them; both files are whole at every moment."""
    halves = {name: value.detach().to("cpu", torch.float16).contiguous() for name, value in parameters.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    save_file(halves, partial)
    partial.replace(path)
    partial.write_text(json.dumps(asdict(card), indent=2) + "\n", encoding="utf-8")
    partial.replace(card_path(path))


def read_card(weights: Path) -> Card:
    """The card of a weights file.

    Raises:
        CheckpointError: there is none, or it is no card, or of another format or vocabulary.
    """
    path = card_path(weights)
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        if values.get("format", FORMAT) != FORMAT:
            raise CheckpointError(f"{path} has format {values['format']}, this version reads {FORMAT}: update Continuo")
        card = Card(**values)
    except FileNotFoundError:
        raise CheckpointError(
            f"{path} is missing: a model is a .safetensors file with its .json card beside it"
        ) from None
    except CheckpointError:
        raise
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise CheckpointError(f"{path} is no model card ({error}): restore it from where the model came") from error
    if not isinstance(card.network, dict) or not all(type(size) is int for size in card.network.values()):
        raise CheckpointError(f"{path} names no sizes of a network: restore it from where the model came")
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
    misfit = _misfit(weights, network)
    if misfit is not None:
        raise CheckpointError(f"{path} does not fit the network its card describes ({misfit}): restore both together")
    network.load_state_dict({name: value.float() for name, value in weights.items()})


def _misfit(weights: Mapping[str, Tensor], network: nn.Module) -> str | None:
    """The first difference between a file and a network, in words."""
    wanted = network.state_dict()
    for name in sorted(wanted.keys() | weights.keys()):
        if name not in weights:
            return f"{name} is not in the file"
        if name not in wanted:
            return f"{name} is not in the network"
        if weights[name].shape != wanted[name].shape:
            return f"{name} is {tuple(weights[name].shape)}, not {tuple(wanted[name].shape)}"
    return None
