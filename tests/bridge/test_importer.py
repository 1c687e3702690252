from __future__ import annotations

import json

import pytest

from bridge.importer import load_object


def test_it_finds_what_a_module_holds() -> None:
    assert load_object("json:dumps") is json.dumps


def test_a_module_that_is_not_there_is_told_as_python_tells_it() -> None:
    with pytest.raises(ModuleNotFoundError, match="no_such_module"):
        load_object("no_such_module:thing")
    with pytest.raises(AttributeError, match="no_such_name"):
        load_object("json:no_such_name")
