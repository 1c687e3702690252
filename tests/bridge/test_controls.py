from __future__ import annotations

from dataclasses import fields

import pytest

from bridge.controls import BY_NAME, CONTROLS, NAMES, Control, ControlValues, Output, Scope, find
from bridge.errors import ErrorCode, ProtocolError
from models.generator import Controls


@pytest.mark.parametrize("control", CONTROLS, ids=lambda control: control.name)
def test_every_default_and_both_bounds_are_allowed_and_nothing_beyond(control: Control) -> None:
    for value in (control.default, control.low, control.high):
        assert control.check(value) == value
        assert type(control.check(value)) is type(control.default)
    step = 0.01 if isinstance(control.default, float) else 1
    for value in (control.low - step, control.high + step):
        with pytest.raises(ProtocolError, match=f"{control.name} must be from") as caught:
            control.check(value)
        assert caught.value.code is ErrorCode.OUT_OF_RANGE


def test_the_models_controls_are_the_generators_own_and_neutral_but_for_how_safe_they_play() -> None:
    names = {control.name for control in CONTROLS if control.scope is Scope.MODEL}
    assert names == {each.name for each in fields(Controls)}
    assert ControlValues.defaults({"temperature": 1.0, "top_p": 1.0}).for_model == Controls()
    assert ControlValues.defaults({}).for_model == Controls(temperature=0.8, top_p=0.9)


def test_a_value_of_the_wrong_kind_is_refused() -> None:
    with pytest.raises(ProtocolError, match="top_k must be a whole number, not 1.5") as caught:
        BY_NAME["top_k"].check(1.5)
    assert caught.value.code is ErrorCode.WRONG_ARGUMENT
    with pytest.raises(ProtocolError, match="temperature must be a number, not 'hot'"):
        BY_NAME["temperature"].check("hot")


def test_a_whole_float_is_a_whole_number() -> None:
    assert BY_NAME["out"].check(2.0) == 2
    assert type(BY_NAME["out"].check(2.0)) is int
    assert type(BY_NAME["temperature"].check(2)) is float


def test_an_unknown_control_is_told_with_all_there_are() -> None:
    with pytest.raises(ProtocolError, match="no control “warmth”") as caught:
        find("warmth")
    assert all(name in caught.value.text for name in NAMES)


def test_changing_makes_new_values_and_leaves_the_old() -> None:
    before = ControlValues.defaults({"density": 2.0})
    after = before.changed("out", 2).changed("lookahead_bars", 8)
    assert (before.output, before.lookahead_bars, before.for_model.density) == (Output.BOTH, 4, 2.0)
    assert (after.output, after.lookahead_bars, after.for_model.density) == (Output.OSC, 8, 2.0)


def test_wrong_defaults_are_refused() -> None:
    with pytest.raises(ProtocolError, match="top_p must be from 0.05 to 1.0, not 7"):
        ControlValues.defaults({"top_p": 7})
