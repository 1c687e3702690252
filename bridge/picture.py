"""Draws a score as a piano roll in a PNG: drums below, pitches above, the continuation apart from the prompt."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from models.music.score import Note, Part, Score
from models.music.timebase import MeterMap

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BACKGROUND, PANEL, INK, FAINT, BLACK_KEY = "#16181d", "#1d2027", "#d7dae0", "#7d8491", "#191b21"
# Okabe and Ito's palette, lightened for a dark ground: tellable apart by colour-blind eyes too.
COLOURS = ("#56b4e9", "#e69f00", "#2fbf8f", "#cc79a7", "#f0e442", "#f0764b", "#8f9bff", "#b8c4ce")
BLACK_KEYS = frozenset({1, 3, 6, 8, 10})
DRUM_NAMES = {
    35: "Kick", 36: "Kick", 37: "Rim", 38: "Snare", 39: "Clap", 40: "Snare 2", 41: "Floor tom 2", 42: "Closed hat",
    43: "Floor tom", 44: "Foot hat", 45: "Low tom", 46: "Open hat", 47: "Mid tom", 48: "High tom", 49: "Crash",
    50: "High tom", 51: "Ride", 52: "China", 53: "Ride bell", 54: "Tambourine", 55: "Splash", 56: "Cowbell",
    57: "Crash 2", 59: "Ride 2", 60: "Bongo", 61: "Bongo low", 62: "Conga", 63: "Conga open", 64: "Conga low",
    69: "Cabasa", 70: "Maracas", 75: "Claves", 76: "Woodblock", 80: "Triangle", 81: "Triangle", 82: "Shaker",
}  # fmt: skip
LOWEST_SPAN = 24  # pitches shown at least, so that a bass line alone does not fill the page


@dataclass(frozen=True, slots=True)
class Row:
    """One rectangle's place: left edge and length in ticks, vertical centre, colour and how strongly it shows."""

    onset_tick: int
    duration_ticks: int
    height: float
    colour: str
    strength: float


def part_colour(index: int) -> str:
    """The colour of a part, the same everywhere it is shown."""
    return COLOURS[index % len(COLOURS)]


