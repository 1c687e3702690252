"""The controls a client may turn, in one table. It checks values; what they do is not its matter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, IntFlag
from types import MappingProxyType

from bridge.errors import ErrorCode, ProtocolError
from bridge.wire_table import MAX_BARS, Value
from models.generator import Controls


class Output(IntFlag):
    """Where notes go: the control `out`."""

    MIDI = 1
    OSC = 2
    BOTH = 3


class Scope(Enum):
    """Who heeds a control."""

    MODEL = "model"  # a field of `models.generator.Controls`: some models heed it, some do not
    DAEMON = "daemon"


@dataclass(frozen=True, slots=True)
class Control:
    """One row: a value of `default`'s type in `low..high`, both included."""

    name: str
    default: int | float
    low: int | float
    high: int | float
    unit: str
    meaning: str
    scope: Scope = Scope.MODEL

    def check(self, value: Value) -> int | float:
        """The value in this control's type.

        Raises:
            ProtocolError: wrong kind or out of range; nothing is clamped.
        """
        is_float = isinstance(self.default, float)
        if isinstance(value, str) or (not is_float and value != int(value)):
            kind = "a number" if is_float else "a whole number"
            raise ProtocolError(
                ErrorCode.WRONG_ARGUMENT, f"{self.name} must be {kind}, not {value!r}; send {self.low} to {self.high}"
            )
        if not self.low <= value <= self.high:
            raise ProtocolError(
                ErrorCode.OUT_OF_RANGE,
                f"{self.name} must be from {self.low} to {self.high}, not {value}; send one of those",
            )
        return float(value) if is_float else int(value)


CONTROLS: tuple[Control, ...] = (
    Control("temperature", 0.8, 0.1, 4.0, "factor", "lower safer, higher wilder; 1 = as it was learned"),
    Control("top_p", 0.9, 0.05, 1.0, "probability", "keep the likeliest choices that add up to this; 1 = all"),
    Control("top_k", 0, 0, 1024, "choices", "keep this many of the likeliest choices; 0 = all"),
    Control("min_p", 0.0, 0.0, 0.5, "probability", "drop choices below this share of the likeliest; 0 = none"),
    Control("density", 1.0, 0.1, 4.0, "factor", "notes a bar, relative to the clip's own"),
    Control("scale_root", 0, 0, 11, "pitch class", "root of the scale; 0 = C"),
    Control("scale_mask", 0, 0, 4095, "bit mask", "allowed pitch classes, bit 0 = root; 0 = no limit"),
    Control("lookahead_bars", 4, 1, MAX_BARS, "bars", "how far ahead of the playhead notes are made", Scope.DAEMON),
    Control("out", 3, 1, 3, "bit mask", "1 = MIDI port, 2 = OSC, 3 = both", Scope.DAEMON),
)

BY_NAME: Mapping[str, Control] = MappingProxyType({control.name: control for control in CONTROLS})
MODEL = "model"  # the one control that is a text, and one for all clients: which model plays
NAMES = (*BY_NAME, MODEL)


def find(name: str) -> Control:
    """The control of that name, `model` excepted.

    Raises:
        ProtocolError: there is none.
    """
    control = BY_NAME.get(name)
    if control is None:
        raise ProtocolError(
            ErrorCode.WRONG_ARGUMENT, f"there is no control “{name[:40]}”; the controls are {', '.join(NAMES)}"
        )
    return control


@dataclass(frozen=True, slots=True)
class ControlValues:
    """One client's controls; a change makes a new one, so what a take was started with stays as it was."""

    values: Mapping[str, int | float]

    @classmethod
    def defaults(cls, overrides: Mapping[str, Value]) -> ControlValues:
        """The table's defaults, some overridden.

        Raises:
            ProtocolError: an override has no such control, or a wrong value.
        """
        values = {control.name: control.default for control in CONTROLS}
        for name, value in overrides.items():
            values[name] = find(name).check(value)
        return cls(MappingProxyType(values))

    def changed(self, name: str, value: int | float) -> ControlValues:
        """The same with one value changed; `value` has passed `Control.check`."""
        return ControlValues(MappingProxyType({**self.values, name: value}))

    @property
    def for_model(self) -> Controls:
        """What the generator heeds."""
        return Controls(**{c.name: self.values[c.name] for c in CONTROLS if c.scope is Scope.MODEL})  # type: ignore[arg-type]

    @property
    def output(self) -> Output:
        """Where notes go."""
        return Output(int(self.values["out"]))

    @property
    def lookahead_bars(self) -> int:
        """How far ahead of the playhead notes are made, 1-64."""
        return int(self.values["lookahead_bars"])
