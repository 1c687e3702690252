"""What of the past is looked at, and what is not read twice."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from models.generator import Context
from models.music.constants import PPQ
from models.music.score import Meter, Note, Part
from models.zoo.flagship.history import Event
from models.zoo.flagship.piece import Piece
from models.zoo.flagship.reader import CONTEXT_BARS, PIECE_EVENTS, Reader, window_start
from models.zoo.flagship.stepper import Stepper
from tests.models.tiny import tiny_network

WHOLE = 4 * PPQ


def events_in(counts: list[int]) -> list[Event]:
    """Events by how many each bar holds."""
    return [Event((1, at, 0, 60, 0, 0), bar, (0.0, 0.0)) for bar, count in enumerate(counts) for at in range(count)]


def piece_of(bars: int, per_bar: int, last_pitch: int = 60) -> Piece:
    """One part playing steadily, and one note that may differ at the end."""
    ticks = [bar * WHOLE + at * 20 for bar in range(bars) for at in range(per_bar)]
    notes = [Note(tick, 0, 60, 60, 80) for tick in ticks]
    notes[-1] = Note(ticks[-1], 0, last_pitch, 60, 80)
    return Piece.of(Context((Part(program=0),), tuple(notes), bars * WHOLE, (Meter(0, 4, 4),), 120.0))


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """How many events each call of the stepper read."""
    counts: list[int] = []
    plain = Stepper.read

    def read(self: Stepper, *arrays: object) -> None:
        counts.append(len(arrays[0]))  # type: ignore[arg-type]
        plain(self, *arrays)  # type: ignore[arg-type]

    monkeypatch.setattr(Stepper, "read", read)
    yield counts


def prefill(reader: Reader, piece: Piece) -> list[int]:
    """Read a piece."""
    return list(reader.read(piece.history(), piece.header(1.0), piece.grid))


def test_a_short_past_is_looked_at_whole() -> None:
    assert window_start([], 1024) == 0
    assert window_start(events_in([8] * 12), 1024) == 0


def test_a_long_past_is_looked_at_from_a_phrase_on() -> None:
    events = events_in([2] * 50)
    start = window_start(events, 1024)
    assert events[start].bar == 20
    assert 50 - events[start].bar <= CONTEXT_BARS


def test_a_dense_past_leaves_room_to_go_on() -> None:
    for bars in range(10, 30):
        events = events_in([30] * bars)
        start = window_start(events, 256)
        assert len(events) - start <= 192
        assert events[start].bar != events[start - 1].bar, "a window starts with its bar"


def test_one_bar_that_is_too_much_is_cut() -> None:
    events = events_in([3, 600])
    assert len(events) - window_start(events, 256) == 128


def test_the_past_is_read_in_pieces_and_progress_told_after_each(reads: list[int]) -> None:
    progress = prefill(Reader(tiny_network(1024)), piece_of(10, 30))
    assert reads == [PIECE_EVENTS, PIECE_EVENTS, 300 - 2 * PIECE_EVENTS]
    assert progress == [0, PIECE_EVENTS, 2 * PIECE_EVENTS, 300]


def test_whole_pieces_that_are_held_are_not_read_again(reads: list[int]) -> None:
    reader = Reader(tiny_network(1024))
    prefill(reader, piece_of(10, 30))
    reads.clear()
    prefill(reader, piece_of(10, 30))
    assert reads == [300 - 2 * PIECE_EVENTS]


def test_the_last_piece_is_read_again_even_when_it_is_whole(reads: list[int]) -> None:
    """It leaves the stepper where the past ends."""
    reader = Reader(tiny_network(1024))
    piece = piece_of(8, 32)
    prefill(reader, piece)
    state = reader.stepper.state
    reads.clear()
    prefill(reader, piece)
    assert reads == [PIECE_EVENTS]
    assert torch.equal(reader.stepper.state, state)


def test_a_change_near_the_end_is_read_from_its_piece_on(reads: list[int]) -> None:
    reader = Reader(tiny_network(1024))
    header = piece_of(10, 30).header(1.0)
    prefill(reader, piece_of(10, 30))
    reads.clear()
    changed = piece_of(10, 30, last_pitch=61)
    list(reader.read(changed.history(), header, changed.grid))
    assert reads == [300 - 2 * PIECE_EVENTS]


def test_another_header_is_another_past(reads: list[int]) -> None:
    reader = Reader(tiny_network(1024))
    piece = piece_of(10, 30)
    prefill(reader, piece)
    reads.clear()
    list(reader.read(piece.history(), piece.header(0.1), piece.grid))
    assert sum(reads) == 300


def test_a_reading_that_was_abandoned_is_not_ready_and_its_pieces_are_kept(reads: list[int]) -> None:
    reader = Reader(tiny_network(1024))
    piece = piece_of(10, 30)
    reading = reader.read(piece.history(), piece.header(1.0), piece.grid)
    assert [next(reading), next(reading)] == [0, PIECE_EVENTS]
    assert not reader.is_ready
    prefill(reader, piece)
    assert reader.is_ready
    assert sum(reads) == 300


def test_a_reset_holds_nothing(reads: list[int]) -> None:
    reader = Reader(tiny_network(1024))
    prefill(reader, piece_of(10, 30))
    reader.reset()
    assert not reader.is_ready
    reads.clear()
    prefill(reader, piece_of(10, 30))
    assert sum(reads) == 300
