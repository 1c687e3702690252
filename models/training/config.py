"""What a training run is told. The dataclasses are the truth; YAML fills them, each value checked against its field."""

from __future__ import annotations

import typing
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import TypeVar, cast

import yaml

from models.data.corpus import Source

T = TypeVar("T")


class TrainingConfigError(ValueError):
    """A recipe that cannot be followed; the message names file, key and value."""


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """One run."""

    model: str
    """Name in the registry."""
    sources: tuple[Source, ...] = ()
    """Corpora, each a folder under one of the data folders; none = the data folders as they are."""
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
        for name in ("muon_lr", "adam_lr", "weight_decay", "warm_up", "decay", "average", "save_minutes", "seed"):
            if not getattr(self, name) >= 0:
                raise TrainingConfigError(f"{name} must be at least 0, not {getattr(self, name)}")
        if self.warm_up + self.decay > 1:
            raise TrainingConfigError(
                f"warm_up and decay are shares of one run: {self.warm_up} + {self.decay} exceeds 1; lower one"
            )
        if self.average >= 1:
            raise TrainingConfigError(f"average must be below 1, not {self.average}: it would never move")


def _convert(value: object, wanted: object, where: str) -> object:
    """A YAML value as the type of its field."""
    if isinstance(wanted, type) and is_dataclass(wanted):
        return _fill(wanted, value, where)
    origin, arguments = typing.get_origin(wanted), typing.get_args(wanted)
    if origin is tuple and isinstance(value, list):
        return tuple(_convert(item, arguments[0], f"{where}[{at}]") for at, item in enumerate(value))
    if origin is dict and isinstance(value, dict):
        return {str(key): _convert(item, arguments[1], f"{where}.{key}") for key, item in value.items()}
    is_bool = isinstance(value, bool)
    if wanted is float and isinstance(value, int | float | str) and not is_bool:
        # PyYAML reads 1e-4 as text.
        try:
            return float(value)
        except ValueError:
            pass
    elif isinstance(wanted, type) and isinstance(value, wanted) and is_bool == (wanted is bool):
        return value
    name = wanted.__name__ if isinstance(wanted, type) and origin is None else str(wanted)
    raise TrainingConfigError(f"{where}: expected {name}, found {value!r}")


def _fill(wanted: type[T], values: object, where: str) -> T:
    """A dataclass from a mapping of its fields."""
    if not isinstance(values, dict):
        raise TrainingConfigError(f"{where}: expected keys and values, found {values!r}")
    hints = typing.get_type_hints(wanted)
    unknown = sorted(map(str, set(values) - set(hints)))
    if unknown:
        raise TrainingConfigError(f"{where}: unknown key {unknown[0]!r}; known are {', '.join(sorted(hints))}")
    needed = [f.name for f in fields(cast("typing.Any", wanted)) if f.default is f.default_factory is MISSING]
    missing = [name for name in needed if name not in values]
    if missing:
        raise TrainingConfigError(f"{where}: key {missing[0]!r} is missing")
    converted = {key: _convert(value, hints[key], f"{where}: {key}") for key, value in values.items()}
    try:
        return wanted(**converted)
    except TrainingConfigError as error:
        raise TrainingConfigError(f"{where}: {error}") from None


def load_config(path: Path) -> TrainingConfig:
    """Read a recipe.

    Raises:
        TrainingConfigError: naming file, key and value.
    """
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise TrainingConfigError(f"{path}: cannot be read as YAML: {error}") from error
    return _fill(TrainingConfig, values, str(path))
