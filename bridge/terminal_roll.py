"""A piano roll in a terminal that grows while notes arrive. It reads no clock and no socket: it is told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from bridge.picture import part_colour, part_name
from models.music.constants import PPQ
from models.music.score import Meter, Note, Part
from models.music.timebase import MeterMap

CELL_TICKS = PPQ // 4  # one column is a 16th note at least
PITCH_ROWS = 4
DRUM_ROWS = 2
LABEL_COLUMNS = 16
EMPTY, UPPER, LOWER, FULL = " ", "▀", "▄", "█"
PLAYHEAD_STYLE, BAR_STYLE = "on grey35", "on grey11"


class Window:
    """The stretch of the piece a roll shows, by its bar lines."""

    def __init__(self, meters: Sequence[Meter], first_bar: int, boundary_bar: int, end_bar: int) -> None:
        """Bars count from 0; the continuation begins at `boundary_bar`."""
        meter_map = MeterMap(meters)
        self.first_bar = first_bar
        self.boundary_bar = boundary_bar
        self.bar_lines = [meter_map.bar_to_tick(bar) for bar in range(first_bar, end_bar + 1)]

    @property
    def start_tick(self) -> int:
        """The first bar line shown."""
        return self.bar_lines[0]

    @property
    def boundary_tick(self) -> int:
        """Where the continuation begins."""
        return self.bar_lines[self.boundary_bar - self.first_bar]

    @property
    def ticks(self) -> int:
        """Length of what is shown."""
        return self.bar_lines[-1] - self.bar_lines[0]


class RollImage:
    """The roll as text: each part a band of rows, two pitches to a row."""

    def __init__(self, parts: Sequence[Part], window: Window, columns: int) -> None:
        """At most `columns` characters wide; a column is a 16th note or a multiple of it."""
        self._parts = parts
        self._window = window
        steps = -(-window.ticks // CELL_TICKS)
        self._cell_ticks = CELL_TICKS * max(1, -(-steps // max(16, columns)))
        self.columns = -(-window.ticks // self._cell_ticks)

    def draw(self, notes: Iterable[Note], playhead_tick: int | None = None) -> Table:
        """The roll with these notes; the column under the playhead is lit."""
        table = Table.grid(padding=(0, 1))
        table.add_column(width=LABEL_COLUMNS, no_wrap=True)
        table.add_column(no_wrap=True)
        by_part: dict[int, list[Note]] = {index: [] for index in range(len(self._parts))}
        for note in notes:
            if note.end_tick > self._window.start_tick:
                by_part[note.part].append(note)
        table.add_row("", self._ruler())
        for index, part in enumerate(self._parts):
            label = Text(part_name(part, index), style=part_colour(index), overflow="ellipsis")
            rows = DRUM_ROWS if part.is_drum else PITCH_ROWS
            table.add_row(label, self._band(by_part[index], rows, part_colour(index), playhead_tick))
        return table

    def _column(self, tick: int) -> int:
        return (tick - self._window.start_tick) // self._cell_ticks

    def _ruler(self) -> Text:
        ruler = [" "] * self.columns
        for bar, tick in enumerate(self._window.bar_lines[:-1], self._window.first_bar):
            at = self._column(tick)
            for offset, letter in enumerate(str(bar + 1)):
                if at + offset < self.columns and (offset > 0 or ruler[at] == " "):
                    ruler[at + offset] = letter
        return Text("".join(ruler), style="grey50")

    def _band(self, notes: list[Note], rows: int, colour: str, playhead_tick: int | None) -> Text:
        """`rows` lines of half blocks; the part's own range of pitches fills them."""
        lit = self._lit(notes, rows * 2)
        bars = {self._column(tick) for tick in self._window.bar_lines}
        boundary = self._column(self._window.boundary_tick)
        playhead = None if playhead_tick is None else self._column(playhead_tick)
        band = Text()
        for row in range(rows):
            for column in range(self.columns):
                upper, lower = (column, 2 * row) in lit, (column, 2 * row + 1) in lit
                block = FULL if upper and lower else UPPER if upper else LOWER if lower else EMPTY
                ground = PLAYHEAD_STYLE if column == playhead else BAR_STYLE if column in bars else ""
                shade = "dim " if column < boundary else ""
                band.append(block, f"{shade}{colour} {ground}".strip())
            band.append("\n")
        return band

    def _lit(self, notes: list[Note], levels: int) -> set[tuple[int, int]]:
        """Cells (column, level from the top) that a note covers."""
        pitches = sorted({note.pitch for note in notes})
        lit = set()
        for note in notes:
            span = max(1, pitches[-1] - pitches[0])
            level = (pitches[-1] - note.pitch) * (levels - 1) // span if len(pitches) > 1 else levels // 2
            first = max(0, self._column(note.onset_tick))
            last = first if self._parts[note.part].is_drum else max(first, self._column(note.end_tick - 1))
            lit |= {(column, level) for column in range(first, min(last, self.columns - 1) + 1)}
        return lit


class LiveRoll:
    """The roll redrawn in place on a terminal; anywhere else one plain line for each bar that is complete."""

    def __init__(self, console: Console, parts: Sequence[Part], window: Window) -> None:
        self._console = console
        self._parts = parts
        self._bars = list(zip(window.bar_lines, window.bar_lines[1:], strict=False))
        self._first_bar = window.first_bar
        self._next = window.boundary_bar - window.first_bar
        self._image = RollImage(parts, window, console.width - LABEL_COLUMNS - 2)
        self._live = Live(console=console, auto_refresh=False, transient=False) if console.is_terminal else None

    def start(self) -> None:
        """Take over the lower part of the terminal."""
        if self._live:
            self._live.start()

    def stop(self) -> None:
        """Leave the last picture standing. Any number of times."""
        if self._live:
            self._live.stop()

    def show(self, notes: Sequence[Note], playhead_tick: int | None, horizon_tick: int) -> None:
        """Show what has come; `horizon_tick`: notes before it are all there."""
        if self._live:
            self._live.update(self._image.draw(notes, playhead_tick), refresh=True)
            return
        while self._next < len(self._bars) and self._bars[self._next][1] <= horizon_tick:
            self._console.print(self._bar_line(notes), highlight=False)
            self._next += 1

    def _bar_line(self, notes: Sequence[Note]) -> str:
        start, end = self._bars[self._next]
        counts = [0] * len(self._parts)
        for note in notes:
            if start <= note.onset_tick < end:
                counts[note.part] += 1
        played = [f"{part_name(part, index)} {counts[index]}" for index, part in enumerate(self._parts)]
        return f"bar {self._first_bar + self._next + 1}: {', '.join(played)} notes"
