"""Pieces to training windows: cut at bar lines, augment, give parts away, withhold controls. Every window is a pure
function of its random generator, so that a resumed run sees what an unbroken one would.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.data.piece import Piece
from models.music.constants import MAX_PARTS
from models.tokens.codec import DRUM_KIND, Cast, tokenize
from models.tokens.echo import echoes
from models.tokens.grid import IntArray
from models.tokens.header import Header, describe
from models.tokens.vocabulary import GIVEN_SLOT, SLOT, TICKS_PER_GRID

PHRASE_BARS = 4
PHRASE_SHARE = 0.75  # windows that start on a phrase, as the clips of a set do
GIVEN_SHARE = 0.5
SPARE_NOTES = 256  # cut beyond the window, so that it ends full and not at its last whole bar
WITHHELD = 0.3
CLASS_WITHHELD = 0.1
LOWEST_SHIFT, HIGHEST_SHIFT = -5, 6


@dataclass(frozen=True, slots=True)
class Window:
    """One training example; the arrays of `Batch`, without the batch axis, unpadded."""

    tokens: IntArray
    bar: IntArray
    bar_grid: IntArray
    place: NDArray[np.float64]
    counts: NDArray[np.bool_]
    header: IntArray
    present: NDArray[np.bool_]
    free: NDArray[np.bool_]
    kind: IntArray
    whole: IntArray
    echo: IntArray
    hits: IntArray


def window_of(piece: Piece, notes: NDArray[np.void], cast: Cast, header: Header, first_bar: int, events: int) -> Window:
    """The first `events` events of `notes` from `first_bar` on; notes before it are there to be recalled."""
    last_bar = int(notes["bar"].max()) + 1
    stretch = tokenize(notes, cast, piece.starts, first_bar, last_bar, ended=last_bar == piece.bars)
    tokens, bar = stretch.tokens[:events], stretch.bar[:events]
    lengths = -(-np.diff(piece.starts) // TICKS_PER_GRID)  # a broken last grid tick counts
    kind, free = np.full(MAX_PARTS, 2), header.present.copy()
    kind[cast.slot] = cast.kind
    free[cast.slot[cast.given]] = False
    slot = tokens[:, SLOT]
    before = recalled_events(piece, notes, cast, first_bar, last_bar)
    echo, hits = echoes(tokens, bar, kind, first_bar, piece.recalled, before)
    return Window(
        tokens,
        bar - first_bar,
        lengths[bar.clip(0)],
        stretch.place[:events] - (piece.starts[first_bar] / TICKS_PER_GRID, first_bar),
        (slot < GIVEN_SLOT) | (slot >= 2 * GIVEN_SLOT),
        header.parts,
        header.present,
        free,
        kind,
        header.whole,
        echo,
        hits,
    )


def recalled_events(
    piece: Piece, notes: NDArray[np.void], cast: Cast, first_bar: int, last_bar: int
) -> list[tuple[tuple[int, ...], int]]:
    """Events, with their bars, of the bars before a window that its recalled lags lead to."""
    bars = np.arange(first_bar, last_bar + 1)
    lags = piece.recalled[bars]
    sources = (bars - lags)[lags > 0]
    wanted = np.union1d(sources, sources + 1)
    earlier = notes[(notes["bar"] < first_bar) & np.isin(notes["bar"], wanted)]
    if not len(earlier):
        return []
    stretch = tokenize(earlier, cast, piece.starts, int(earlier["bar"].min()), first_bar)
    return list(zip(map(tuple, stretch.tokens.tolist()), stretch.bar.tolist(), strict=True))


def cut(piece: Piece, first_bar: int, events: int) -> NDArray[np.void]:
    """About `events` notes from a bar line on, whole bars."""
    start = int(np.searchsorted(piece.notes["bar"], first_bar))
    notes = piece.notes[start : start + events]
    if start + events >= len(piece.notes):
        return notes
    whole = notes[notes["bar"] < notes["bar"][-1]]
    return whole if len(whole) else notes


def up_to(piece: Piece, bar: int) -> NDArray[np.void]:
    """Every note before a bar line."""
    return piece.notes[: int(np.searchsorted(piece.notes["bar"], bar))]


def cut_fitting(piece: Piece, first_bar: int, events: int) -> NDArray[np.void]:
    """As `cut`, but so that the notes with their rests and the end are no more than `events`."""
    notes = cut(piece, first_bar, events)
    bars, counts = np.unique(notes["bar"], return_counts=True)
    rests = bars - first_bar - np.arange(len(bars))
    fitting = bars[np.cumsum(counts) + rests + (bars == piece.bars - 1) <= events]
    return notes[notes["bar"] <= (fitting[-1] if len(fitting) else bars[0])]


def first_bar_of(piece: Piece, rng: np.random.Generator) -> int:
    """A bar line to start at, mostly a phrase's."""
    bar = int(rng.integers(0, max(1, piece.bars - PHRASE_BARS)))
    return bar - bar % PHRASE_BARS if rng.random() < PHRASE_SHARE else bar


