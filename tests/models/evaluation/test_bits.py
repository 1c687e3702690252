"""Every event is charged once, by everybody the same, and intervals are by piece."""

from __future__ import annotations

import numpy as np
import pytest

from models.data.piece import Piece, piece_of
from models.evaluation.bits import (
    CONTEXT_BARS,
    PieceBits,
    draw_training,
    events_of,
    flagship_bits,
    interval,
    markov_bits,
    overlapping_windows,
    saved_interval,
    summary,
)
from models.evaluation.markov import MarkovModel
from models.tokens.vocabulary import DBAR, FIELDS, GIVEN_SLOT, SLOT
from tests.models.tiny import random_score, tiny_network


def piece(seed: int, bars: int = 40, notes_per_bar: int = 5) -> Piece:
    return piece_of(random_score(seed, bars=bars, notes_per_bar=notes_per_bar), f"noise {seed}")


@pytest.mark.parametrize(("events", "notes_per_bar"), [(1024, 5), (96, 5), (48, 3), (16, 30)])
def test_windows_that_overlap_charge_every_event_once(events: int, notes_per_bar: int) -> None:
    music = piece(0, notes_per_bar=notes_per_bar)
    whole = events_of(music)[:, DBAR + 1 :].tolist()
    charged = [
        row[DBAR + 1 :]
        for window, charged_from in overlapping_windows(music, events)
        for row, bar in zip(window.tokens.tolist(), window.bar.tolist(), strict=True)
        if bar >= charged_from
    ]
    if events > notes_per_bar + 2:
        assert charged == whole
    else:
        assert len(charged) <= len(whole), "a bar that overflows its window is cut, never charged twice"


def test_windows_show_some_bars_before_what_they_charge() -> None:
    for window, charged_from in overlapping_windows(piece(1), 96)[1:]:
        assert 1 <= charged_from <= CONTEXT_BARS
        assert (window.bar < charged_from).any()


def test_windows_tell_nothing_that_is_measured_on_the_notes() -> None:
    for window, _ in overlapping_windows(piece(2), 96):
        assert (window.header[:, 1:] == 0).all()
        assert window.whole.all(), "meter and tempo are told"


def test_both_models_are_charged_for_the_same_notes() -> None:
    music = piece(3, bars=12)
    notes = int((events_of(music)[:, SLOT] < GIVEN_SLOT).sum())
    mine, theirs = flagship_bits(tiny_network(), music), markov_bits(MarkovModel(), music)
    assert mine.notes == theirs.notes == notes
    assert mine.bits.shape == theirs.bits.shape == (len(FIELDS),)
    assert (mine.bits > 0).all()


def test_training_pieces_are_drawn_once_each_until_there_are_enough() -> None:
    pieces = [piece(seed, bars=4) for seed in range(6)]
    shares = np.full(6, 1 / 6)
    everything = draw_training(pieces, shares, 10**9)
    assert len(everything) == 6
    first = draw_training(pieces, shares, 1)
    assert len(first) == 1
    assert np.array_equal(first[0], everything[0]), "the same seed draws the same pieces"


def rows(*bits_and_notes: tuple[float, int]) -> list[PieceBits]:
    return [PieceBits(np.full(len(FIELDS), bits / len(FIELDS)), notes) for bits, notes in bits_and_notes]


def test_bits_a_note_weigh_pieces_by_their_notes() -> None:
    mean, low, high = interval(rows((100.0, 10), (300.0, 90)))
    assert mean == pytest.approx(4.0)
    assert pytest.approx(low) == 300 / 90
    assert high == pytest.approx(10.0)


def test_what_is_saved_is_compared_piece_by_piece() -> None:
    mine, theirs = rows((100.0, 10), (300.0, 90)), rows((110.0, 10), (390.0, 90))
    assert saved_interval(mine, theirs) == pytest.approx((1.0, 1.0, 1.0))


def test_the_summary_adds_up() -> None:
    found = summary(rows((60.0, 10), (60.0, 20)))
    assert found["bits_per_note"] == pytest.approx(4.0)
    assert sum(found[name] for name in FIELDS) == pytest.approx(4.0, abs=1e-3)
