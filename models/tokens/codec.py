"""Notes to events and back. It neither samples nor learns; what the grid cannot hold is counted, not hidden.

Events are sorted by time; notes of one onset by kind (drums, bass, rest), then pitch, then slot. A bar without an event
is one REST. A given part's note stands one bar before it sounds, so that what is generated can answer it in time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.music.score import Note, Part
from models.tokens.grid import Grid, IntArray
from models.tokens.vocabulary import (
    BASS_CLASS,
    DRUM_CLASS,
    DRUM_PITCH,
    DURATIONS,
    END_SLOT,
    GIVEN_SLOT,
    REST_SLOT,
    TICKS_PER_GRID,
    bin_to_velocity,
    duration_to_bin,
    part_class,
    velocity_to_bin,
)

DRUM_KIND, BASS_KIND, OTHER_KIND = 0, 1, 2
PIECE_DTYPE = np.dtype(
    [("bar", "<i4"), ("position", "u1"), ("part", "u1"), ("pitch", "u1"), ("duration", "u1"), ("velocity", "u1")]
)
"""A placed note in nine bytes; duration is a bin of the vocabulary."""

_DURATION_BIN = np.array([duration_to_bin(length) for length in range(DURATIONS[-1] + 1)], dtype=np.uint8)


@dataclass(frozen=True, slots=True)
class Events:
    """A stretch of music as the flagship reads it; T events."""

    tokens: IntArray
    """(T, 6): the fields of the vocabulary."""
    bar: IntArray
    """(T,) token bar the event stands in; a given note's is the bar before it sounds."""
    place: NDArray[np.float64]
    """(T, 2): when it truly sounds, as (grid ticks from tick 0, bars from bar 0)."""

    def __len__(self) -> int:
        return len(self.tokens)


@dataclass(frozen=True, slots=True)
class GridLoss:
    """What tokenizing changed, summed over the notes."""

    notes: int
    merged_notes: int
    """Notes that met another of the same part and pitch on one grid point."""
    onset_error_ticks: int
    duration_error_ticks: int
    velocity_error: int


def part_kind(is_drum: bool, program: int | None) -> int:
    """Where a part's notes stand among those of one onset."""
    kind_class = part_class(is_drum, program)
    return {DRUM_CLASS: DRUM_KIND, BASS_CLASS: BASS_KIND}.get(kind_class, OTHER_KIND)


def part_kinds(parts: Sequence[Part]) -> IntArray:
    """`part_kind` of each part."""
    return np.array([part_kind(part.is_drum, part.program) for part in parts], dtype=np.int64)


def place_notes(notes: Sequence[Note], grid: Grid) -> NDArray[np.void]:
    """Notes on the grid, as an array of `PIECE_DTYPE`, in the order they came."""
    placed = np.zeros(len(notes), PIECE_DTYPE)
    if not notes:
        return placed
    columns = np.array([(n.onset_tick, n.duration_ticks, n.part, n.pitch, n.velocity) for n in notes], dtype=np.int64)
    placed["bar"], placed["position"] = grid.place(columns[:, 0])
    lengths = np.rint(columns[:, 1] / TICKS_PER_GRID).astype(np.int64)
    placed["duration"] = _DURATION_BIN[lengths.clip(0, DURATIONS[-1])]
    placed["part"], placed["pitch"], placed["velocity"] = columns[:, 2], columns[:, 3], columns[:, 4]
    return placed


@dataclass(frozen=True, slots=True)
class Cast:
    """Who plays: arrays over the parts of a piece."""

    kind: IntArray
    slot: IntArray
    given: NDArray[np.bool_]

    @classmethod
    def of(cls, parts: Sequence[Part], given: frozenset[int] = frozenset()) -> Cast:
        """Every part in the slot of its own number."""
        held = np.array([part in given for part in range(len(parts))], dtype=bool)
        return cls(part_kinds(parts), np.arange(len(parts)), held)


