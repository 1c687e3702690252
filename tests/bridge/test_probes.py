from __future__ import annotations

from pathlib import Path

import pytest

from bridge import probes
from bridge.probes import ProbeFailed, ask_probe


@pytest.fixture
def probe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module that probes can be made of."""
    monkeypatch.setattr(probes, "PACKAGES", tmp_path)
    return tmp_path / "some_probe.py"


def test_the_answer_is_the_last_line_whatever_was_printed_before(probe: Path) -> None:
    probe.write_text("import sys\nprint('libjack says hello')\nprint('{\"argument\": \"%s\"}' % sys.argv[1])")
    assert ask_probe("some_probe", "x y") == {"argument": "x y"}


@pytest.mark.parametrize(
    ("code", "complaint"),
    [
        ("raise ValueError('no device')", "ValueError: no device"),
        ("import sys; sys.exit('the model is missing')", "the model is missing"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "ended with code -9"),
        ("print('no document')", "ended with code 0"),
    ],
)
def test_a_probe_that_fails_is_told_by_its_last_complaint(probe: Path, code: str, complaint: str) -> None:
    probe.write_text(code)
    with pytest.raises(ProbeFailed, match=complaint):
        ask_probe("some_probe")


def test_a_probe_that_hangs_is_ended(probe: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "PATIENCE_S", 0.5)
    probe.write_text("import time; time.sleep(60)")
    with pytest.raises(ProbeFailed, match="no answer"):
        ask_probe("some_probe")
