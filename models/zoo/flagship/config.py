"""The flagship's sizes. It knows no tensors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from models.layers.rotary import BAR_PERIODS, TICK_PERIODS

HEAD_SIZE = 4 * (len(TICK_PERIODS) + len(BAR_PERIODS))


@dataclass(frozen=True, slots=True)
class FlagshipConfig:
    """Size of the network; head size must be 64, which the rotary periods fill."""

    n_layer: int = 6
    n_head: int = 4
    n_embd: int = 256
    n_ff: int = 640
    n_head_ff: int = 160
    block_size: int = 1024
    """Events one pass may hold, the header not counted."""

    def __post_init__(self) -> None:
        for size in fields(self):
            if getattr(self, size.name) < 1:
                raise ValueError(f"{size.name} must be at least 1, not {getattr(self, size.name)}")
        if self.n_embd != HEAD_SIZE * self.n_head:
            raise ValueError(f"n_embd must be {HEAD_SIZE} for each of {self.n_head} heads, not {self.n_embd} in all")


def config_of(sizes: Mapping[str, int]) -> FlagshipConfig:
    """The sizes a recipe or a card names; the rest as they ship.

    Raises:
        ValueError: an unknown name, or sizes that do not fit each other.
    """
    known = [size.name for size in fields(FlagshipConfig)]
    unknown = sorted(set(sizes) - set(known))
    if unknown:
        raise ValueError(f"unknown size {unknown[0]!r}; known are {', '.join(known)}")
    return FlagshipConfig(**sizes)
