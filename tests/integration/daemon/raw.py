"""OSC by hand, for what no OSC library would send: a socket, and bytes packed by `struct`."""

from __future__ import annotations

import socket
import struct
import time
from types import TracebackType
from typing import Self

HOST = "127.0.0.1"
PATIENCE_S = 60.0

Value = int | float | str


def padded(text: str) -> bytes:
    """A string as OSC writes it."""
    data = text.encode() + b"\0"
    return data + b"\0" * (-len(data) % 4)


def message(path: str, *values: Value) -> bytes:
    """One message."""
    tags, data = ",", b""
    for value in values:
        tags += "s" if isinstance(value, str) else "f" if isinstance(value, float) else "i"
        data += (
            padded(value) if isinstance(value, str) else struct.pack(">f" if isinstance(value, float) else ">i", value)
        )
    return padded(path) + padded(tags) + data


def read(data: bytes) -> tuple[str, list[Value]]:
    """Address and arguments of one message."""

    def text_at(at: int) -> tuple[str, int]:
        end = data.index(b"\0", at)
        return data[at:end].decode(), end // 4 * 4 + 4

    path, at = text_at(0)
    tags, at = text_at(at)
    values: list[Value] = []
    for tag in tags[1:]:
        if tag == "s":
            text, at = text_at(at)
            values.append(text)
        else:
            values.append(struct.unpack_from(">f" if tag == "f" else ">i", data, at)[0])
            at += 4
    return path, values


class RawClient:
    """The anonymous client on a socket of its own; a context manager."""

    def __init__(self, daemon_port: int) -> None:
        self._daemon = (HOST, daemon_port)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((HOST, 0))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 2**20)
        self._number = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.say("bye")
        self._socket.close()

    def send(self, data: bytes) -> None:
        self._socket.sendto(data, self._daemon)

    def say(self, name: str, *values: Value) -> None:
        self.send(message(f"/continuo/{name}", 0, *values))

    def wait_for(self, *names: str) -> tuple[str, list[Value]]:
        """The next message of these names: the name and what follows the id. Others are passed over."""
        end_s = time.monotonic() + PATIENCE_S
        while (left_s := end_s - time.monotonic()) > 0:
            self._socket.settimeout(left_s)
            path, values = read(self._socket.recv(65_535))
            name = path.removeprefix("/continuo/")
            if name in names:
                return name, values[1:]
        raise AssertionError(f"no {names} within {PATIENCE_S} s")

    def waiting(self) -> list[tuple[str, list[Value]]]:
        """Everything that has arrived, after an answered ping."""
        self._number += 1
        self.say("ping", self._number)
        found: list[tuple[str, list[Value]]] = []
        while True:
            self._socket.settimeout(PATIENCE_S)
            found.append(read(self._socket.recv(65_535)))
            if found[-1][0] == "/continuo/pong" and found[-1][1][1] == self._number:
                return found[:-1]
