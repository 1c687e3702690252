"""A `generate` and everything it refers to, checked once. Generates nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bridge.clip_transfer import Clip
from bridge.controls import ControlValues
from bridge.errors import ErrorCode, ProtocolError
from bridge.protocol import Message
from models.music.constants import MAX_PARTS


@dataclass(frozen=True, slots=True)
class TakeRequest:
    """One valid `generate`."""

    req: int
    clip: Clip
    bars: int
    parts: frozenset[int]
    """To generate: parts of the clip, none of them given."""
    seed: int | None
    """None: the daemon picks one and tells it in `take_begun`."""
    at_tick: int
    """Song tick; -1 = the next bar line while playing, at once when stopped."""
    controls: ControlValues


def read_request(message: Message, clip: Clip, controls: ControlValues) -> TakeRequest:
    """The request in a `generate` for a clip that is whole.

    Raises:
        ProtocolError: its parts are not in the clip, or are given, or there are none.
    """
    seed = message.integer("seed")
    return TakeRequest(
        req=message.integer("req"),
        clip=clip,
        bars=message.integer("bars"),
        parts=_parts(mask_to_parts(message.integer("parts")), clip),
        seed=None if seed < 0 else seed,
        at_tick=message.integer("at_tick"),
        controls=controls,
    )


def mask_to_parts(mask: int) -> frozenset[int]:
    """Part numbers of the bits that are set."""
    return frozenset(number for number in range(MAX_PARTS) if mask >> number & 1)


def parts_to_mask(parts: Iterable[int]) -> int:
    """The bit mask of some part numbers."""
    return sum(1 << number for number in set(parts))


def _parts(asked: frozenset[int], clip: Clip) -> frozenset[int]:
    """The parts to generate; none asked for means all that are not given."""
    if not clip.part_numbers:
        raise ProtocolError(
            ErrorCode.WRONG_ARGUMENT, f"clip {clip.req} has no parts; send clip/part for each part to be played"
        )
    if not asked:
        free = clip.part_numbers - clip.given_parts
        if not free:
            raise ProtocolError(
                ErrorCode.WRONG_ARGUMENT,
                f"every part of clip {clip.req} has notes past its end and is given; leave those of one part out",
            )
        return free
    if absent := asked - clip.part_numbers:
        raise ProtocolError(
            ErrorCode.OUT_OF_RANGE,
            f"clip {clip.req} has no part {_listed(absent)}; choose from its parts {_listed(clip.part_numbers)}, "
            "or send clip/part for an empty one",
        )
    if given := asked & clip.given_parts:
        raise ProtocolError(
            ErrorCode.WRONG_ARGUMENT,
            f"part {_listed(given)} of clip {clip.req} has notes past the clip's end and is given; "
            "leave those notes out, or the part out of the mask",
        )
    return asked


def _listed(numbers: Iterable[int]) -> str:
    return ", ".join(map(str, sorted(numbers)))
