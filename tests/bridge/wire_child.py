"""A MIDI child whose port is a file: each message becomes a line `instant_ns hex`. Arguments beyond the child's own
come first: the file, and how its MIDI system behaves (`well`, `absent`, `dies`, `hangs`, `breaks`)."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from bridge.errors import PortError
from bridge.midi_child import main
from bridge.notes import Message
from bridge.port_open import PortRequest

MESSAGES_UNTIL_TROUBLE = 3


class WirePort:
    """Writes down what it is told to send."""

    backend = "wire"

    def __init__(self, path: Path, manner: str, name: str) -> None:
        self.name = name
        self._lines = path.open("a", buffering=1)
        self._manner = manner
        self._sent = 0

    def send(self, message: Message) -> None:
        self._lines.write(f"{time.perf_counter_ns()} {bytes(message).hex()}\n")
        self._sent += 1
        if self._manner == "hangs" and self._sent == MESSAGES_UNTIL_TROUBLE:
            time.sleep(3600)
        if self._manner == "breaks" and self._sent == MESSAGES_UNTIL_TROUBLE:
            raise RuntimeError("the wire broke")

    def is_alive(self) -> bool:
        return self._manner != "dies" or self._sent < MESSAGES_UNTIL_TROUBLE

    def close(self) -> None:
        self._lines.write("closed\n")


def open_wire(request: PortRequest) -> WirePort:
    path, manner = Path(sys.argv[1]), sys.argv[2]
    if manner == "absent":
        raise PortError("there is no MIDI here: build some")
    return WirePort(path, manner, request.client)


if __name__ == "__main__":
    sys.exit(main(sys.argv[3:], open_wire))
