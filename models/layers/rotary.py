"""Rotary positions (Su et al., RoFormer, 2021) over two times at once: the event's index and the musical time.

Half of the rotating pairs turn by index, half by musical time, so that a head can look "one bar back" whatever stands
between. Part of the musical pairs count ticks, part count bars: 7/8 and 4/4 both have a "same place in the last bar".
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

TICK_PERIODS = (6, 8, 12, 16, 24, 36, 48, 72)  # grid ticks, 24 to the quarter: a sixteenth to three quarters
BAR_PERIODS = (1, 2, 3, 4, 8, 16, 32, 64)  # bars
INDEX_BASE = 10_000.0


def rotary_frequencies(head_size: int) -> tuple[Tensor, Tensor]:
    """Radians per unit: (D/4,) per index, and (2, D/4) per (grid tick, bar).

    Raises:
        ValueError: the head has another number of pairs than the periods need.
    """
    pairs = head_size // 4
    if pairs != len(TICK_PERIODS) + len(BAR_PERIODS):
        raise ValueError(f"head_size must be {4 * (len(TICK_PERIODS) + len(BAR_PERIODS))}, not {head_size}")
    index = INDEX_BASE ** (-torch.arange(pairs, dtype=torch.float64) / pairs)
    time = torch.zeros(2, pairs, dtype=torch.float64)
    time[0, : len(TICK_PERIODS)] = 2 * math.pi / torch.tensor(TICK_PERIODS, dtype=torch.float64)
    time[1, len(TICK_PERIODS) :] = 2 * math.pi / torch.tensor(BAR_PERIODS, dtype=torch.float64)
    return index, time


def rotary_table(index: Tensor, place: Tensor, frequencies: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """Cosines and sines.

    Args:
        index: (..., T) event index.
        place: (..., T, 2) float64 (grid ticks, bars).

    Returns:
        Two (..., T, D/2), float32.
    """
    by_index, by_time = frequencies
    angle = torch.cat([index[..., None].double() * by_index, place @ by_time], dim=-1)
    return angle.cos().float(), angle.sin().float()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn the pairs of `x` (..., D) by tables that broadcast to (..., D/2)."""
    a, b = x.chunk(2, dim=-1)
    return torch.cat([a * cos - b * sin, b * cos + a * sin], dim=-1)
