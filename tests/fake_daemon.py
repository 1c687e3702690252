"""A daemon without model, clock and MIDI: the real session over a real socket, playing with `EchoModel`.

Used inside a test, or as a process: python tests/fake_daemon.py --osc-port N.
"""

from __future__ import annotations

import signal
import sys
import threading
import time
from pathlib import Path
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Self

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent.parent))

from bridge.effects import Effect, Generate, Reply, ReportStatus
from bridge.osc import OscSocket
from bridge.protocol import Received, Refused
from bridge.session import Identity, Session
from bridge.wire_table import State
from models.generator import Context, Controls
from tests.echo_model import EchoGenerator


class FakeDaemon:
    """Answers from a thread of its own; `lose` drops every n-th datagram it would send, 0 none."""

    def __init__(self, port: int = 0, lose: int = 0, states: tuple[State, ...] = (State.READY,)) -> None:
        self._inbox: SimpleQueue[Received | Refused] = SimpleQueue()
        self._socket = OscSocket(self._inbox, port=port)
        self._session = Session(Identity("0", "cpu"), "echo")
        self._session.state = states[0]
        self._states = list(states[1:])
        self._lose = lose
        self._sent = 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.address = self._socket.address
        self.received: list[str] = []

    def __enter__(self) -> Self:
        self._socket.start()
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stopping.set()
        self._thread.join()
        self._socket.close()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                event = self._inbox.get(timeout=0.02)
            except Empty:
                self._execute(self._session.tick(time.monotonic()))
                continue
            if isinstance(event, Received):
                self.received.append(event.message.name)
            self._execute(self._session.apply(event, time.monotonic()))
            if self._states:
                self._session.state = self._states.pop(0)

    def _execute(self, effects: list[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, Reply):
                self._send(effect)
            elif isinstance(effect, ReportStatus):
                self._send(
                    Reply(effect.destination, "status", (effect.client.id, int(self._session.state), -1, 0, 0, 0))
                )
            elif isinstance(effect, Generate):
                self._play(effect)

    def _send(self, reply: Reply) -> None:
        self._sent += 1
        if not self._lose or self._sent % self._lose:
            self._socket.send(reply.destination, reply.name, reply.values, reply.notes)

    def _play(self, effect: Generate) -> None:
        request, client = effect.request, effect.client
        clip = request.clip
        parts = tuple(part for part in clip.parts if part is not None)
        generator = EchoGenerator()
        generator.reset(request.seed or 0)
        list(generator.prefill(Context(parts, clip.notes, clip.length_ticks, (clip.meter,), clip.bpm)))
        bar_ticks = clip.meter.numerator * 1920 // clip.meter.denominator
        until_tick = clip.length_ticks + request.bars * bar_ticks
        notes = [note.shifted(-clip.length_ticks) for note in generator.decode(until_tick, request.parts, Controls())]
        self._execute(self._session.take_begun(client, request.req, request.bars, request.parts, request.seed or 0, -1))
        self._execute(self._session.take_notes(client, request.req, notes))
        self._execute(self._session.take_ended(client, request.req, 0))


def main() -> None:
    """Run until SIGTERM, or until standard input ends."""
    port = int(sys.argv[sys.argv.index("--osc-port") + 1])
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
    with FakeDaemon(port):
        sys.stderr.write("INFO bridge.midi: MIDI port Fake:Continuo open (jack, real-time: False)\n")
        sys.stderr.flush()
        sys.stdin.buffer.read()


if __name__ == "__main__":
    main()
