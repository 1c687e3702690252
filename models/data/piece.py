"""One piece as training reads it: placed notes and what is known of their parts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.music.score import Meter, Score
from models.tokens.codec import part_kinds, place_notes
from models.tokens.grid import Grid, IntArray
from models.tokens.header import part_classes


@dataclass(frozen=True, slots=True)
class Piece:
    """Placed notes of one file, sorted by bar."""

    group: str
    """Pieces of one group are versions of one work and never part."""
    notes: NDArray[np.void]
    """`PIECE_DTYPE`."""
    classes: IntArray
    """(P,) header class of each part."""
    kinds: IntArray
    """(P,) drums, bass or other."""
    starts: IntArray
    """Bar lines in ticks, two bars past the last note."""
    meter: Meter
    bpm: float

    @property
    def bars(self) -> int:
        """Bars up to and including the last onset's."""
        return int(self.notes["bar"][-1]) + 1


def piece_of(score: Score, group: str) -> Piece:
    """Place a score on the grid.

    Raises:
        ValueError: it has no notes.
    """
    if not score.notes:
        raise ValueError("a piece without notes teaches nothing: leave the file out")
    grid = Grid(score.meters)
    notes = place_notes(score.notes, grid)
    notes = notes[np.argsort(notes["bar"], kind="stable")]
    last = int(notes["bar"][-1])
    return Piece(
        group,
        notes,
        part_classes(score.parts),
        part_kinds(score.parts),
        grid.starts(grid.bar_to_tick(last + 2))[: last + 4],
        score.meters[0],
        score.tempos[0].bpm,
    )
