from __future__ import annotations

import pytest

from bridge.answers import Answer
from bridge.control_desk import ControlDesk
from bridge.controls import BY_NAME, NAMES
from bridge.errors import ErrorCode, ProtocolError

MODELS = {"rnn": frozenset({"temperature"}), "gpt": frozenset({"temperature", "top_p", "scale_mask", "scale_root"})}


@pytest.fixture
def desk() -> ControlDesk:
    return ControlDesk("rnn", MODELS, {"temperature": 0.9})


def test_a_control_is_turned_and_told_with_its_range(desk: ControlDesk) -> None:
    values = desk.turned(desk.fresh(), "temperature", 1.5)
    assert desk.tell(values, "temperature") == [Answer("value", ("temperature", 1.5, 0.1, 4.0))]
    assert desk.tell(desk.fresh(), "temperature") == [Answer("value", ("temperature", 0.9, 0.1, 4.0))]


def test_turning_to_the_same_value_changes_nothing(desk: ControlDesk) -> None:
    values = desk.fresh()
    assert desk.turned(values, "temperature", 0.9) is values
    assert desk.turned(values, "top_p", BY_NAME["top_p"].default) is values, "even where the model does not heed it"
    assert desk.scaled(values, 0, 0) is values


def test_a_control_the_model_does_not_heed_is_refused(desk: ControlDesk) -> None:
    with pytest.raises(ProtocolError, match="rnn does not heed top_p") as caught:
        desk.turned(desk.fresh(), "top_p", 0.5)
    assert caught.value.code is ErrorCode.UNSUPPORTED
    desk.choose_model("gpt")
    assert desk.turned(desk.fresh(), "top_p", 0.5).values["top_p"] == 0.5


def test_the_daemons_own_controls_are_heeded_with_any_model(desk: ControlDesk) -> None:
    assert desk.turned(desk.fresh(), "out", 1).values["out"] == 1


def test_a_model_nothing_is_known_of_may_heed_anything() -> None:
    desk = ControlDesk("mystery", {}, {})
    assert desk.turned(desk.fresh(), "top_p", 0.5).values["top_p"] == 0.5


def test_a_scale_needs_a_model_that_knows_scales_only_when_it_limits_anything(desk: ControlDesk) -> None:
    assert desk.scaled(desk.fresh(), 7, 0).values["scale_root"] == 7
    with pytest.raises(ProtocolError, match="scale_mask"):
        desk.scaled(desk.fresh(), 7, 2741)
    desk.choose_model("gpt")
    assert desk.scaled(desk.fresh(), 7, 2741).for_model.scale_mask == 2741


def test_a_model_is_chosen_by_name_among_those_there_are(desk: ControlDesk) -> None:
    assert desk.choose_model("gpt")
    assert not desk.choose_model("gpt")
    assert desk.tell(desk.fresh(), "model") == [Answer("value", ("model", "gpt", "gpt|rnn", ""))]
    for unknown in ("bach", 3):
        with pytest.raises(ProtocolError, match="choose one of gpt, rnn") as caught:
            desk.choose_model(unknown)
        assert caught.value.code is ErrorCode.OUT_OF_RANGE
    assert desk.model == "gpt"


def test_everything_is_told_at_once(desk: ControlDesk) -> None:
    assert [answer.values[0] for answer in desk.tell(desk.fresh(), "*")] == list(NAMES)


def test_an_unknown_control_cannot_be_told(desk: ControlDesk) -> None:
    with pytest.raises(ProtocolError, match="no control"):
        desk.tell(desk.fresh(), "warmth")
