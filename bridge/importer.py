"""Loads "module:name" when it is first needed, so that the command line starts fast and `bridge` never loads torch."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def load_object(path: str) -> Any:  # noqa: ANN401 - what a module holds is known to its caller only
    """The object called `name` in `module`, given as "module:name"."""
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)
