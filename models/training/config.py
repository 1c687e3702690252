"""What a training run is told. The dataclasses are the truth; YAML fills them, every value checked against its field."""

from __future__ import annotations

import typing
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any

import yaml

from models.data.corpus import Source


class TrainingConfigError(ValueError):
    """A recipe that cannot be followed; the message names file, key and value."""


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """One run."""

    model: str
    """Name in the registry."""
    sources: tuple[Source, ...]
    """Corpora, each a folder under one of the data folders."""
    network: dict[str, int] = field(default_factory=dict)
    """Size of the network: the fields of the model's own config."""
    window_events: int = 1024
    """Events of one example."""
    batch_windows: int = 4
    """Examples of one step."""
    train_notes: int = 10_000_000
    """Length of the run in events seen."""
    muon_lr: float = 2e-3
    """Peak rate of the matrices."""
    adam_lr: float = 2e-3
    """Peak rate of everything else."""
    weight_decay: float = 0.05
    """Of the matrices."""
    warm_up: float = 0.01
    """Share of the run until the peak rates."""
    decay: float = 0.3
    """Share of the run in which the rates fall to zero."""
    average: float = 0.999
    """Decay of the moving average that is validated and exported."""
    seed: int = 1
    validate_every: int = 500
    """Steps."""
    validation_windows: int = 64
    """Held-out windows looked at while training; the export looks at all."""
    save_minutes: float = 4.0
    compile: bool = True
    """Fuse the network's kernels first (a minute or two on a CPU); needs a C++ compiler."""

    def __post_init__(self) -> None:
        for name in ("window_events", "batch_windows", "train_notes", "validate_every", "validation_windows"):
            if getattr(self, name) < 1:
                raise TrainingConfigError(f"{name} must be at least 1, not {getattr(self, name)}")
        if not 0 <= self.warm_up + self.decay <= 1:
            raise TrainingConfigError(
                f"warm_up and decay are shares of one run: {self.warm_up} + {self.decay} exceeds 1; lower one"
            )


def _convert(value: Any, wanted: Any, where: str) -> Any:
    if is_dataclass(wanted):
        return _fill(wanted, value, where)
    origin, arguments = typing.get_origin(wanted), typing.get_args(wanted)
    if origin is tuple and isinstance(value, list):
        return tuple(_convert(item, arguments[0], f"{where}[{at}]") for at, item in enumerate(value))
    if origin is dict and isinstance(value, dict):
        return {str(key): _convert(item, arguments[1], f"{where}.{key}") for key, item in value.items()}
    if wanted is float and isinstance(value, int | float | str) and not isinstance(value, bool):
        try:
            return float(value)
        except ValueError:
            pass
    elif isinstance(wanted, type) and isinstance(value, wanted) and (wanted is bool or not isinstance(value, bool)):
        return value
    raise TrainingConfigError(f"{where}: expected {getattr(wanted, '__name__', wanted)}, found {value!r}")


def _fill(wanted: Any, values: Any, where: str) -> Any:
    if not isinstance(values, dict):
        raise TrainingConfigError(f"{where}: expected keys and values, found {values!r}")
    hints = typing.get_type_hints(wanted)
    unknown = sorted(set(values) - set(hints))
    if unknown:
        raise TrainingConfigError(f"{where}: unknown key {unknown[0]!r}; known are {', '.join(sorted(hints))}")
    missing = [
        f.name for f in fields(wanted) if f.default is MISSING and f.default_factory is MISSING and f.name not in values
    ]
    if missing:
        raise TrainingConfigError(f"{where}: key {missing[0]!r} is missing")
    return wanted(**{key: _convert(value, hints[key], f"{where}: {key}") for key, value in values.items()})


def load_config(path: Path) -> TrainingConfig:
    """Read a recipe.

    Raises:
        TrainingConfigError: naming file, key and value.
    """
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise TrainingConfigError(f"{path}: cannot be read as YAML: {error}") from error
    config: TrainingConfig = _fill(TrainingConfig, values, str(path))
    return config
