"""`continuo train`: what it hands to the training, what it shows meanwhile, how it fails."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console
from rich.progress import Progress, TextColumn

from bridge.commands import train as module
from bridge.errors import ContinuoError
from models.training.likelihood import Standing


@pytest.fixture(autouse=True)
def keep_logging() -> Iterator[None]:
    """The command sends every log to its own stderr; this brings the old way back."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def standing(step: int, held_out: dict[str, float] | None = None) -> Standing:
    """A run of ten steps, 600 notes each in a tenth of a minute."""
    return Standing(step / 10, step, 600 * step, step / 10, 20.0 - step, held_out or {})


def test_the_bar_tells_speed_since_its_first_look_bits_and_bits_held_out() -> None:
    console = Console(file=io.StringIO(), width=100)
    progress = Progress(TextColumn("{task.fields[figures]}"), console=console)
    watch = module.shown_on(progress)
    seen = [progress.tasks[0].fields["figures"]]
    for at in (standing(4), standing(5), standing(6, {"bits_per_note": 14.456})):
        watch(at)
        seen.append(progress.tasks[0].fields["figures"])
    assert seen == [
        "reading the music",
        "16.00 bits",
        "100 notes/s, 15.00 bits",
        "100 notes/s, 14.00 bits, 14.46 held out",
    ]
    assert progress.tasks[0].completed == pytest.approx(0.6)


def arguments(folder: Path) -> list[str]:
    """A call with everything it needs."""
    (folder / "recipe.yaml").write_text("model: flagship\n")
    return [str(folder / "recipe.yaml"), "--data", str(folder), "--out", str(folder / "out")]


def test_it_trains_and_names_the_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def fake(*given: object) -> Path:
        calls.append(given[:-1])
        given[-1](standing(1))  # type: ignore[operator]
        return tmp_path / "flagship.safetensors"

    monkeypatch.setattr(module, "load_object", lambda path: {"models.training.run:train": fake}[path])
    result = CliRunner().invoke(
        module.train, [*arguments(tmp_path), "--resume", "--max-minutes", "2", "--device", "cuda"]
    )
    assert result.exit_code == 0, result.output
    assert result.stdout == f"weights: {tmp_path / 'flagship.safetensors'}\n"
    assert "19.00 bits" in result.stderr
    assert calls == [(tmp_path / "recipe.yaml", [tmp_path], tmp_path / "out", True, 2.0, "cuda")]


def test_what_is_wrong_is_one_sentence(tmp_path: Path) -> None:
    wanted = arguments(tmp_path)
    (tmp_path / "recipe.yaml").write_text("model: opera\n")
    with pytest.raises(ContinuoError, match="model: 'opera' cannot be trained; known are flagship"):
        CliRunner().invoke(module.train, wanted, catch_exceptions=False)