def _sorted_events(placed: NDArray[np.void], cast: Cast, first_bar: int, last_bar: int) -> NDArray[np.int64]:
    """Columns (stream bar, position, slot field, pitch field, duration, velocity bin, true bar) in event order."""
    part = placed["part"].astype(np.int64)
    given, kind, slot = cast.given[part], cast.kind[part], cast.slot[part]
    bar = placed["bar"].astype(np.int64) - given
    keep = (placed["bar"] >= first_bar) & (bar < last_bar)
    order = np.lexsort((slot, placed["pitch"], kind, ~given, placed["position"], bar))
    order = order[keep[order]]
    columns = np.stack(
        [
            bar,
            placed["position"].astype(np.int64),
            slot + GIVEN_SLOT * given,
            placed["pitch"] + DRUM_PITCH * (kind == DRUM_KIND),
            placed["duration"].astype(np.int64),
            placed["velocity"].astype(np.int64) // 4,
            placed["bar"].astype(np.int64),
        ],
        axis=1,
    )[order]
    same = (columns[1:, :4] == columns[:-1, :4]).all(axis=1)
    return columns[np.concatenate([[True], ~same])] if len(columns) else columns


def tokenize(
    placed: NDArray[np.void], cast: Cast, starts: IntArray, first_bar: int, last_bar: int, ended: bool = False
) -> Events:
    """Events of the bars `first_bar` up to before `last_bar`.

    Args:
        placed: `PIECE_DTYPE` notes, in any order.
        starts: bar lines in ticks, reaching past the last given note.
        ended: close with END, in `last_bar`.
    """
    columns = _sorted_events(placed, cast, first_bar, last_bar)
    silent = np.setdiff1d(np.arange(first_bar, last_bar), columns[:, 0])
    marks = [(bar, 0, REST_SLOT, 0, 0, 0, bar) for bar in silent.tolist()]
    marks += [(last_bar, 0, END_SLOT, 0, 0, 0, last_bar)] * ended
    columns = np.concatenate([columns, np.array(marks, dtype=np.int64).reshape(-1, 7)])
    columns = columns[np.argsort(columns[:, 0], kind="stable")]
    bar, true_bar = columns[:, 0], columns[:, 6]
    tokens = columns[:, :6].copy()
    tokens[:, 0] = np.diff(bar, prepend=first_bar - 1)
    lengths = np.diff(starts)[true_bar]
    ticks = columns[:, 1] * TICKS_PER_GRID
    place = np.stack([(starts[true_bar] + ticks) / TICKS_PER_GRID, true_bar + ticks / lengths], axis=1)
    return Events(tokens, bar, place)


def detokenize(tokens: IntArray, slots: Sequence[int], grid: Grid, first_bar: int) -> list[Note]:
    """The notes of events whose first stands in `first_bar` when its dbar is 1.

    Args:
        tokens: (T, 6).
        slots: the part that sits in each slot.
    """
    notes = []
    bars = np.cumsum(tokens[:, 0]) + first_bar - 1
    for bar, (_, position, slot, pitch, duration, velocity) in zip(bars.tolist(), tokens.tolist(), strict=True):
        if slot < REST_SLOT:
            onset = grid.place_to_tick(bar + slot // GIVEN_SLOT, position)
            length = DURATIONS[duration] * TICKS_PER_GRID
            part = slots[slot % GIVEN_SLOT]
            notes.append(Note(onset, part, pitch % DRUM_PITCH, length, bin_to_velocity(velocity)))
    return notes


def grid_loss(notes: Sequence[Note], placed: NDArray[np.void], grid: Grid) -> GridLoss:
    """What placing these notes changed.

    Args:
        notes: as they were.
        placed: `place_notes` of them, in the same order.
    """
    kept = {(bar, position, part, pitch) for bar, position, part, pitch, *_ in placed.tolist()}
    onset = duration = velocity = 0
    for note, at in zip(notes, placed.tolist(), strict=True):
        onset += abs(note.onset_tick - grid.place_to_tick(at[0], at[1]))
        duration += abs(note.duration_ticks - DURATIONS[at[4]] * TICKS_PER_GRID)
        velocity += abs(note.velocity - bin_to_velocity(velocity_to_bin(at[5])))
    return GridLoss(len(notes), len(notes) - len(kept), onset, duration, velocity)
