"""The tables of the vocabulary say what their comments promise."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.music.constants import MAX_PARTS
from models.tokens import vocabulary
from models.tokens.vocabulary import (
    BASS_CLASS,
    CLASSES,
    DENSITY_EDGES,
    DRUM_CLASS,
    DURATIONS,
    END_SLOT,
    GIVEN_SLOT,
    GRID,
    HEADER_SIZES,
    METER_SIZE,
    METERS,
    POLYPHONY_EDGES,
    POSITIONS,
    REGISTER_EDGES,
    REST_SLOT,
    SIZES,
    SPLIT_BAR,
    TEMPO_EDGES,
    TICKS_PER_GRID,
    VELOCITIES,
    bin_to_velocity,
    duration_to_bin,
    edge_bin,
    fingerprint,
    meter_value,
    part_class,
    velocity_to_bin,
)


def test_durations_rise_and_every_one_is_its_own_bin() -> None:
    assert all(shorter < longer for shorter, longer in pairwise(DURATIONS))
    assert [duration_to_bin(length) for length in DURATIONS] == list(range(len(DURATIONS)))


@given(st.integers(0, 2000))
def test_no_duration_is_nearer_than_the_one_of_the_bin(grid_ticks: int) -> None:
    error = abs(DURATIONS[duration_to_bin(grid_ticks)] - grid_ticks)
    assert error == min(abs(length - grid_ticks) for length in DURATIONS)


def test_of_two_equally_near_durations_the_shorter_is_taken() -> None:
    assert DURATIONS[duration_to_bin(17)] == 16
    assert DURATIONS[duration_to_bin(25)] == 24


@given(st.integers(1, 127))
def test_a_velocity_comes_back_within_two_and_never_silent(velocity: int) -> None:
    back = bin_to_velocity(velocity_to_bin(velocity))
    assert 1 <= back <= 127
    assert abs(back - velocity) <= 2
    assert velocity_to_bin(back) == velocity_to_bin(velocity) < VELOCITIES


def test_slots_are_parts_then_given_parts_then_the_marks() -> None:
    assert (GIVEN_SLOT, REST_SLOT, END_SLOT) == (MAX_PARTS, 2 * MAX_PARTS, 2 * MAX_PARTS + 1)
    assert (5, POSITIONS, END_SLOT + 1, 256, len(DURATIONS), VELOCITIES) == SIZES


def test_a_split_bar_fits_the_positions_twice() -> None:
    assert 2 * SPLIT_BAR == POSITIONS
    assert GRID * TICKS_PER_GRID == 480


@pytest.mark.parametrize("edges", [DENSITY_EDGES, REGISTER_EDGES, POLYPHONY_EDGES, TEMPO_EDGES])
def test_edges_rise_and_no_value_falls_on_not_told(edges: tuple[float, ...]) -> None:
    assert list(edges) == sorted(set(edges))
    assert edge_bin(edges[0] - 1, edges) == 1
    assert [edge_bin(edge, edges) for edge in edges] == list(range(2, len(edges) + 2))


def test_header_sizes_hold_every_value_of_their_tables() -> None:
    largest = [CLASSES - 1, *(edge_bin(1e9, e) for e in (DENSITY_EDGES, REGISTER_EDGES, POLYPHONY_EDGES))]
    assert [value + 1 for value in largest] == list(HEADER_SIZES)


def test_a_part_is_drums_or_its_general_midi_family_or_unknown() -> None:
    assert part_class(is_drum=True, program=33) == DRUM_CLASS
    assert part_class(is_drum=False, program=None) == 0
    assert [part_class(is_drum=False, program=program) for program in (0, 7, 8, 127)] == [1, 1, 2, 16]
    assert {part_class(is_drum=False, program=program) for program in range(32, 40)} == {BASS_CLASS}


def test_a_meter_is_its_row_or_the_last_value() -> None:
    assert [meter_value(*meter) for meter in METERS] == list(range(1, len(METERS) + 1))
    assert meter_value(13, 16) == METER_SIZE - 1 == len(METERS) + 1


def test_the_fingerprint_changes_with_the_meaning_and_is_that_of_the_shipped_weights(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = fingerprint()
    assert before == "a48832cfa45ca218"
    monkeypatch.setattr(vocabulary, "DURATIONS", (*DURATIONS[:-1], 481))
    assert fingerprint() != before
