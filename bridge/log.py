"""Logging to stderr, one line an event, and faults that repeat a thousand times a second told once and counted."""

from __future__ import annotations

import logging
import sys
import threading
from collections import Counter

LINE_FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


class _OneLine(logging.Formatter):
    """Keeps an event on its line, so that a log can be cut, sorted and counted by line."""

    def format(self, record: logging.LogRecord) -> str:
        return super().format(record).replace("\n", " | ")


def setup(level: str = "INFO") -> None:
    """Send every log of this process to stderr; calling it again only changes the level."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_OneLine(LINE_FORMAT))
    logging.basicConfig(level=level, handlers=[handler], force=True)


class FaultLog:
    """Logs the first fault of each kind and counts them all. Any thread may use it."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    def once(self, kind: str, text: str, error: BaseException | None = None) -> None:
        """Count a fault, and log `text` when it is the first of its `kind`. Kinds are few and fixed, never data.

        An `error` makes it a defect of ours: it is logged as such, with its traceback.
        """
        with self._lock:
            self._counts[kind] += 1
            is_first = self._counts[kind] == 1
        if is_first:
            level = logging.ERROR if error else logging.WARNING
            self._logger.log(level, "%s (told once, then only counted)", text, exc_info=error)

    def counts(self) -> dict[str, int]:
        """How often each kind came."""
        with self._lock:
            return dict(self._counts)
