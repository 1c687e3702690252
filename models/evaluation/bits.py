"""Bits per note on held-out pieces: the flagship beside the Markov baseline, on the same events. It trains no network.

Every event of a piece is charged once. The flagship reads windows that overlap, so that all but a piece's first events
are predicted with at least `CONTEXT_BARS` bars before them where the window's size allows; it is told who plays, the
meter and the tempo, but none of the controls that are measured on the notes themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from models.data.piece import Piece
from models.data.windows import Window, cut_fitting, up_to, window_of
from models.evaluation.markov import MarkovModel
from models.tokens.codec import Cast, tokenize
from models.tokens.grid import IntArray
from models.tokens.header import Header, describe
from models.tokens.vocabulary import FIELDS, GIVEN_SLOT, SLOT
from models.zoo.flagship.collate import collate
from models.zoo.flagship.likelihood import field_nll
from models.zoo.flagship.network import FlagshipNetwork

CONTEXT_BARS = 8
RESAMPLES = 1000
BATCH = 4

Bits = NDArray[np.float64]
"""(T, 6) bits of each field of each event."""


@dataclass(frozen=True, slots=True)
class PieceBits:
    """What one model needed for one piece."""

    bits: NDArray[np.float64]
    """(6,) summed over the events."""
    notes: int


def identity_cast(piece: Piece) -> Cast:
    """Every part in the slot of its own number, none given."""
    parts = len(piece.kinds)
    return Cast(piece.kinds, np.arange(parts), np.zeros(parts, dtype=bool))


def events_of(piece: Piece) -> NDArray[np.int64]:
    """(T, 6): the whole piece."""
    return tokenize(piece.notes, identity_cast(piece), piece.starts, 0, piece.bars, ended=True).tokens


def untold(header: Header) -> Header:
    """Without the controls that are measured on the notes: density, register, polyphony."""
    parts = header.parts.copy()
    parts[:, 1:] = 0
    return replace(header, parts=parts)


def overlapping_windows(piece: Piece, events: int) -> list[tuple[Window, int]]:
    """(window, first bar of it that is charged) over the whole piece; bars count from the window's start."""
    windows: list[tuple[Window, int]] = []
    cast, charged_from, first_bar = identity_cast(piece), 0, 0
    while charged_from < piece.bars:
        notes = cut_fitting(piece, first_bar, events)
        last = int(notes["bar"].max()) + 1
        header = describe(notes, piece.classes, cast, max(1, last - first_bar), piece.meter, piece.bpm)
        window = window_of(piece, up_to(piece, last), cast, untold(header), first_bar, events)
        if last <= charged_from:  # one bar fills the window: no room for what was before it
            first_bar = charged_from
            continue
        windows.append((window, charged_from - first_bar))
        charged_from = last
        first_bar = max(first_bar + 1, last - CONTEXT_BARS)
    return windows


@torch.no_grad()
def flagship_bits(network: FlagshipNetwork, piece: Piece) -> PieceBits:
    """What the flagship needs for a piece."""
    events = network.config.block_size
    windows = overlapping_windows(piece, events)
    total, notes = np.zeros(len(FIELDS)), 0
    for at in range(0, len(windows), BATCH):
        group = windows[at : at + BATCH]
        length = max(len(window.tokens) for window, _ in group)
        batch = collate([window for window, _ in group], length)
        nats = field_nll(network, batch).double().numpy()
        for row, (window, charged_from) in enumerate(group):
            charged = window.bar >= charged_from
            total += nats[row, : len(window.tokens)][charged].sum(axis=0)
            notes += int((charged & (window.tokens[:, SLOT] < GIVEN_SLOT)).sum())
    return PieceBits(total / np.log(2), notes)


def markov_bits(markov: MarkovModel, piece: Piece) -> PieceBits:
    """What the baseline needs for a piece, learning from it as it goes."""
    tokens = events_of(piece)
    return PieceBits(markov.bits(tokens, adapt=True).sum(axis=0), int((tokens[:, SLOT] < GIVEN_SLOT).sum()))


def draw_training(pieces: Sequence[Piece], shares: NDArray[np.float64], events: int, seed: int = 0) -> list[IntArray]:
    """Training pieces drawn as the flagship's are, without repeats, until `events` are had."""
    order = np.random.default_rng(seed).choice(len(pieces), size=len(pieces), replace=False, p=shares)
    chosen, count = [], 0
    for at in order:
        if count >= events:
            break
        chosen.append(events_of(pieces[at]))
        count += len(chosen[-1])
    return chosen


def interval(rows: Sequence[PieceBits], seed: int = 0) -> tuple[float, float, float]:
    """Bits a note with its 95 % interval, resampled by piece."""
    bits = np.array([row.bits.sum() for row in rows])
    notes = np.array([row.notes for row in rows])
    draws = np.random.default_rng(seed).integers(0, len(rows), (RESAMPLES, len(rows)))
    means = bits[draws].sum(axis=1) / notes[draws].sum(axis=1)
    low, high = np.percentile(means, (2.5, 97.5))
    return float(bits.sum() / notes.sum()), float(low), float(high)


def saved_interval(mine: Sequence[PieceBits], theirs: Sequence[PieceBits], seed: int = 0) -> tuple[float, float, float]:
    """Bits a note that `mine` saves over `theirs` on the same pieces, with its 95 % interval by piece."""
    saved = [PieceBits(b.bits - a.bits, a.notes) for a, b in zip(mine, theirs, strict=True)]
    return interval(saved, seed)


def summary(rows: Sequence[PieceBits]) -> dict[str, float]:
    """Bits a note of each field, and in all with its interval."""
    notes = sum(row.notes for row in rows)
    fields = np.sum([row.bits for row in rows], axis=0) / notes
    mean, low, high = interval(rows)
    by_field = {name: round(float(value), 4) for name, value in zip(FIELDS, fields, strict=True)}
    return {**by_field, "bits_per_note": round(mean, 4), "low": round(low, 4), "high": round(high, 4)}
