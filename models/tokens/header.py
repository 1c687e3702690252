"""The header: what is told of a piece before its notes. Every value may be withheld (0), in training and in use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.music.constants import MAX_PARTS
from models.music.score import Meter, Part
from models.tokens.codec import Cast
from models.tokens.grid import IntArray
from models.tokens.vocabulary import (
    DENSITY_EDGES,
    HEADER_FIELDS,
    POLYPHONY_EDGES,
    REGISTER_EDGES,
    TEMPO_EDGES,
    edge_bin,
    meter_value,
    part_class,
)


@dataclass(frozen=True, slots=True)
class Header:
    """What is told: all zeros say nothing."""

    parts: IntArray
    """(MAX_PARTS, 4): `HEADER_FIELDS` of each slot."""
    present: NDArray[np.bool_]
    """(MAX_PARTS,): whether anybody sits in the slot."""
    whole: IntArray
    """(2,): meter and tempo."""


def part_classes(parts: Sequence[Part]) -> IntArray:
    """The header's class of each part."""
    return np.array([part_class(part.is_drum, part.program) for part in parts], dtype=np.int64)


def describe(
    placed: NDArray[np.void], classes: IntArray, cast: Cast, bars: int, meter: Meter, bpm: float, density: float = 1.0
) -> Header:
    """Measure the notes of `bars` bars.

    Args:
        density: factor on the measured notes a bar, to ask for more or fewer.
    """
    table = np.zeros((MAX_PARTS, len(HEADER_FIELDS)), dtype=np.int64)
    present = np.zeros(MAX_PARTS, dtype=bool)
    for part, slot in enumerate(cast.slot.tolist()):
        mine = placed[placed["part"] == part]
        table[slot, 0] = classes[part]
        present[slot] = True
        if len(mine):
            onsets = len(np.unique(mine["bar"].astype(np.int64) * 256 + mine["position"]))
            table[slot, 1] = edge_bin(density * len(mine) / max(1, bars), DENSITY_EDGES)
            table[slot, 2] = edge_bin(float(mine["pitch"].mean()), REGISTER_EDGES)
            table[slot, 3] = edge_bin(len(mine) / onsets, POLYPHONY_EDGES)
    whole = np.array([meter_value(meter.numerator, meter.denominator), edge_bin(bpm, TEMPO_EDGES)], dtype=np.int64)
    return Header(table, present, whole)
