"""Names of models to the code that serves them, imported on demand. Importing this loads no network."""

from __future__ import annotations

import importlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.generator import Model

WEIGHTS = Path(__file__).parent / "weights"


class ModelError(ValueError):
    """A model that cannot be served; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Entry:
    """How a kind of model is loaded."""

    loader: str
    """module:function taking (weights path, device)."""
    summary: str
    controls: frozenset[str]
    """Names of `models.generator.Controls` fields it heeds."""


SAMPLING = frozenset(("temperature", "top_k", "top_p", "min_p"))
ENTRIES = {
    "flagship": Entry(
        "models.zoo.flagship.serving:load",
        "note-event Transformer: several parts, continues a prompt, note by note",
        SAMPLING | {"density", "scale_root", "scale_mask"},
    ),
}


def names() -> tuple[str, ...]:
    """Every model that ships with weights."""
    return tuple(name for name in ENTRIES if weights_of(name).exists())


def weights_of(name: str) -> Path:
    """Where a shipped model's weights lie."""
    return WEIGHTS / f"{name}.safetensors"


def find(name_or_path: str) -> tuple[str, Path]:
    """(kind, weights file) of a shipped model's name or of a checkpoint's path.

    Raises:
        ModelError: neither is known.
    """
    if name_or_path in ENTRIES:
        return name_or_path, weights_of(name_or_path)
    path = Path(name_or_path)
    if path.suffix != ".safetensors":
        known = ", ".join(ENTRIES)
        raise ModelError(f"model {name_or_path!r} is unknown: use {known}, or the path of a .safetensors file")
    kind = str(card(path).get("model"))
    if kind not in ENTRIES:
        raise ModelError(f"{path} holds a model of kind {kind!r}, which this version cannot serve: update Continuo")
    return kind, path


def card(weights: Path) -> dict[str, Any]:
    """The readable card of a weights file, unchecked.

    Raises:
        ModelError: there is none.
    """
    path = weights.with_suffix(".json")
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} cannot be read ({error}): a model is a .safetensors file with its card") from error
    if not isinstance(found, dict):
        raise ModelError(f"{path} is no model card: restore it from where the model came")
    return found


def load(name_or_path: str, device: str = "auto") -> Model:
    """Weights in memory, ready to open generators on.

    Args:
        device: auto, cpu, cuda or mps.

    Raises:
        ModelError: unknown name, missing or damaged weights, another vocabulary, or no such device.
    """
    kind, weights = find(name_or_path)
    module, function = ENTRIES[kind].loader.split(":")
    model: Model = getattr(importlib.import_module(module), function)(weights, device)
    return model
