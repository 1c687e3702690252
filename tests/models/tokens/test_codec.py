"""Notes to events and back, up to what the grid must lose."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.music.constants import PPQ
from models.music.score import Meter, Note, Part
from models.tokens.codec import Cast, Events, detokenize, grid_loss, place_notes, tokenize
from models.tokens.grid import Grid
from models.tokens.vocabulary import (
    DBAR,
    DRUM_PITCH,
    DURATIONS,
    END_SLOT,
    FIELDS,
    GIVEN_SLOT,
    PITCH,
    POSITION,
    REST_SLOT,
    SLOT,
    TICKS_PER_GRID,
    bin_to_velocity,
    velocity_to_bin,
)

WHOLE = 4 * PPQ
PARTS = (Part(is_drum=True), Part(program=33), Part(program=0), Part())
COMMON = (Meter(0, 4, 4),)
METERS = st.sampled_from(
    [COMMON, (Meter(0, 3, 4), Meter(4320, 7, 8)), (Meter(0, 9, 4),), (Meter(0, 4, 4), Meter(1000, 5, 16))]
)
NOTES = st.lists(
    st.builds(
        Note,
        onset_tick=st.integers(0, 20_000),
        part=st.integers(0, 3),
        pitch=st.integers(0, 127),
        duration_ticks=st.integers(1, 12_000),
        velocity=st.integers(1, 127),
    ),
    max_size=40,
)


def events_of(
    notes: Sequence[Note],
    meters: Sequence[Meter] = COMMON,
    given: frozenset[int] = frozenset(),
    first_bar: int = 0,
    last_bar: int | None = None,
    ended: bool = False,
) -> Events:
    """Tokenize notes of `PARTS`."""
    grid = Grid(meters)
    placed = place_notes(notes, grid)
    end = int(placed["bar"].max(initial=0)) + 1 if last_bar is None else last_bar
    starts = grid.starts(grid.bar_to_tick(max(end, int(placed["bar"].max(initial=0))) + 2))
    return tokenize(placed, Cast.of(PARTS, given), starts, first_bar, end, ended)


def on_grid(note: Note, grid: Grid) -> Note:
    """The note the grid can hold in place of this one, found the slow way."""
    bars, positions = grid.place(np.array([note.onset_tick]))
    onset_tick = grid.place_to_tick(int(bars[0]), int(positions[0]))
    length = min(DURATIONS, key=lambda ticks: (abs(ticks - round(note.duration_ticks / TICKS_PER_GRID)), ticks))
    velocity = bin_to_velocity(velocity_to_bin(note.velocity))
    return Note(onset_tick, note.part, note.pitch, length * TICKS_PER_GRID, velocity)


@settings(max_examples=40, deadline=None)
@given(NOTES, METERS, st.sets(st.integers(0, 3)))
def test_notes_come_back_as_the_grid_holds_them(notes: list[Note], meters: tuple[Meter, ...], given: set[int]) -> None:
    grid = Grid(meters)
    events = events_of(notes, meters, frozenset(given))
    first = int(events.bar[0]) - int(events.tokens[0, DBAR]) + 1
    back = detokenize(events.tokens, range(len(PARTS)), grid, first)
    kept = {}
    for note in notes:
        held = on_grid(note, grid)
        kept.setdefault((held.onset_tick, held.part, held.pitch), held)
    assert sorted(back) == sorted(kept.values())


@settings(max_examples=40, deadline=None)
@given(NOTES, METERS)
def test_the_loss_is_told_exactly(notes: list[Note], meters: tuple[Meter, ...]) -> None:
    grid = Grid(meters)
    loss = grid_loss(notes, place_notes(notes, grid), grid)
    held = [on_grid(note, grid) for note in notes]
    pairs = list(zip(notes, held, strict=True))
    assert loss.notes == len(notes)
    assert loss.merged_notes == len(notes) - len({(h.onset_tick, h.part, h.pitch) for h in held})
    assert loss.onset_error_ticks == sum(abs(n.onset_tick - h.onset_tick) for n, h in pairs)
    assert loss.duration_error_ticks == sum(abs(n.duration_ticks - h.duration_ticks) for n, h in pairs)
    assert loss.velocity_error == sum(abs(n.velocity - h.velocity) for n, h in pairs)


@settings(max_examples=40, deadline=None)
@given(NOTES, METERS, st.sets(st.integers(0, 3)))
def test_events_are_in_order_and_no_bar_is_skipped(
    notes: list[Note], meters: tuple[Meter, ...], given: set[int]
) -> None:
    events = events_of(notes, meters, frozenset(given))
    keys = list(zip(events.bar.tolist(), events.tokens[:, POSITION].tolist(), strict=True))
    assert keys == sorted(keys)
    assert set(events.tokens[1:, DBAR].tolist()) <= {0, 1}
    assert np.array_equal(np.cumsum(events.tokens[:, DBAR]) - 1, events.bar)
    assert events.tokens.shape == (len(events), len(FIELDS))


def test_notes_of_one_onset_are_sorted_by_kind_then_pitch_then_slot() -> None:
    notes = [Note(0, 3, 60, 120, 80), Note(0, 2, 60, 120, 80), Note(0, 2, 48, 120, 80), Note(0, 1, 70, 120, 80)]
    events = events_of([*notes, Note(0, 0, 90, 120, 80)])
    assert events.tokens[:, [SLOT, PITCH]].tolist() == [[0, 90 + DRUM_PITCH], [1, 70], [2, 48], [2, 60], [3, 60]]


def test_an_empty_bar_is_one_rest_each() -> None:
    events = events_of([Note(0, 2, 60, 480, 80), Note(3 * WHOLE + PPQ, 2, 62, 480, 80)])
    assert events.tokens[:, :3].tolist() == [[1, 0, 2], [1, 0, REST_SLOT], [1, 0, REST_SLOT], [1, 24, 2]]


def test_nothing_is_only_rests() -> None:
    events = events_of([], last_bar=3, ended=True)
    assert events.tokens[:, SLOT].tolist() == [REST_SLOT] * 3 + [END_SLOT]
    assert events.tokens[:, DBAR].tolist() == [1, 1, 1, 1]


def test_the_end_stands_on_the_bar_line_after_the_last_bar() -> None:
    events = events_of([Note(PPQ, 2, 60, 480, 80)], ended=True)
    assert events.tokens[-1].tolist() == [1, 0, END_SLOT, 0, 0, 0]
    assert events.place[-1].tolist() == [96.0, 1.0]


def test_a_given_note_stands_one_bar_early_and_keeps_its_true_place() -> None:
    events = events_of([Note(0, 2, 60, 480, 80), Note(WHOLE + PPQ, 1, 40, 480, 80)], given=frozenset({1}))
    assert events.tokens[:, [DBAR, POSITION, SLOT]].tolist() == [[1, 0, 2], [0, 24, 1 + GIVEN_SLOT], [1, 0, REST_SLOT]]
    assert events.bar.tolist() == [0, 0, 1]
    assert events.place[1].tolist() == [96.0 + 24, 1.25]


def test_given_notes_of_the_first_bar_stand_before_it() -> None:
    events = events_of([Note(0, 1, 40, 480, 80), Note(PPQ, 2, 60, 480, 80)], given=frozenset({1}))
    assert events.bar.tolist() == [-1, 0]
    assert events.tokens[:, DBAR].tolist() == [0, 1]


def test_a_given_note_comes_before_what_sounds_at_its_stand() -> None:
    events = events_of([Note(0, 0, 36, 60, 80), Note(WHOLE, 2, 60, 60, 80)], given=frozenset({2}))
    assert events.tokens[:2, SLOT].tolist() == [2 + GIVEN_SLOT, 0]


def test_a_bar_with_nothing_but_a_given_note_told_in_it_has_no_rest() -> None:
    events = events_of([Note(2 * WHOLE, 1, 40, 480, 80), Note(0, 2, 60, 60, 80)], given=frozenset({1}))
    assert events.tokens[:, SLOT].tolist() == [2, 1 + GIVEN_SLOT, REST_SLOT]


def test_doubled_notes_are_merged_into_the_first_that_came() -> None:
    notes = [Note(0, 2, 60, 480, 80), Note(5, 2, 60, 120, 30), Note(0, 3, 60, 120, 30)]
    events = events_of(notes)
    assert events.tokens[:, SLOT].tolist() == [2, 3]
    assert DURATIONS[events.tokens[0, 4]] == 24
    grid = Grid(COMMON)
    assert grid_loss(notes, place_notes(notes, grid), grid).merged_notes == 1


def test_a_note_just_before_the_bar_line_belongs_to_the_next_bar() -> None:
    events = events_of([Note(0, 2, 60, 480, 80), Note(WHOLE - 4, 2, 62, 480, 80)])
    assert events.bar.tolist() == [0, 1]
    assert events.tokens[1, POSITION] == 0


def test_a_meter_change_moves_the_bars_and_stretches_the_bar_clock() -> None:
    meters = (Meter(0, 4, 4), Meter(WHOLE, 3, 4))
    events = events_of(
        [Note(0, 2, 60, 60, 80), Note(WHOLE + PPQ, 2, 62, 60, 80), Note(WHOLE + 3 * PPQ, 2, 64, 60, 80)], meters
    )
    assert events.bar.tolist() == [0, 1, 2]
    assert events.place[1].tolist() == pytest.approx([120.0, 1 + 1 / 3])


def test_a_long_bar_is_read_in_pieces() -> None:
    events = events_of([Note(8 * PPQ + 20, 2, 60, 60, 80)], (Meter(0, 9, 4),))
    assert events.tokens[:, :3].tolist() == [[1, 0, REST_SLOT], [1, 0, REST_SLOT], [1, 1, 2]]


@settings(max_examples=40, deadline=None)
@given(NOTES, st.integers(0, 5), st.integers(1, 6))
def test_a_stretch_holds_its_bars_and_no_others(notes: list[Note], first_bar: int, bars: int) -> None:
    events = events_of(notes, first_bar=first_bar, last_bar=first_bar + bars)
    whole = events_of(notes, last_bar=max(13, first_bar + bars))
    inside = (whole.bar >= first_bar) & (whole.bar < first_bar + bars)
    assert np.array_equal(events.tokens[:, 1:], whole.tokens[inside][:, 1:])
    assert events.tokens[0, DBAR] == 1
