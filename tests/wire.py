"""Reading what `tests/bridge/wire_child.py` wrote, and waiting for what another process does."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.fakes import Synth

ROOT = Path(__file__).parent.parent
PATIENCE_S = 20.0  # far more than anything takes; a test that needs it has failed
AHEAD_NS = (
    200_000_000  # so early are notes sent, as in earnest: a busy machine must not make them too late to be played
)


def wire_child(path: Path, manner: str = "well") -> list[str]:
    """The command that starts a MIDI child on a file."""
    return [sys.executable, str(ROOT / "tests/bridge/wire_child.py"), str(path), manner]


def messages(path: Path) -> list[tuple[int, bytes]]:
    """(instant, bytes) of everything on the wire so far."""
    if not path.exists():
        return []
    fields = [line.split() for line in path.read_text().splitlines() if line != "closed"]
    return [(int(instant), bytes.fromhex(data)) for instant, data in fields]


def heard(path: Path) -> Synth:
    """A synth that has played the wire."""
    synth = Synth()
    for _, message in messages(path):
        synth.play(tuple(message))
    return synth


def happens(is_so: Callable[[], bool], within_s: float) -> bool:
    """Wait for another process or thread; False when it does not happen."""
    end_s = time.monotonic() + within_s
    while not is_so():
        if time.monotonic() > end_s:
            return False
        time.sleep(0.01)
    return True


def wait_until(is_so: Callable[[], bool]) -> None:
    """Wait for what must happen.

    Raises:
        AssertionError: it has not happened.
    """
    assert happens(is_so, PATIENCE_S), f"not within {PATIENCE_S} s"
