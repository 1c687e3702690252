"""The flagship's vocabulary: one event is six small numbers. Tables and pure look-ups, no music and no torch.

An event is (dbar, position, slot, pitch, duration, velocity), predicted in that order (note compound tokens, as in
Dong et al., Multitrack Music Transformer, 2023, and Ryu et al., Nested Music Transformer, 2024). Values:

- dbar: bars since the event before, 0-3 as they are, 4 = four bars (longer silences are rests).
- position: grid ticks since the bar line, `GRID` to the quarter note.
- slot: which part; the upper half of the slots are the same parts as *given* notes, told one bar ahead.
- pitch: 0-127 melodic, 128-255 drums.
- duration, velocity: bins of the tables below.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left

from models.music.constants import MAX_PARTS, PPQ

GRID = 24  # grid ticks to the quarter note: sixteenths, triplets and their halves
TICKS_PER_GRID = PPQ // GRID

FIELDS = ("dbar", "position", "slot", "pitch", "duration", "velocity")
DBAR, POSITION, SLOT, PITCH, DURATION, VELOCITY = range(len(FIELDS))

MAX_DBAR = 4
POSITIONS = 192  # two bars of 4/4; longer bars are split
SPLIT_BAR = 96  # what a bar longer than `POSITIONS` is cut into

GIVEN_SLOT = MAX_PARTS  # slot + GIVEN_SLOT = the same part, as a note that is given
REST_SLOT = 2 * MAX_PARTS  # an empty bar: dbar 1, position 0
END_SLOT = REST_SLOT + 1  # the piece is over
DRUM_PITCH = 128  # pitch + DRUM_PITCH = the same pitch, on drums

# Whole grid ticks up to a quarter's half, then the lengths notes are written in, up to five bars of 4/4.
DURATIONS = (
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18, 20, 21, 22, 23, 24, 26, 28,
    30, 32, 33, 36, 40, 42, 45, 48, 54, 60, 66, 72, 84, 90, 96, 108, 120, 144, 168, 192, 240, 288, 384, 480,
)  # fmt: skip
VELOCITIES = 32

SIZES = (MAX_DBAR + 1, POSITIONS, END_SLOT + 1, 2 * DRUM_PITCH, len(DURATIONS), VELOCITIES)

# Header: one value a part or a piece, 0 = not told.
UNKNOWN = 0
DRUM_CLASS = 17
CLASSES = 18  # 1-16 = the General MIDI families, in order
BASS_CLASS = 5
DENSITY_EDGES = (0.5, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32)  # notes a bar
REGISTER_EDGES = (31, 37, 43, 49, 55, 61, 67, 73, 79, 85)  # mean pitch
POLYPHONY_EDGES = (1.05, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0)  # mean notes of one onset
TEMPO_EDGES = (50, 60, 70, 80, 90, 100, 110, 120, 130, 140, 150, 160, 180, 200)  # quarter notes a minute
METERS = ((2, 4), (3, 4), (4, 4), (6, 8), (12, 8), (2, 2), (3, 8), (9, 8), (5, 4), (6, 4), (7, 8), (7, 4), (3, 2))

HEADER_FIELDS = ("part_class", "density", "register", "polyphony")
HEADER_SIZES = (CLASSES, len(DENSITY_EDGES) + 2, len(REGISTER_EDGES) + 2, len(POLYPHONY_EDGES) + 2)
METER_SIZE = len(METERS) + 2  # 0 = not told, the last = some other meter
TEMPO_SIZE = len(TEMPO_EDGES) + 2


def duration_to_bin(grid_ticks: int) -> int:
    """The bin nearest to a length in grid ticks; the shorter of two equally near."""
    at = bisect_left(DURATIONS, grid_ticks)
    if at == 0 or (at < len(DURATIONS) and DURATIONS[at] - grid_ticks < grid_ticks - DURATIONS[at - 1]):
        return at
    return at - 1


def velocity_to_bin(velocity: int) -> int:
    """Four neighbouring velocities share a bin."""
    return velocity // 4


def bin_to_velocity(index: int) -> int:
    """The middle of a bin; never 0, which would be a note-off."""
    return max(1, index * 4 + 2)


def edge_bin(value: float, edges: tuple[float, ...]) -> int:
    """1 + the number of edges at or below `value`; 0 stays free for 'not told'."""
    return 1 + sum(edge <= value for edge in edges)


def part_class(is_drum: bool, program: int | None) -> int:
    """The header's class of a part."""
    if is_drum:
        return DRUM_CLASS
    return UNKNOWN if program is None else 1 + program // 8


def meter_value(numerator: int, denominator: int) -> int:
    """The header's meter: 1 + its row in `METERS`, or the last value for any other."""
    try:
        return 1 + METERS.index((numerator, denominator))
    except ValueError:
        return METER_SIZE - 1


def fingerprint() -> str:
    """Sixteen hex digits that change whenever a checkpoint of this vocabulary would mean something else."""
    tables = (
        *(GRID, FIELDS, SIZES, DURATIONS, VELOCITIES, HEADER_SIZES, METERS, DENSITY_EDGES),
        *(REGISTER_EDGES, POLYPHONY_EDGES, TEMPO_EDGES, GIVEN_SLOT, REST_SLOT, END_SLOT),
    )
    return hashlib.sha256(repr(tables).encode()).hexdigest()[:16]
