"""Asks a module in a process of its own, for what may crash, print, or load torch. It never raises what that did."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

PATIENCE_S = 180.0
PACKAGES = Path(__file__).parent.parent
_RUN = "import runpy, sys; sys.path.insert(0, sys.argv.pop(1)); runpy.run_module(sys.argv.pop(1), run_name='__main__')"


class ProbeFailed(Exception):
    """The process that was to look ended without an answer."""


def ask_probe(module: str, *arguments: str) -> dict[str, Any]:
    """The JSON document that `python -m module` prints last.

    Raises:
        ProbeFailed: it crashed, took longer than `PATIENCE_S`, or printed none; the text is its last complaint.
    """
    command = [sys.executable, "-P", "-c", _RUN, str(PACKAGES), module, *arguments]
    try:
        done = subprocess.run(  # noqa: S603 - our own module, arguments from our own options
            command, capture_output=True, text=True, timeout=PATIENCE_S, check=False, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired as error:
        raise ProbeFailed(f"no answer after {PATIENCE_S:.0f} s") from error
    lines = done.stdout.strip().splitlines()
    if done.returncode == 0 and lines and lines[-1].startswith("{"):
        answer: dict[str, Any] = json.loads(lines[-1])
        return answer
    complaints = done.stderr.strip().splitlines()
    raise ProbeFailed(complaints[-1] if complaints else f"it ended with code {done.returncode}")
