from __future__ import annotations

import io

from rich.console import Console

from bridge.terminal_roll import LABEL_COLUMNS, LiveRoll, RollImage, Window
from models.music.score import Meter, Note, Part

BAR = 1920
PARTS = (Part(is_drum=True), Part(name="Bass"))


def window(first: int = 0, boundary: int = 1, end: int = 3) -> Window:
    return Window((Meter(0, 4, 4),), first, boundary, end)


def drawn(notes: list[Note], shown: Window, columns: int = 200, playhead: int | None = None) -> list[str]:
    console = Console(file=io.StringIO(), width=240, record=True)
    console.print(RollImage(PARTS, shown, columns).draw(notes, playhead))
    return [line[LABEL_COLUMNS + 1 :] for line in console.export_text().splitlines()]


def test_a_note_fills_its_columns_and_no_other() -> None:
    lines = drawn([Note(BAR, 1, 40, 480, 90)], window())
    filled = {column for line in lines[1:] for column, letter in enumerate(line) if letter in "█▀▄"}
    assert filled == set(range(16, 20))


def test_higher_notes_stand_higher() -> None:
    lines = drawn([Note(0, 1, 40, 120, 90), Note(120, 1, 52, 120, 90)], window())
    rows = {column: row for row, line in enumerate(lines[1:]) for column, letter in enumerate(line) if letter in "▀▄█"}
    assert rows[1] < rows[0]


def test_bars_are_numbered_from_one_at_their_lines() -> None:
    ruler = drawn([], window(first=4, boundary=5, end=7))[0]
    assert ruler[0] == "5"
    assert ruler[16] == "6"
    assert ruler[32] == "7"


def test_notes_before_the_window_are_left_out() -> None:
    early = Note(0, 1, 40, 240, 90)
    assert drawn([early], window(first=4, boundary=5, end=7)) == drawn([], window(first=4, boundary=5, end=7))


def test_a_narrow_terminal_gets_coarser_columns() -> None:
    assert RollImage(PARTS, window(end=64), 80).columns <= 80


def test_every_width_and_playhead_can_be_drawn() -> None:
    for columns in (1, 16, 17, 80):
        for playhead in (None, -100, 0, 3 * BAR, 99 * BAR):
            assert drawn([Note(0, 0, 36, 1, 1), Note(3 * BAR - 1, 1, 1, 9999, 1)], window(), columns, playhead)


def test_without_a_terminal_each_bar_is_one_line_once_it_is_complete() -> None:
    console = Console(file=io.StringIO(), width=100)
    roll = LiveRoll(console, PARTS, window())
    notes = [Note(BAR, 0, 36, 120, 90), Note(BAR, 1, 40, 120, 90), Note(BAR + 480, 0, 38, 120, 90)]
    roll.start()
    roll.show(notes, None, BAR + 480)
    roll.show(notes, None, 2 * BAR)
    roll.show(notes, None, 3 * BAR)
    roll.stop()
    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue().splitlines() == ["bar 2: Drums 2, Bass 1 notes", "bar 3: Drums 0, Bass 0 notes"]


def test_on_a_terminal_the_picture_is_redrawn_in_place() -> None:
    console = Console(file=io.StringIO(), width=100, force_terminal=True)
    roll = LiveRoll(console, PARTS, window())
    roll.start()
    roll.show([Note(BAR, 0, 36, 120, 90)], BAR, 2 * BAR)
    roll.stop()
    roll.stop()
    assert isinstance(console.file, io.StringIO)
    assert "Drums" in console.file.getvalue()
