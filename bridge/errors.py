"""Every error Continuo raises on purpose; whatever else is raised is a defect. Imports nothing of ours."""

from __future__ import annotations

from enum import IntEnum


class ErrorCode(IntEnum):
    """The number in `/continuo/error`; a number keeps its meaning for good."""

    MALFORMED = 1
    UNKNOWN_ADDRESS = 2
    WRONG_ARGUMENT = 3
    OUT_OF_RANGE = 4
    NOT_FOUND = 5
    BUSY = 6
    MODEL_FAULT = 7
    MIDI_FAULT = 8
    UNSUPPORTED = 9


class ContinuoError(Exception):
    """Base of all of them; its text is one sentence for a person, ending in the cure."""


class ConfigError(ContinuoError):
    """A setting that cannot be used; names the file and the key."""


class ProtocolError(ContinuoError):
    """A message that cannot be served; the wire answers it with `/continuo/error`."""

    def __init__(self, code: ErrorCode, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


class PortError(ContinuoError):
    """A UDP or MIDI port that cannot be opened or used."""


class GeneratorError(ContinuoError):
    """A model that cannot be loaded or failed while it played."""
