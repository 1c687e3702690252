from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.clip_transfer import Clip
from bridge.controls import ControlValues
from bridge.errors import ErrorCode, ProtocolError
from bridge.take_request import TakeRequest, mask_to_parts, parts_to_mask, read_request
from models.music.score import Meter, Note, Part
from tests.bridge.talk import BAR, ME, message

CONTROLS = ControlValues.defaults({})
GIVEN = Note(BAR, 2, 60, 480, 100)
CLIP = Clip(5, (Part(), None, Part(), Part()), (Note(0, 0, 60, 480, 100), GIVEN), BAR, Meter(0, 4, 4), 120.0)


def read(parts: int, clip: Clip = CLIP, seed: int = 9) -> TakeRequest:
    return read_request(message("generate", ME, 7, clip.req, 8, parts, seed, 3840), clip, CONTROLS)


def test_a_request_carries_everything_it_refers_to() -> None:
    assert read(0b1001) == TakeRequest(7, CLIP, 8, frozenset({0, 3}), 9, 3840, CONTROLS)


def test_no_seed_is_the_daemons_to_pick_and_zero_is_a_seed() -> None:
    assert read(0, seed=-1).seed is None
    assert read(0, seed=0).seed == 0


def test_no_parts_means_all_that_are_not_given() -> None:
    assert read(0).parts == {0, 3}


@pytest.mark.parametrize(
    ("parts", "code", "words"),
    [
        (0b10, ErrorCode.OUT_OF_RANGE, "clip 5 has no part 1; choose from its parts 0, 2, 3"),
        (0b1000000000010001, ErrorCode.OUT_OF_RANGE, "no part 4, 15"),
        (0b100, ErrorCode.WRONG_ARGUMENT, "part 2 of clip 5 has notes past the clip's end"),
        (0b101, ErrorCode.WRONG_ARGUMENT, "part 2"),
    ],
)
def test_parts_that_cannot_be_generated_are_refused(parts: int, code: ErrorCode, words: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        read(parts)
    assert caught.value.code is code
    assert words in caught.value.text


def test_a_clip_where_nothing_is_left_to_generate_is_refused() -> None:
    with pytest.raises(ProtocolError, match="every part of clip 5"):
        read(0, Clip(5, (None, None, Part()), (GIVEN,), BAR, Meter(0, 4, 4), 120.0))
    with pytest.raises(ProtocolError, match="clip 5 has no parts"):
        read(0, Clip(5, (), (), 0, Meter(0, 4, 4), 120.0))


@given(st.integers(0, 2**16 - 1))
def test_a_mask_and_its_parts_are_the_same_thing(mask: int) -> None:
    assert parts_to_mask(mask_to_parts(mask)) == mask
