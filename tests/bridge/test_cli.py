from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from bridge import cli
from bridge.errors import ConfigError

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command line in this process: exit code, stdout, stderr."""

    def call(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as leaving:
            cli.main(arguments)
        captured = capsys.readouterr()
        return int(leaving.value.code or 0), captured.out, captured.err

    return call


def test_every_command_in_the_table_exists_and_has_help(run: Run) -> None:
    for name in cli.COMMANDS:
        code, out, _ = run(name, "--help")
        assert code == 0
        assert f"continuo {name}" in out


def test_help_lists_every_command_without_loading_one(run: Run) -> None:
    code, out, _ = run("--help")
    assert code == 0
    assert all(f"  {name} " in out for name in cli.COMMANDS)


def test_no_command_shows_the_help(run: Run) -> None:
    code, out, err = run()
    assert code == 2
    assert "Commands:" in out + err


@pytest.mark.parametrize("arguments", [("nothing",), ("serve", "--nothing"), ("generate",), ("demo", "--bars", "0")])
def test_wrong_usage_is_code_2(run: Run, arguments: tuple[str, ...]) -> None:
    code, _, err = run(*arguments)
    assert code == 2
    assert "Error" in err


def test_what_cannot_start_is_one_sentence_and_code_3(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    @click.command()
    def failing() -> None:
        raise ConfigError("osc_port is 99999; choose a UDP port from 0 to 65535")

    monkeypatch.setattr(cli, "load_object", lambda path: failing)
    code, out, err = run("serve")
    assert (code, out) == (3, "")
    assert err == "continuo: osc_port is 99999; choose a UDP port from 0 to 65535\n"


def test_a_path_that_cannot_be_used_is_code_3(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    @click.command()
    def failing() -> None:
        Path("/nowhere/at/all").read_bytes()

    monkeypatch.setattr(cli, "load_object", lambda path: failing)
    code, _, err = run("serve")
    assert code == 3
    assert "/nowhere/at/all" in err


def test_an_interruption_is_code_130(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    @click.command()
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "load_object", lambda path: interrupted)
    assert run("serve")[0] == 130


def test_a_defect_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    @click.command()
    def defective() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(cli, "load_object", lambda path: defective)
    with pytest.raises(ZeroDivisionError):
        cli.main(["serve"])


def test_the_command_line_loads_nothing_heavy() -> None:
    code = (
        "import sys, json, bridge.cli, bridge.commands.doctor, bridge.commands.serve, bridge.commands.generate;"
        "print(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in json.loads(done.stdout)}
    assert not loaded & {"torch", "numpy", "matplotlib", "rich", "mido", "rtmidi", "yaml", "pysfizz", "pythonosc"}


def test_python_m_bridge_is_the_same_command() -> None:
    done = subprocess.run([sys.executable, "-m", "bridge", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("continuo, version ")
