from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from bridge.log import FaultLog, setup


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    """The root logger, put back as it was."""
    logger = logging.getLogger()
    handlers, level = logger.handlers[:], logger.level
    logger.handlers.clear()
    yield logger
    logger.handlers[:] = handlers
    logger.setLevel(level)


def test_an_event_is_one_line_on_stderr(root: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    setup("INFO")
    logging.getLogger("bridge.test").info("first\nsecond")
    logging.getLogger("bridge.test").debug("unseen")
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("\n") == 1
    assert "INFO    bridge.test: first | second" in told.err


def test_setting_up_twice_tells_once_at_the_newer_level(
    root: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    setup("INFO")
    setup("WARNING")
    logging.getLogger("bridge.test").info("unseen")
    logging.getLogger("bridge.test").warning("seen")
    assert capsys.readouterr().err.count("seen") == 1


def test_a_fault_is_told_once_a_kind_and_always_counted(caplog: pytest.LogCaptureFixture) -> None:
    faults = FaultLog(logging.getLogger("bridge.test"))
    for n in range(5):
        faults.once("late", f"late by {n}")
    faults.once("lost", "lost", error=ValueError("why"))
    assert [(record.levelname, record.getMessage().split(" (")[0]) for record in caplog.records] == [
        ("WARNING", "late by 0"),
        ("ERROR", "lost"),
    ]
    assert caplog.records[1].exc_info is not None
    assert faults.counts() == {"late": 5, "lost": 1}
