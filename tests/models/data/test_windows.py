"""Training windows: what is cut, moved, given and withheld."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from models.data.piece import Piece, piece_of
from models.data.windows import Window, cut, draw_cast, draw_window, plain_windows, transpose, withhold
from models.music.constants import MAX_PARTS, PPQ
from models.music.score import Meter, Note, Part, Score
from models.tokens.codec import PIECE_DTYPE
from models.tokens.header import Header
from models.tokens.vocabulary import (
    DBAR,
    DRUM_PITCH,
    END_SLOT,
    GIVEN_SLOT,
    HEADER_SIZES,
    PITCH,
    POSITION,
    REST_SLOT,
    SLOT,
)
from tests.models.tiny import BAND, random_score

WHOLE = 4 * PPQ
EVENTS = 64


def noise(seed: int = 0, bars: int = 20, **music: object) -> Piece:
    """A piece of noise."""
    return piece_of(random_score(seed, bars, **music), "noise")  # type: ignore[arg-type]


def drawn(piece: Piece, seed: int) -> Window:
    """One training window."""
    return draw_window(piece, EVENTS, np.random.default_rng(seed))


def test_a_window_is_a_function_of_its_generator() -> None:
    one, again, other = (drawn(noise(), seed) for seed in (1, 1, 2))
    assert all(np.array_equal(getattr(one, f.name), getattr(again, f.name)) for f in fields(Window))
    assert not np.array_equal(one.tokens, other.tokens)


def test_drawing_leaves_the_piece_as_it_was() -> None:
    piece = noise()
    before = piece.notes.copy()
    for seed in range(10):
        drawn(piece, seed)
    assert np.array_equal(piece.notes, before)


@pytest.mark.parametrize("seed", range(8))
def test_a_window_starts_at_its_own_bar_line_and_counts_from_there(seed: int) -> None:
    window = drawn(noise(meters=(Meter(0, 3, 4), Meter(4320, 7, 8))), seed)
    assert len(window.tokens) <= EVENTS
    assert window.bar[0] in (-1, 0)
    assert window.bar.tolist() == (np.cumsum(window.tokens[:, DBAR]) - 1).tolist()
    given = (window.tokens[:, SLOT] >= GIVEN_SLOT) & (window.tokens[:, SLOT] < REST_SLOT)
    assert np.array_equal(np.floor(window.place[:, 1] + 1e-9).astype(int), window.bar + given)
    assert (window.tokens[:, POSITION] < np.where(given, 200, window.bar_grid)).all()


def test_a_short_last_grid_tick_of_a_bar_counts() -> None:
    """Once, a note on it was outside its own bar, and barred."""
    meters = (Meter(0, 4, 4), Meter(1910, 4, 4))
    piece = piece_of(Score.build(BAND, [Note(1900, 1, 40, 60, 80), Note(1910, 1, 40, 60, 80)], (), meters), "cut")
    window = plain_windows(piece, EVENTS)[0]
    assert window.tokens[0, POSITION] == 95 < window.bar_grid[0] == 96


def test_given_notes_marks_and_notes_are_told_apart() -> None:
    windows = [drawn(noise(seed), seed) for seed in range(20)]
    slots = np.concatenate([window.tokens[:, SLOT] for window in windows])
    counts = np.concatenate([window.counts for window in windows])
    given = (slots >= GIVEN_SLOT) & (slots < REST_SLOT)
    assert 0.1 < given.mean() < 0.6
    assert np.array_equal(counts, ~given)
    for window in windows:
        mine = window.tokens[window.tokens[:, SLOT] < GIVEN_SLOT, SLOT]
        assert window.free[mine].all()
        assert window.present[window.free].all()


def test_parts_sit_in_slots_of_their_own_and_at_least_one_is_never_given() -> None:
    rng, shares = np.random.default_rng(0), []
    for _ in range(200):
        cast = draw_cast(np.array([0, 1, 2]), rng)
        assert len(set(cast.slot.tolist())) == 3
        assert cast.slot.max() < MAX_PARTS
        assert not cast.given.all()
        shares.append(bool(cast.given.any()))
    assert 0.35 < np.mean(shares) < 0.65
    assert not draw_cast(np.array([2]), rng).given.any()


def test_transposition_moves_melodies_together_within_range_and_drums_never() -> None:
    rng, shifts = np.random.default_rng(0), set()
    for _ in range(100):
        notes = np.array([(0, 0, 0, 36, 1, 80), (0, 0, 1, 5, 1, 80), (0, 0, 2, 122, 1, 80)], dtype=PIECE_DTYPE)
        transpose(notes, np.array([0, 1, 2]), rng)
        assert notes["pitch"][0] == 36
        assert notes["pitch"][2] - notes["pitch"][1] == 117
        shifts.add(int(notes["pitch"][1]) - 5)
    assert shifts == set(range(-5, 6))  # +6 would leave the range and is left out


def test_drums_strike_drum_pitches_wherever_they_sit() -> None:
    window = drawn(noise(), 3)
    is_note = window.tokens[:, SLOT] < REST_SLOT
    kinds = window.kind[window.tokens[is_note, SLOT] % GIVEN_SLOT]
    assert np.array_equal(window.tokens[is_note, PITCH] >= DRUM_PITCH, kinds == 0)


def test_withholding_blanks_values_and_changes_none() -> None:
    table = np.full((MAX_PARTS, len(HEADER_SIZES)), 3)
    header = Header(table, np.ones(MAX_PARTS, dtype=bool), np.array([2, 5]))
    kept = [withhold(header, np.random.default_rng(seed)) for seed in range(300)]
    parts = np.stack([told.parts for told in kept])
    assert set(np.unique(parts).tolist()) == {0, 3}
    assert 0.85 < (parts[..., 0] > 0).mean() < 0.95
    assert 0.5 < (parts[..., 1:] > 0).mean() < 0.7
    assert {tuple(told.whole.tolist()) for told in kept} == {(0, 0), (2, 0), (0, 5), (2, 5)}


def test_a_cut_is_whole_bars_unless_one_bar_is_more_than_asked() -> None:
    piece = noise(seed=2)
    some = cut(piece, 3, 30)
    assert 0 < len(some) <= 30
    last = some["bar"].max()
    assert len(some) == ((piece.notes["bar"] >= 3) & (piece.notes["bar"] <= last)).sum()
    assert len(cut(piece, 3, 2)) == 2


@pytest.mark.parametrize("seed", range(4))
def test_plain_windows_read_every_note_once_and_in_order(seed: int) -> None:
    piece = noise(seed)
    windows = plain_windows(piece, EVENTS)
    notes = [window.tokens[window.tokens[:, SLOT] < REST_SLOT] for window in windows]
    assert len(windows) > 2
    unique = np.unique(piece.notes[["bar", "position", "part", "pitch"]])
    assert sum(map(len, notes)) == len(unique)
    assert sum(int((window.tokens[:, SLOT] == END_SLOT).sum()) for window in windows) == 1
    assert all(len(window.tokens) <= EVENTS and window.counts.all() for window in windows)


def test_long_silences_take_room_of_a_plain_window() -> None:
    notes = [Note(0, 2, 60, 60, 80), Note(40 * WHOLE, 2, 62, 60, 80), Note(80 * WHOLE, 2, 62, 60, 80)]
    windows = plain_windows(piece_of(Score.build(BAND, notes), "sparse"), EVENTS)
    assert sum(int((window.tokens[:, SLOT] == 2).sum()) for window in windows) == 3


def test_a_piece_of_a_single_note_is_a_window() -> None:
    piece = piece_of(Score.build([Part()], [Note(PPQ, 0, 60, 60, 80)]), "short")
    assert drawn(piece, 0).tokens[:, SLOT].tolist()[-1] == END_SLOT
    assert len(plain_windows(piece, EVENTS)) == 1
