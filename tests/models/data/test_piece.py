"""Scores as training keeps them."""

from __future__ import annotations

import numpy as np
import pytest

from models.data.piece import piece_of
from models.music.constants import PPQ
from models.music.score import Meter, Note, Part, Score, Tempo
from models.tokens.vocabulary import BASS_CLASS, DRUM_CLASS

WHOLE = 4 * PPQ
PARTS = (Part(is_drum=True), Part(program=33))


def test_a_piece_keeps_notes_by_bar_parts_meter_and_tempo() -> None:
    notes = [Note(2 * WHOLE, 1, 40, 480, 90), Note(0, 0, 36, 60, 100)]
    piece = piece_of(Score.build(PARTS, notes, [Tempo(0, 96.0)], [Meter(0, 4, 4), Meter(WHOLE, 2, 4)]), "work")
    assert piece.notes[["bar", "part", "pitch"]].tolist() == [(0, 0, 36), (3, 1, 40)]
    assert (piece.bars, piece.group, piece.meter, piece.bpm) == (4, "work", Meter(0, 4, 4), 96.0)
    assert piece.classes.tolist() == [DRUM_CLASS, BASS_CLASS]
    assert piece.kinds.tolist() == [0, 1]


def test_bar_lines_reach_two_bars_past_the_last_note() -> None:
    piece = piece_of(Score.build(PARTS, [Note(3 * WHOLE + 5, 1, 40, 480, 90)]), "work")
    assert np.array_equal(piece.starts, np.arange(7) * WHOLE)


def test_a_piece_without_notes_is_refused() -> None:
    with pytest.raises(ValueError, match="without notes teaches nothing"):
        piece_of(Score.build(PARTS, []), "work")