def transpose(notes: NDArray[np.void], kinds: IntArray, rng: np.random.Generator) -> None:
    """Shift the melodic parts in place, by what keeps every pitch in range."""
    melodic = kinds[notes["part"]] != DRUM_KIND
    shift = int(rng.integers(LOWEST_SHIFT, HIGHEST_SHIFT + 1))
    pitches = notes["pitch"][melodic].astype(np.int64) + shift
    if len(pitches) and pitches.min() >= 0 and pitches.max() <= 127:
        notes["pitch"][melodic] = pitches


def draw_cast(kinds: IntArray, rng: np.random.Generator) -> Cast:
    """Parts in random slots; in half of the windows some of them given."""
    parts = len(kinds)
    given = np.zeros(parts, dtype=bool)
    if parts > 1 and rng.random() < GIVEN_SHARE:
        given[rng.permutation(parts)[: rng.integers(1, parts)]] = True
    return Cast(kinds, rng.permutation(MAX_PARTS)[:parts], given)


def withhold(header: Header, rng: np.random.Generator) -> Header:
    """Blank controls at random; sometimes all but the classes."""
    keep = rng.random(header.parts.shape) >= WITHHELD
    keep[:, 0] = rng.random(MAX_PARTS) >= CLASS_WITHHELD
    if rng.random() < WITHHELD / 2:
        keep[:, 1:] = False
    return Header(header.parts * keep, header.present, header.whole * (rng.random(2) >= WITHHELD))


def draw_window(piece: Piece, events: int, rng: np.random.Generator) -> Window:
    """One augmented training window."""
    first_bar = first_bar_of(piece, rng)
    last = int(cut(piece, first_bar, events + SPARE_NOTES)["bar"].max()) + 1
    notes = up_to(piece, last).copy()
    transpose(notes, piece.kinds, rng)
    loudness = rng.uniform(0.9, 1.1)
    notes["velocity"] = np.rint(notes["velocity"] * loudness).clip(1, 127)
    cast = draw_cast(piece.kinds, rng)
    shown = notes[notes["bar"] >= first_bar]
    header = describe(shown, piece.classes, cast, last - first_bar, piece.meter, piece.bpm)
    return window_of(piece, notes, cast, withhold(header, rng), first_bar, events)


def plain_windows(piece: Piece, events: int) -> list[Window]:
    """A piece as validation reads it: end to end, nothing augmented, given or withheld."""
    windows, bar = [], 0
    while bar < piece.bars:
        notes = cut_fitting(piece, bar, events)
        last = int(notes["bar"].max()) + 1
        cast = Cast(piece.kinds, np.arange(len(piece.kinds)), np.zeros(len(piece.kinds), dtype=bool))
        header = describe(notes, piece.classes, cast, last - bar, piece.meter, piece.bpm)
        windows.append(window_of(piece, up_to(piece, last), cast, header, bar, events))
        bar = last
    return windows