def draw_pianoroll(score: Score, path: Path, boundary_tick: int | None = None, title: str = "") -> None:
    """Write a PNG 1800 pixels wide; left of `boundary_tick` is the prompt, right of it the continuation.

    Raises:
        OSError: the path cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    melodic = [note for note in score.notes if not score.parts[note.part].is_drum]
    drums = [note for note in score.notes if score.parts[note.part].is_drum]
    drum_keys = sorted({note.pitch for note in drums})
    heights = [max(1.0, 0.19 * len(drum_keys))] if drums else []
    figure = Figure(figsize=(12, 6 + sum(heights)), dpi=150, facecolor=BACKGROUND)
    FigureCanvasAgg(figure)
    panels = figure.subplots(1 + len(heights), 1, sharex=True, squeeze=False, height_ratios=[5.2, *heights])[:, 0]
    _draw_pitches(panels[0], melodic, score, boundary_tick)
    if drums:
        _draw_drums(panels[1], drums, drum_keys, score, boundary_tick)
    for panel in panels:
        _draw_bars(panel, score, boundary_tick)
    _label_bars(panels[-1], score)
    _draw_heading(panels[0], score, boundary_tick, title)
    figure.subplots_adjust(left=0.075, right=0.985, top=0.89, bottom=0.075, hspace=0.05)
    figure.savefig(path, facecolor=BACKGROUND)


def _row(note: Note, height: float, boundary_tick: int | None) -> Row:
    is_prompt = boundary_tick is not None and note.onset_tick < boundary_tick
    strength = (0.30 if is_prompt else 0.62) + 0.38 * note.velocity / 127.0 * (0.6 if is_prompt else 1.0)
    return Row(note.onset_tick, note.duration_ticks, height, part_colour(note.part), strength)


def _draw_rows(panel: Axes, rows: list[Row], thickness: float) -> None:
    from matplotlib.collections import PatchCollection
    from matplotlib.colors import to_rgba
    from matplotlib.patches import Rectangle

    boxes = [Rectangle((row.onset_tick, row.height - thickness / 2), row.duration_ticks, thickness) for row in rows]
    colours = [to_rgba(row.colour, row.strength) for row in rows]
    panel.add_collection(PatchCollection(boxes, facecolors=colours, edgecolors=BACKGROUND, linewidths=0.5, zorder=3))


def _draw_pitches(panel: Axes, notes: list[Note], score: Score, boundary_tick: int | None) -> None:
    pitches = [note.pitch for note in notes] or [60]
    low, high = min(pitches) - 2, max(pitches) + 2
    missing = max(0, LOWEST_SPAN - (high - low))
    low, high = low - missing // 2, high + (missing + 1) // 2
    panel.set_ylim(low - 0.5, high + 0.5)
    for pitch in range(low, high + 1):
        if pitch % 12 in BLACK_KEYS:
            panel.axhspan(pitch - 0.5, pitch + 0.5, color=BLACK_KEY, linewidth=0, zorder=1)
        elif pitch % 12 == 0:
            panel.axhline(pitch - 0.5, color=FAINT, linewidth=0.4, alpha=0.5, zorder=2)
    octaves = [pitch for pitch in range(low, high + 1) if pitch % 12 == 0]
    panel.set_yticks(octaves, [f"C{pitch // 12 - 2}" for pitch in octaves])
    _draw_rows(panel, [_row(note, note.pitch, boundary_tick) for note in notes], 0.86)


def _draw_drums(panel: Axes, notes: list[Note], keys: list[int], score: Score, boundary_tick: int | None) -> None:
    lanes = {key: lane for lane, key in enumerate(keys)}
    panel.set_ylim(-0.6, len(keys) - 0.4)
    panel.set_yticks(range(len(keys)), [DRUM_NAMES.get(key, str(key)) for key in keys])
    tap_ticks = max(60, _end_tick(score) // 300)  # drums have an onset and no length worth showing
    rows = [_row(note, lanes[note.pitch], boundary_tick) for note in notes]
    _draw_rows(panel, [Row(row.onset_tick, tap_ticks, row.height, row.colour, row.strength) for row in rows], 0.7)


def _end_tick(score: Score) -> int:
    """Where the picture ends at the earliest; notes may ring past it."""
    return max([score.length_ticks, *(note.onset_tick + 1 for note in score.notes), 1])


def _bar_lines(score: Score) -> list[int]:
    meter_map = MeterMap(score.meters)
    last_bar = meter_map.tick_to_bar(meter_map.next_bar_line(_end_tick(score)))[0]
    return [meter_map.bar_to_tick(bar) for bar in range(last_bar + 1)]


def _draw_bars(panel: Axes, score: Score, boundary_tick: int | None) -> None:
    lines = _bar_lines(score)
    panel.set_facecolor(PANEL)
    panel.set_xlim(lines[0], lines[-1])
    panel.tick_params(colors=FAINT, labelsize=8, length=0)
    for side in panel.spines.values():
        side.set_visible(False)
    for line in lines:
        panel.axvline(line, color=FAINT, linewidth=0.5, alpha=0.35, zorder=2)
    if boundary_tick is not None:
        panel.axvspan(lines[0], boundary_tick, color=BACKGROUND, alpha=0.35, linewidth=0, zorder=0.5)
        panel.axvline(boundary_tick, color=INK, linewidth=1.4, zorder=4)


def _label_bars(panel: Axes, score: Score) -> None:
    lines = _bar_lines(score)
    step = max(1, len(lines) // 24)
    shown = range(0, len(lines) - 1, step)
    panel.set_xticks([lines[bar] for bar in shown], [str(bar + 1) for bar in shown])
    panel.set_xlabel("bar", color=FAINT, fontsize=8)


def _draw_heading(panel: Axes, score: Score, boundary_tick: int | None, title: str) -> None:
    """Title, legend of parts, and the two words beside the boundary."""
    from matplotlib.patches import Patch

    panel.set_title(title or "Continuo", loc="left", color=INK, fontsize=13, fontweight="bold", pad=26)
    handles = [Patch(color=part_colour(index), label=part_name(part, index)) for index, part in enumerate(score.parts)]
    legend = panel.legend(
        handles=handles, loc="lower right", bbox_to_anchor=(1.0, 1.06), ncols=min(8, max(1, len(handles))),
        frameon=False, fontsize=9, handlelength=1.0, handleheight=1.0, columnspacing=1.4, borderaxespad=0,
    )  # fmt: skip
    for text in legend.get_texts():
        text.set_color(INK)
    if boundary_tick is not None:
        place = panel.get_xaxis_transform()
        panel.text(boundary_tick, 1.015, "prompt  ", transform=place, color=FAINT, fontsize=9, ha="right", va="bottom")
        panel.text(
            boundary_tick, 1.015, "  continuation", transform=place, color=INK, fontsize=9, ha="left", va="bottom"
        )


def part_name(part: Part, index: int) -> str:
    """What to call a part on a screen; parts without a name are numbered from 1."""
    return part.name or ("Drums" if part.is_drum else f"Part {index + 1}")
