"""One piece as training reads it: placed notes and what is known of their parts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.music.score import Meter, Score
from models.tokens.codec import part_kinds, place_notes
from models.tokens.grid import Grid, IntArray
from models.tokens.header import part_classes
from models.tokens.recall import mark, recalled_lags


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
    recalled: IntArray
    """(bars + 1,) the lag that each bar recalls, see `models.tokens.recall`."""
    meter: Meter
    bpm: float

    @property
    def bars(self) -> int:
        """Bars up to and including the last onset's."""
        return int(self.notes["bar"][-1]) + 1


def marks_by_bar(notes: NDArray[np.void]) -> list[list[int]]:
    """The notes of every bar as the numbers that bars are compared by; `notes` are sorted by bar."""
    marks = mark(*(notes[field].astype(np.int64) for field in ("position", "part", "pitch")))
    lines = np.searchsorted(notes["bar"], np.arange(1, int(notes["bar"][-1]) + 1))
    return [marks_of_bar.tolist() for marks_of_bar in np.split(marks, lines)]


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
        recalled_lags(marks_by_bar(notes)),
        score.meters[0],
        score.tempos[0].bpm,
    )
