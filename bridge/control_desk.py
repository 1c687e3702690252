"""Turning and reading controls: each client has its own, the model is everybody's. Loads no model."""

from __future__ import annotations

from collections.abc import Mapping

from bridge.answers import Answer
from bridge.controls import BY_NAME, MODEL, NAMES, ControlValues, Scope, find
from bridge.errors import ErrorCode, ProtocolError
from bridge.wire_table import Value

EVERYTHING = "*"


class ControlDesk:
    """The rules of the controls. Not thread-safe."""

    def __init__(self, model: str, models: Mapping[str, frozenset[str]], defaults: Mapping[str, Value]) -> None:
        """`models` names every model there is, each with the controls it heeds.

        Raises:
            ProtocolError: a default is no value of its control.
        """
        self.model = model
        self._models = models
        self._defaults = ControlValues.defaults(defaults)

    def fresh(self) -> ControlValues:
        """A new client's controls."""
        return self._defaults

    def turned(self, values: ControlValues, name: str, value: Value) -> ControlValues:
        """The controls with one changed; the same object where nothing changes.

        Raises:
            ProtocolError: no such control, a wrong value, or the model does not heed it.
        """
        checked = find(name).check(value)
        if checked == values.values[name]:
            return values
        self._require_support(name)
        return values.changed(name, checked)

    def scaled(self, values: ControlValues, root: int, mask: int) -> ControlValues:
        """The controls with another scale.

        Raises:
            ProtocolError: the model knows no scale and the mask asks for one.
        """
        if mask and mask != values.values["scale_mask"]:
            self._require_support("scale_mask")
        if (root, mask) == (values.values["scale_root"], values.values["scale_mask"]):
            return values
        return values.changed("scale_root", root).changed("scale_mask", mask)

    def choose_model(self, name: Value) -> bool:
        """Make another model everybody's; False when it was so already.

        Raises:
            ProtocolError: there is none of that name.
        """
        if name not in self._models:
            shown = repr(name)[:40]
            raise ProtocolError(
                ErrorCode.OUT_OF_RANGE, f"there is no model {shown}; choose one of {', '.join(sorted(self._models))}"
            )
        is_new = name != self.model
        self.model = str(name)
        return is_new

    def tell(self, values: ControlValues, name: str) -> list[Answer]:
        """`value` for one control, or for all.

        Raises:
            ProtocolError: no such control.
        """
        names = NAMES if name == EVERYTHING else (name,)
        return [self._value(values, each) for each in names]

    def _value(self, values: ControlValues, name: str) -> Answer:
        if name == MODEL:
            return Answer("value", (MODEL, self.model, "|".join(sorted(self._models)), ""))
        control = find(name)
        return Answer("value", (name, values.values[name], control.low, control.high))

    def _require_support(self, name: str) -> None:
        heeded = self._models.get(self.model)
        if heeded is not None and BY_NAME[name].scope is Scope.MODEL and name not in heeded:
            raise ProtocolError(
                ErrorCode.UNSUPPORTED,
                f"the model {self.model} does not heed {name}; leave it as it is or choose another model",
            )
