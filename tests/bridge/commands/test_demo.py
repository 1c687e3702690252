from __future__ import annotations

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from rich.console import Console

from bridge import demo as demo_module
from bridge.commands.demo import CLIPS, demo, find_clip
from bridge.demo import DemoOrder
from models.music.midi_file import read_score
from models.music.seam import prompt_end_tick
from models.music.timebase import MeterMap

REPORT: dict[str, object] = {
    "notes": 7,
    "bars": 2,
    "seed": 3,
    "latency": {"first_note_ms": 12.5},
    "files": {"midi": "out/continuation.mid"},
}


@pytest.fixture
def orders(monkeypatch: pytest.MonkeyPatch) -> list[DemoOrder]:
    """What the demo was asked to play."""
    asked: list[DemoOrder] = []

    def play(order: DemoOrder, console: Console) -> dict[str, object]:
        asked.append(order)
        console.print("the roll")
        return REPORT

    monkeypatch.setattr(demo_module, "run_demo", play)
    return asked


@pytest.mark.parametrize("name", CLIPS)
def test_a_shipped_clip_is_eight_bars_of_four_parts_with_drums(name: str) -> None:
    score = read_score(find_clip(name))
    bars = MeterMap(score.meters).tick_to_bar(prompt_end_tick(score))
    assert bars == (8, 0)
    assert len(score.parts) == 4
    assert sum(part.is_drum for part in score.parts) == 1
    assert all(part.name and part.program is not None for part in score.parts)
    assert find_clip(name).stat().st_size < 4096


def test_one_clip_is_in_four_and_one_in_three() -> None:
    assert [read_score(find_clip(name)).meters[0].numerator for name in CLIPS] == [4, 3]


def test_a_file_of_ones_own_is_a_clip_too(tmp_path: Path) -> None:
    path = tmp_path / "mine.mid"
    path.write_bytes(find_clip("pop").read_bytes())
    assert find_clip(str(path)) == path


def test_what_is_no_clip_is_refused() -> None:
    with pytest.raises(click.BadParameter, match="neither pop nor waltz nor a file"):
        find_clip("nothing.mid")


def test_the_options_reach_the_demo_and_the_daemon(orders: list[DemoOrder], tmp_path: Path) -> None:
    arguments = ["--clip", "waltz", "--bars", "2", "--seed", "3", "--out", str(tmp_path), "--midi", "none"]
    result = CliRunner().invoke(demo, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    (order,) = orders
    assert (order.clip_name, order.bars, order.seed, order.out_dir) == ("waltz", 2, 3, tmp_path)
    assert list(order.serve_arguments) == ["--model", "flagship", "--device", "auto", "--midi", "none"]
    assert "first_note_ms 12.5" in result.stdout
    assert "out/continuation.mid" in result.stdout


def test_json_is_alone_on_stdout(orders: list[DemoOrder]) -> None:
    result = CliRunner().invoke(demo, ["--json"], catch_exceptions=False)
    assert json.loads(result.stdout) == REPORT
    assert "the roll" in result.stderr
