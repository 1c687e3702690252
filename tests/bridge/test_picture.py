from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.image import imread

from bridge.picture import COLOURS, draw_pianoroll, part_colour, part_name
from models.music.midi_file import read_score
from models.music.score import Note, Part, Score


def pixels_like(image: np.ndarray, colour: str) -> np.ndarray:
    """Where the picture shows a colour, more or less."""
    return np.abs(image[:, :, :3] - np.array(to_rgb(colour))).max(axis=2) < 0.12


def test_the_continuation_stands_out_and_the_prompt_stands_back(tmp_path: Path) -> None:
    notes = [Note(0, 0, 60, 1920, 127), Note(1920, 0, 60, 1920, 127)]
    draw_pianoroll(Score.build([Part()], notes), tmp_path / "roll.png", boundary_tick=1920)
    bright = pixels_like(imread(tmp_path / "roll.png"), part_colour(0))
    middle = bright.shape[1] // 2
    assert bright[200:, middle + 50 :].sum() > 20 * max(1, bright[200:, : middle - 50].sum())


@pytest.mark.parametrize("name", ["pop", "waltz"])
def test_the_shipped_clips_show_every_part_in_its_colour(tmp_path: Path, name: str) -> None:
    score = read_score((files("bridge") / "clips" / f"{name}.mid").read_bytes())
    draw_pianoroll(score, tmp_path / "roll.png")
    image = imread(tmp_path / "roll.png")
    assert image.shape[1] == 1800
    for index in range(len(score.parts)):
        assert pixels_like(image[200:], part_colour(index)).any()


@pytest.mark.parametrize(
    "score",
    [
        Score.build([], []),
        Score.build([Part()], []),
        Score.build([Part(is_drum=True)], [Note(0, 0, 127, 1, 1)]),
        Score.build([Part()] * 16, [Note(0, part, part * 8, 10, 1) for part in range(16)]),
    ],
)
def test_odd_scores_are_drawn_too(tmp_path: Path, score: Score) -> None:
    draw_pianoroll(score, tmp_path / "roll.png", boundary_tick=0)
    assert imread(tmp_path / "roll.png").size


def test_a_part_without_a_name_is_called_by_what_it_is() -> None:
    assert part_name(Part(name="Lead"), 0) == "Lead"
    assert part_name(Part(is_drum=True), 0) == "Drums"
    assert part_name(Part(), 2) == "Part 3"


def test_colours_come_round_again() -> None:
    assert part_colour(len(COLOURS)) == part_colour(0)
