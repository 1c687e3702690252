"""One daemon for all tests that leave it alive, and one listener at its port."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.daemon.liblo import Liblo
from tests.integration.daemon.served import Served
from tests.integration.daemon.tape import Tape
from tests.integration.jack_server import require_jack


@pytest.fixture(scope="package")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    require_jack()
    with Served(tmp_path_factory.mktemp("served")) as served:
        yield served


@pytest.fixture(scope="package")
def band_tape(served: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tape]:
    with Tape(tmp_path_factory.mktemp("tape") / "heard") as tape:
        tape.wait_until_connected()
        yield tape


@pytest.fixture
def tape(band_tape: Tape) -> Tape:
    """The listener, nothing heard yet."""
    band_tape.cut()
    return band_tape


@pytest.fixture
def client(served: Served) -> Iterator[Liblo]:
    """A client of the daemon; when it has left, nothing of it sounds."""
    with served.client() as client:
        yield client
