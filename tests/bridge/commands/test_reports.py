"""The commands that report: doctor, models, bench; and train and evaluate, which hand on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bridge import bench as bench_module
from bridge import doctor as doctor_module
from bridge.commands import evaluate as evaluate_module
from bridge.commands import train as train_module
from bridge.commands.bench import bench
from bridge.commands.doctor import doctor
from bridge.commands.evaluate import evaluate
from bridge.commands.models import models
from bridge.commands.train import train
from bridge.doctor import Finding
from bridge.errors import ContinuoError
from models import registry

FINE = Finding("Python", "ok", "3.11")
NEWS = Finding("MIDI", "note", "no port", "start JACK")
FAULT = Finding("model", "fault", "missing", "install again")


def examined(monkeypatch: pytest.MonkeyPatch, *findings: Finding) -> None:
    monkeypatch.setattr(doctor_module, "examine", lambda port, model, device: iter(findings))


def run_doctor(*arguments: str) -> Result:
    return CliRunner().invoke(doctor, list(arguments))


def test_a_sound_machine_is_code_0_even_without_midi(monkeypatch: pytest.MonkeyPatch) -> None:
    examined(monkeypatch, FINE, NEWS)
    result = run_doctor()
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "ok    Python     3.11",
        "note  MIDI       no port",
        "                 cure: start JACK",
    ]


def test_a_fault_is_code_3(monkeypatch: pytest.MonkeyPatch) -> None:
    examined(monkeypatch, FINE, FAULT)
    assert run_doctor().exit_code == 3


def test_every_finding_is_printed_before_the_next_is_looked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    printed_before: list[str] = []

    def examine(port: int, model: str, device: str) -> Iterator[Finding]:
        yield FINE
        printed_before.append(capsys.readouterr().out)
        yield NEWS

    monkeypatch.setattr(doctor_module, "examine", examine)
    with pytest.raises(SystemExit):
        doctor.main([], standalone_mode=False)
    assert printed_before == ["ok    Python     3.11\n"]


def test_the_doctors_json_holds_every_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    examined(monkeypatch, FINE, FAULT)
    report = json.loads(run_doctor("--json").stdout)
    assert report["ok"] is False
    assert report["checks"][1] == {"check": "model", "verdict": "fault", "text": "missing", "cure": "install again"}


def test_the_bench_ends_with_one_line_of_json(monkeypatch: pytest.MonkeyPatch) -> None:
    groups = [("model", {"notes_per_second": 100.0}), ("command line", {"help_ms": 60.0})]
    monkeypatch.setattr(bench_module, "run_bench", lambda model, device: iter(groups))
    lines = CliRunner().invoke(bench, [], catch_exceptions=False).stdout.splitlines()
    assert lines[0] == "model"
    report = json.loads(lines[-1])
    assert (report["notes_per_second"], report["command_line_help_ms"]) == (100.0, 60.0)
    (only,) = CliRunner().invoke(bench, ["--json"], catch_exceptions=False).stdout.splitlines()
    assert json.loads(only) == report


def test_models_are_listed_with_size_and_controls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(registry, "WEIGHTS", tmp_path)
    (tmp_path / "flagship.safetensors").write_bytes(bytes(2_000_000))
    (tmp_path / "flagship.json").write_text('{"model": "flagship", "parameters": 1234567}')
    text = CliRunner().invoke(models, [], catch_exceptions=False).stdout
    assert "flagship  1,234,567 parameters, 2.0 MB" in text
    (listed,) = json.loads(CliRunner().invoke(models, ["--json"], catch_exceptions=False).stdout)["models"]
    assert listed["name"] == "flagship"
    assert "temperature" in listed["controls"]


def test_no_model_at_all_is_told_with_the_cure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(registry, "WEIGHTS", tmp_path)
    assert "install Continuo again" in CliRunner().invoke(models, [], catch_exceptions=False).stdout


def test_a_recipe_that_cannot_be_followed_is_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def run(*arguments: object) -> Path:
        raise FileExistsError("out holds a run; give --resume or another folder")

    monkeypatch.setattr(train_module, "load_object", lambda path: run)
    recipe = tmp_path / "recipe.yaml"
    recipe.touch()
    with pytest.raises(ContinuoError, match="give --resume"):
        CliRunner().invoke(
            train, [str(recipe), "--data", str(tmp_path), "--out", str(tmp_path)], catch_exceptions=False
        )


def test_evaluate_prints_the_table_and_what_is_saved(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    saved = {"mean": 1.25, "low": 1.0, "high": 1.5}
    report = {"notes": 100, "pieces": 3, "saved_bits_per_note": {"markov": saved}}
    parts = {"bits_report": lambda *arguments: report, "bits_table": lambda report: "the table"}
    monkeypatch.setattr(evaluate_module, "load_object", lambda path: parts[path.partition(":")[2]])
    recipe = tmp_path / "recipe.yaml"
    recipe.touch()
    arguments = [str(recipe), "--data", str(tmp_path), "--cache", str(tmp_path)]
    text = CliRunner().invoke(evaluate, arguments, catch_exceptions=False).stdout
    assert text.startswith("the table\n")
    assert "over markov: 1.250 (1.000 to 1.500)" in text
    assert json.loads(CliRunner().invoke(evaluate, [*arguments, "--json"], catch_exceptions=False).stdout) == report
