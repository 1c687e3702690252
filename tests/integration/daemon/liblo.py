"""A client made of liblo's own programs, so that no code of ours stands on both ends: oscsend says, oscdump hears."""

from __future__ import annotations

import shlex
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from bridge.daemon_process import free_udp_port
from models.music.score import Note, Part

HOST = "127.0.0.1"
HEARTBEAT_S = 1.0
PATIENCE_S = 60.0  # a model may be slow on a busy machine; a test that needs all of it has failed
NOTES_PER_DATAGRAM = 32

Value = int | float | str


def oscsend(port: int, path: str, *values: Value) -> None:
    """One message, from a socket that nobody listens on."""
    tags = "".join("s" if isinstance(value, str) else "f" if isinstance(value, float) else "i" for value in values)
    subprocess.run(["oscsend", HOST, str(port), path, tags, *map(str, values)], check=True)


class Liblo:
    """One client; a context manager. Whatever waits keeps the daemon aware of it meanwhile."""

    def __init__(self, folder: Path, daemon_port: int, client_id: int) -> None:
        self.id = client_id
        self.port = free_udp_port()
        self._daemon_port = daemon_port
        self._path = folder / f"client-{client_id}-{self.port}"
        self._hello_s = 0.0
        with self._path.open("wb") as heard:
            self._dump = subprocess.Popen(["stdbuf", "-oL", "oscdump", str(self.port)], stdout=heard)
        self._last_req = 0

    def __enter__(self) -> Liblo:
        self.until(lambda: bool(self.told("welcome")))
        return self

    def __exit__(self, *error: object) -> None:
        self.say("bye")
        self._dump.terminate()
        self._dump.wait()

    def say(self, name: str, *values: Value) -> None:
        oscsend(self._daemon_port, f"/continuo/{name}", self.id, *values)

    def everything(self) -> list[tuple[str, list[str]]]:
        """(address, arguments) of all that was heard; the line being written is left for the next look."""
        whole = self._path.read_text().rpartition("\n")[0]
        fields = [shlex.split(line) for line in whole.splitlines()]
        return [(each[1], each[3:]) for each in fields]

    def told(self, name: str, *beginning: Value) -> list[list[str]]:
        """The arguments after the id of every such message whose first ones are these."""
        wanted = [str(self.id), *map(str, beginning)]
        return [
            args[1:]
            for address, args in self.everything()
            if address == f"/continuo/{name}" and args[: len(wanted)] == wanted
        ]

    def until(self, is_so: Callable[[], bool], patience_s: float = PATIENCE_S) -> None:
        """Wait, with a heartbeat.

        Raises:
            AssertionError: it has not happened.
        """
        end_s = time.monotonic() + patience_s
        while not is_so():
            assert time.monotonic() < end_s, f"not within {patience_s} s; heard {self.everything()[-5:]}"
            self.beat()
            time.sleep(0.02)

    def beat(self) -> None:
        """Say hello when it is time to."""
        if time.monotonic() - self._hello_s > HEARTBEAT_S:
            self._hello_s = time.monotonic()
            self.say("hello", self.port, 1, "liblo")

    def wait_for(self, name: str, *beginning: Value) -> list[str]:
        """The first such message."""
        self.until(lambda: bool(self.told(name, *beginning)))
        return self.told(name, *beginning)[0]

    def ping(self, number: int) -> int:
        """Ask what the daemon is doing; its answer."""
        self.say("ping", number)
        return int(self.wait_for("pong", number)[1])

    def send_clip(self, parts: Sequence[Part], notes: Sequence[Note], length_ticks: int, bpm: float) -> int:
        """A clip in 4/4; returns its number once the daemon holds it."""
        req = self._next_req()
        self.say("clip/begin", req, len(notes), length_ticks, 4, 4, bpm)
        for number, part in enumerate(parts):
            program = -1 if part.program is None else part.program
            self.say("clip/part", req, number, int(part.is_drum), program, part.name)
        datagrams = [notes[at : at + NOTES_PER_DATAGRAM] for at in range(0, len(notes), NOTES_PER_DATAGRAM)]
        for index, some in enumerate(datagrams):
            fields = [(n.onset_tick, n.duration_ticks, n.pitch, n.velocity, n.part) for n in some]
            self.say("clip/notes", req, index, *(value for values in fields for value in values))
        self.say("clip/end", req, len(datagrams))
        self.wait_for("clip/ready", req)
        return req

    def generate(self, clip_req: int, bars: int = 1, seed: int = 1, parts: int = 0, at_tick: int = -1) -> int:
        """Ask for a take; its number, once the daemon has begun it."""
        req = self._next_req()
        self.say("generate", req, clip_req, bars, parts, seed, at_tick)
        self.wait_for("take/begin", req)
        return req

    def take(self, req: int) -> list[Note]:
        """The notes of a take that were told so far."""
        found = []
        for _, _, *fields in self.told("take/notes", req):
            numbers = list(map(int, fields))
            for at in range(0, len(numbers), 5):
                onset_tick, duration_ticks, pitch, velocity, part = numbers[at : at + 5]
                found.append(Note(onset_tick, part, pitch, duration_ticks, velocity))
        return found

    def whole_take(self, req: int) -> list[Note]:
        """All notes of a take, once it is whole; what got lost on the way is asked for."""
        _, datagrams, count, _ = self.wait_for("take/end", req)

        def is_whole() -> bool:
            missing = [index for index in range(int(datagrams)) if not self.told("take/notes", req, index)]
            for index in missing:
                self.say("take/need", req, index)
            return not missing

        self.until(is_whole)
        assert len(self.take(req)) == int(count)
        return self.take(req)

    def late(self, req: int) -> int:
        """Notes of a take that were late at the port or dropped, as far as was told."""
        return max(int(end[-1]) for end in self.told("take/end", req))

    def _next_req(self) -> int:
        self._last_req += 1
        return self._last_req
