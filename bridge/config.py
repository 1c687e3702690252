"""The daemon's settings: one frozen dataclass is the truth, a YAML file fills it. Opens no port and loads no model."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import MappingProxyType, NoneType, UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import yaml

from bridge.controls import ControlValues
from bridge.errors import ConfigError, ProtocolError
from bridge.wire_table import MAX_INT, Value

MidiBackend = Literal["auto", "jack", "alsa", "coremidi", "none"]
LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]
NO_CONTROLS: Mapping[str, Value] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Config:
    """Every setting of the daemon. A field's name is its key in the file."""

    osc_host: str = "127.0.0.1"
    """Address the daemon listens on; anything else than 127.0.0.1 lets other machines play it."""
    osc_port: int = 7401
    """UDP port the daemon listens on; 0 lets the system choose."""
    client_timeout_s: float = 10.0
    """Silence after which a client that has said hello counts as gone, in seconds."""
    model: str = "flagship"
    """Name of the model that is loaded at the start."""
    device: str = "auto"
    """Where the model runs: auto, cpu, cuda, cuda:1, mps."""
    seed: int | None = None
    """Seed of takes that ask for none, so that a session can be repeated; null draws a new one for each."""
    midi: MidiBackend = "auto"
    """MIDI system the notes go to: auto, jack, alsa, coremidi, or none for OSC alone."""
    midi_port: str = "Continuo"
    """Name of the virtual MIDI port the daemon makes."""
    existing_port: str | None = None
    """Part of the name of an existing MIDI port to open instead, as Windows needs; null makes a virtual one."""
    record: Path | None = None
    """MIDI file that everything played is recorded to; null records nothing."""
    log_level: LogLevel = "INFO"
    """Least important event that is told on stderr: DEBUG, INFO, WARNING or ERROR."""
    controls: Mapping[str, Value] = field(default_factory=lambda: NO_CONTROLS)
    """What a new client's controls start with, by name; those left out keep the table's own."""

    def __post_init__(self) -> None:
        """Refuse what cannot be.

        Raises:
            ConfigError: naming the setting, what it is and what it may be.
        """
        if not 0 <= self.osc_port <= 65_535:
            raise ConfigError(f"osc_port is {self.osc_port}; choose a UDP port from 0 to 65535")
        if not self.osc_host:
            raise ConfigError("osc_host is empty; use 127.0.0.1 for this machine alone")
        if not 3.0 <= self.client_timeout_s <= 3600.0:
            raise ConfigError(
                f"client_timeout_s is {self.client_timeout_s}; hosts say hello every 2 s, choose from 3 to 3600"
            )
        if self.seed is not None and not 0 <= self.seed <= MAX_INT:
            raise ConfigError(f"seed is {self.seed}; choose from 0 to {MAX_INT}, or null for a new one each time")
        if not self.midi_port:
            raise ConfigError("midi_port is empty; give the port a name, as Continuo")
        if self.midi == "none" and self.existing_port is not None:
            raise ConfigError(
                f"midi is none, yet existing_port is {self.existing_port!r}; set midi to auto, or existing_port to null"
            )
        try:
            ControlValues.defaults(self.controls)
        except ProtocolError as error:
            raise ConfigError(f"controls: {error.text}") from error


def load(path: Path, overrides: Mapping[str, object] = MappingProxyType({})) -> Config:
    """The settings in a YAML file, some overridden by those of the command line.

    Raises:
        ConfigError: naming file, key and value.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = str(error).replace("\n", " ")
        raise ConfigError(f"{path} cannot be read: {reason}; write it as configs/bridge.yaml is written") from error
    if content is not None and not isinstance(content, dict):
        raise ConfigError(f"{path} holds a {type(content).__name__}; write one `key: value` a line")
    return from_mapping({**(content or {}), **overrides}, str(path))


def from_mapping(settings: Mapping[str, object], source: str) -> Config:
    """Settings by name, each converted to its field's type; `source` is named in errors.

    Raises:
        ConfigError: an unknown key, a value of the wrong kind, or a contradiction.
    """
    hints = get_type_hints(Config)
    known = [each.name for each in fields(Config)]
    if unknown := sorted(str(key) for key in settings.keys() - set(known)):
        raise ConfigError(f"{source}: there is no setting {', '.join(unknown)}; the settings are {', '.join(known)}")
    converted: dict[str, Any] = {
        name: _convert(value, hints[name], f"{source}: {name}") for name, value in settings.items()
    }
    try:
        return Config(**converted)
    except ConfigError as error:
        raise ConfigError(f"{source}: {error}") from error


def _convert(value: object, hint: object, where: str) -> object:
    """The value in the field's type."""
    if isinstance(hint, UnionType):
        if value is None:
            return None
        hint = next(arm for arm in get_args(hint) if arm is not NoneType)
    if get_origin(hint) is Literal:
        if value not in get_args(hint):
            raise ConfigError(f"{where} is {value!r}; choose one of {', '.join(get_args(hint))}")
        return value
    converters: dict[object, Callable[[object, str], object]] = {
        float: _to_float,
        int: _to_int,
        str: _to_text,
        Path: _to_path,
    }
    return converters.get(hint, _to_controls)(value, where)


def _to_float(value: object, where: str) -> float:
    """A finite number; PyYAML leaves numbers as 1e-4 as text."""
    try:
        number = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else math.nan
    except (ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise ConfigError(f"{where} is {value!r}; write a number, as 10.0")
    return number


def _to_int(value: object, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ConfigError(f"{where} is {value!r}; write a whole number, as 7401")
    return value


def _to_text(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise ConfigError(f'{where} is {value!r}; write a text, in "quotes" if it looks like a number')
    return value


def _to_path(value: object, where: str) -> Path:
    return value if isinstance(value, Path) else Path(_to_text(value, where)).expanduser()


def _to_controls(value: object, where: str) -> Mapping[str, Value]:
    if not isinstance(value, Mapping):
        raise ConfigError(f"{where} is {value!r}; write one `name: number` a line below it, or {{}} for none")
    return MappingProxyType({str(name): _to_control(number, f"{where}: {name}") for name, number in value.items()})


def _to_control(value: object, where: str) -> Value:
    return value if isinstance(value, int) and not isinstance(value, bool) else _to_float(value, where)
