"""What the header tells of a piece."""

from __future__ import annotations

from models.music.constants import PPQ
from models.music.score import Meter, Note, Part
from models.tokens.codec import Cast, place_notes
from models.tokens.grid import Grid
from models.tokens.header import describe, part_classes
from models.tokens.vocabulary import DENSITY_EDGES, DRUM_CLASS, POLYPHONY_EDGES, REGISTER_EDGES, edge_bin

PARTS = (Part(is_drum=True), Part(program=0), Part())
CHORDS = [Note(beat * PPQ, 1, pitch, 120, 80) for beat in range(4) for pitch in (60, 64, 67)]
KICKS = [Note(0, 0, 36, 60, 80), Note(4 * PPQ, 0, 36, 60, 80)]


def described(density: float = 1.0) -> list[list[int]]:
    """The header of two bars: chords in the first, a kick in each, a part that plays nothing."""
    placed = place_notes([*CHORDS, *KICKS], Grid([Meter(0, 4, 4)]))
    header = describe(placed, part_classes(PARTS), Cast.of(PARTS), 2, Meter(0, 4, 4), 120.0, density)
    assert header.present.tolist() == [True] * 3 + [False] * 13
    assert header.whole.tolist() == [3, 9]
    assert not header.parts[3:].any()
    return header.parts[:3].tolist()


def test_parts_are_measured_by_notes_a_bar_mean_pitch_and_notes_an_onset() -> None:
    drums, chords, silent = described()
    assert drums == [
        DRUM_CLASS, edge_bin(1.0, DENSITY_EDGES), edge_bin(36, REGISTER_EDGES), edge_bin(1.0, POLYPHONY_EDGES)
    ]  # fmt: skip
    assert chords == [
        1, edge_bin(6.0, DENSITY_EDGES), edge_bin((60 + 64 + 67) / 3, REGISTER_EDGES), edge_bin(3.0, POLYPHONY_EDGES)
    ]  # fmt: skip
    assert silent == [0, 0, 0, 0]


def test_density_asks_for_more_notes_and_changes_nothing_else() -> None:
    plain, dense = described(), described(density=2.0)
    assert [row[1] for row in dense] == [edge_bin(2.0, DENSITY_EDGES), edge_bin(12.0, DENSITY_EDGES), 0]
    assert [row[2:] for row in dense] == [row[2:] for row in plain]


def test_a_part_is_told_in_its_slot() -> None:
    cast = Cast.of(PARTS)
    moved = Cast(cast.kind, cast.slot + 5, cast.given)
    placed = place_notes(KICKS, Grid([Meter(0, 4, 4)]))
    header = describe(placed, part_classes(PARTS), moved, 2, Meter(0, 4, 4), 120.0)
    assert header.parts[5].tolist()[0] == DRUM_CLASS
    assert header.present.nonzero()[0].tolist() == [5, 6, 7]
