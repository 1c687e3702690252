"""From logits to one choice, on a few hundred numbers at most: numpy, because a tensor call costs more than the sum."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def probabilities(logits: NDArray[np.floating], legal: NDArray[np.bool_] | None, temperature: float) -> FloatArray:
    """Softmax over the legal values; temperature 0 puts all on the likeliest.

    Raises:
        ValueError: nothing is legal.
    """
    scores = logits.astype(np.float64)
    if legal is not None:
        if not legal.any():
            raise ValueError("no value is legal here; the grammar must leave one")
        scores = np.where(legal, scores, -np.inf)
    if temperature <= 0:
        return (np.arange(len(scores)) == scores.argmax()).astype(np.float64)
    weights: FloatArray = np.exp((scores - scores.max()) / temperature)
    return weights / weights.sum()


def truncate(weights: FloatArray, top_k: int, top_p: float, min_p: float) -> FloatArray:
    """Keep the likeliest `top_k` (0 = all), of these the nucleus of mass `top_p` (Holtzman et al., 2020), of these
    what has at least `min_p` of the likeliest one's probability (Nguyen et al., 2024).
    """
    if 0 < top_k < len(weights) or top_p < 1:
        order = np.argsort(-weights, kind="stable")[: top_k or None]
        ranked = weights[order]
        if top_p < 1:
            count = int(np.searchsorted(np.cumsum(ranked), top_p * ranked.sum())) + 1
            order, ranked = order[:count], ranked[:count]
        weights = np.zeros_like(weights)
        weights[order] = ranked
    if min_p > 0:
        weights = np.where(weights >= min_p * weights.max(), weights, 0.0)
    return weights / weights.sum()


def draw(weights: FloatArray, rng: np.random.Generator) -> int:
    """One index, by inverse transform: one number of the generator a choice."""
    index = int(np.searchsorted(np.cumsum(weights), rng.random() * weights.sum(), side="right"))
    return min(index, int(np.flatnonzero(weights)[-1]))
