from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from bridge import daemon
from bridge.commands.serve import serve
from bridge.config import Config
from bridge.errors import ConfigError


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Config]:
    """The settings of every daemon that would have run."""
    settings: list[Config] = []

    class Recorded:
        def __init__(self, config: Config) -> None:
            settings.append(config)

        def run(self) -> None:
            pass

    monkeypatch.setattr(daemon, "Daemon", Recorded)
    return settings


def run(*arguments: str) -> None:
    result = CliRunner().invoke(serve, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0, result.output


def test_without_flags_the_defaults_hold(started: list[Config]) -> None:
    run()
    assert started == [Config()]


def test_every_flag_reaches_its_setting(started: list[Config], tmp_path: Path) -> None:
    tape = tmp_path / "tape.mid"
    run("--model", "m", "--device", "cpu", "--osc-host", "0.0.0.0", "--osc-port", "9000")  # noqa: S104 - a setting
    run("--midi", "jack", "--midi-port", "loop", "--record", str(tape))
    assert started == [
        Config(model="m", device="cpu", osc_host="0.0.0.0", osc_port=9000),  # noqa: S104
        Config(midi="jack", existing_port="loop", record=tape),
    ]


def test_flags_override_the_file(started: list[Config], tmp_path: Path) -> None:
    path = tmp_path / "bridge.yaml"
    path.write_text("osc_port: 9000\nmodel: other\n")
    run("--config", str(path), "--osc-port", "9001")
    assert started == [Config(osc_port=9001, model="other")]


def test_a_contradiction_is_told_before_anything_starts(started: list[Config]) -> None:
    with pytest.raises(ConfigError, match="existing_port"):
        run("--midi", "none", "--midi-port", "loop")
    assert started == []


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["end of input", "SIGTERM", "SIGINT"])
def test_the_real_daemon_ends_in_order(ending: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bridge", "serve", "--osc-port", "0", "--midi", "none", "--stop-at-eof"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        assert "listens on 127.0.0.1" in process.stderr.readline()
        if ending == "end of input":
            process.stdin.close()
        else:
            os.kill(process.pid, getattr(signal, ending))
        said = process.stderr.read()
        assert process.wait(30) == 0
    assert "ended: 0 sent" in said
    assert "Traceback" not in said
    assert "Fatal" not in said
