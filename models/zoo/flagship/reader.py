"""Keeps the stepper's memory in step with a history. It decides what of the past is looked at, never what comes next.

The past is read in pieces of `PIECE_EVENTS` counted from the window's start, and only whole pieces are ever reused:
what is read again is read in the same pieces as if it were new, so that the same context gives the same bits.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from models.tokens.grid import Grid
from models.tokens.header import Header
from models.tokens.vocabulary import DBAR, TICKS_PER_GRID
from models.zoo.flagship.history import Event, History, Place
from models.zoo.flagship.network import FlagshipNetwork
from models.zoo.flagship.stepper import State, Stepper

PIECE_EVENTS = 128
CONTEXT_BARS = 32
PHRASE_BARS = 4
RESERVE = 4  # a quarter of the room is for what will be made before the past is read again


@dataclass(frozen=True, slots=True)
class Window:
    """What of a history the stepper looks at."""

    header: Header
    start: int
    """Index of the first event."""
    origin: int
    """The bar that bars and places are counted from."""
    offset: Place

    def same_header(self, other: Window) -> bool:
        """Whether both were told the same."""
        mine, theirs = self.header, other.header
        return all(np.array_equal(getattr(mine, name), getattr(theirs, name)) for name in ("parts", "present", "whole"))


@dataclass(frozen=True, slots=True)
class Reading:
    """A stretch that was read at once, and where it left the stepper."""

    window: Window
    end: int
    """Length of the history that was read."""
    state: State


class Reader:
    """One stepper and what it holds."""

    def __init__(self, network: FlagshipNetwork) -> None:
        self.stepper = Stepper(network)
        self._size = network.config.block_size
        self.reset()

    @property
    def window(self) -> Window:
        """What is looked at now."""
        assert self._window is not None, "nothing was read yet"
        return self._window

    @property
    def is_ready(self) -> bool:
        """Whether a reading has come to its end."""
        return bool(self._readings)

    def reset(self) -> None:
        """Hold nothing."""
        self._window: Window | None = None
        self._in_pieces: list[Event] = []
        self._readings: list[Reading] = []

    def read(self, history: History, header: Header, grid: Grid) -> Iterator[int]:
        """Read a history's end; yields how many events are held after each piece."""
        self._readings = []
        yield from self._read(history, self._window_of(history, header, grid), len(history))

    def read_less(self, history: History, header: Header, grid: Grid) -> None:
        """Look at less of the past, to have room again."""
        for _ in self._read(history, self._window_of(history, header, grid), len(history)):
            pass

    def _window_of(self, history: History, header: Header, grid: Grid) -> Window:
        start = window_start(history.events, self._size)
        origin = history.events[start].bar if start else 0
        return Window(header, start, origin, (grid.bar_to_tick(origin) / TICKS_PER_GRID, float(origin)))

    def _read(self, history: History, window: Window, end: int) -> Iterator[int]:
        events = history.events[window.start : end]
        held = self._reusable(window, events)
        if held == 0:
            self.stepper.begin(window.header)
        else:
            self.stepper.rewind(held)
        self._window, self._in_pieces = window, events[:held]
        yield window.start + held
        while held < len(events):
            piece = min(held + PIECE_EVENTS, len(events))
            self._read_stretch(history, window.start + held, window.start + piece)
            if piece == held + PIECE_EVENTS:
                self._in_pieces = events[:piece]
            held = piece
            yield window.start + held
        self._readings.append(Reading(window, end, self.stepper.state))

    def _reusable(self, window: Window, events: list[Event]) -> int:
        """Events of whole pieces that are held already, and not to be read again; never the last piece."""
        old = self._window
        if old is None or (old.start, old.origin, old.offset) != (window.start, window.origin, window.offset):
            return 0
        if not old.same_header(window):
            return 0
        shared = 0
        for mine, theirs in zip(self._in_pieces, events, strict=False):
            if mine != theirs:
                break
            shared += 1
        return min(shared, max(0, len(events) - 1)) // PIECE_EVENTS * PIECE_EVENTS

    def _read_stretch(self, history: History, first: int, last: int) -> None:
        rows, bars, places, hits = history.arrays(first, last)
        if first == self.window.start > 0:
            rows[0, DBAR] = 1
        self.stepper.read(rows, bars - self.window.origin, places - self.window.offset, hits)

    def read_last(self, history: History) -> None:
        """Read the event that was just appended; there must be room."""
        self._read_stretch(history, len(history) - 1, len(history))

    def rewind(self, history: History, header: Header, grid: Grid) -> None:
        """Hold what was held when the history was as short as it is now."""
        end = len(history)
        if end == self.window.start + self.stepper.events:
            return
        is_overwritten = False
        while self._readings and self._readings[-1].end > end:
            self._readings.pop()
            is_overwritten = True
        if not self._readings:
            self.read_less(history, header, grid)
        elif is_overwritten:
            self._read_over(history, self._readings.pop())
        elif end == self._readings[-1].end:
            self.stepper.rewind(end - self.window.start)
            self.stepper.state = self._readings[-1].state
        else:
            self.stepper.rewind(end - self.window.start - 1)
            self.read_last(history)

    def _read_over(self, history: History, reading: Reading) -> None:
        """Read as it was read before something else took the memory: at once, then event by event."""
        for _ in self._read(history, reading.window, reading.end):
            pass
        for at in range(reading.end, len(history)):
            self._read_stretch(history, at, at + 1)


def window_start(events: list[Event], size: int) -> int:
    """First event to look at: at most `CONTEXT_BARS` bars, with room to go on, on a phrase where there is a choice."""
    if not events:
        return 0
    bars = [event.bar for event in events]
    at = bisect_left(bars, bars[-1] + 1 - CONTEXT_BARS)
    if len(events) - at > size - size // RESERVE:
        most = size - 2 * (size // RESERVE)
        while len(events) - at > most:
            after = bisect_left(bars, bars[at] + 1)
            at = after if after < len(events) else len(events) - most
    if at == 0:
        return 0
    phrase = bisect_left(bars, -(-bars[at] // PHRASE_BARS) * PHRASE_BARS)
    return phrase if phrase < len(events) and bars[-1] - bars[phrase] >= PHRASE_BARS else at
