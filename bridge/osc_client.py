"""A client of the daemon, over UDP, for one thread: asks, waits for the answer, asks again when one got lost."""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Self

from bridge.errors import ContinuoError, ErrorCode, ProtocolError
from bridge.osc import OscSocket
from bridge.protocol import Message, Received, Refused, Sender
from bridge.wire_table import HEADER_INDEX, MAX_INT, NOTES_PER_DATAGRAM, PROTO, Direction, State, Value
from models.music.score import Meter, Note, Part

HEARTBEAT_S = 2.0
RESEND_S = 0.25
TRIES = 6
NAME_CHARACTERS = 64  # of a part's name; longer ones say no more and would not fit a datagram
PACE_DATAGRAMS = 64  # then a pause, so that a long clip does not overrun a socket's buffer
PACE_S = 0.002


class NoAnswer(ContinuoError):
    """Nobody answers at that address."""


class TakeReader:
    """Puts the datagrams of one take together, whatever their order."""

    def __init__(self, req: int) -> None:
        self.req = req
        self.end: Message | None = None
        self._datagrams: dict[int, tuple[Note, ...]] = {}

    def take_in(self, message: Message) -> tuple[Note, ...]:
        """The notes a message brings that were not there before; messages of other takes bring none."""
        if "req" not in message.values or message.integer("req") != self.req:
            return ()
        if message.name == "take/end":
            self.end = message
        if message.name != "take/notes" or message.integer("index") in self._datagrams:
            return ()
        self._datagrams[message.integer("index")] = message.notes
        return message.notes

    def missing(self) -> list[int]:
        """Datagrams known to exist that have not come."""
        known = self.end.integer("datagrams") if self.end else max(self._datagrams, default=-1) + 1
        return [index for index in range(known) if index not in self._datagrams]

    @property
    def is_whole(self) -> bool:
        """Whether the take has ended and all of it is here."""
        return self.end is not None and not self.missing()

    def notes(self) -> list[Note]:
        """All notes so far, in onset order; ticks count from the take's start."""
        return sorted(note for notes in self._datagrams.values() for note in notes)


class OscClient:
    """One client with an id of its own; a context manager that says goodbye."""

    def __init__(self, daemon: Sender, name: str, now_s: Callable[[], float] = time.monotonic) -> None:
        """Open a socket on a port the system chooses; nothing is sent yet.

        Raises:
            PortError: no socket could be had.
        """
        self._daemon = daemon
        self._name = name
        self._now_s = now_s
        self._id = random.randint(1, MAX_INT)
        self._req = 0
        self._hello_s = now_s()
        self._inbox: SimpleQueue[Received | Refused] = SimpleQueue()
        self._kept: deque[Message] = deque()
        self._asked_again_s = now_s()
        self._generate: tuple[int, ...] = ()
        self._clip_header: list[tuple[str, tuple[Value, ...]]] = []
        self._clip_notes: list[Sequence[Note]] = []
        self._socket = OscSocket(self._inbox, daemon[0], 0, Direction.TO_CLIENT)
        self._socket.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._send("bye")
        self._socket.close()

    def hello(self, tries: int = TRIES) -> Message:
        """Introduce this client; the daemon's `welcome`.

        Raises:
            NoAnswer: nobody is there.
        """
        return self._ask(self._say_hello, "welcome", tries=tries)

    def ping(self, tries: int = TRIES) -> tuple[State, float]:
        """What the daemon is doing, and the seconds the question took.

        Raises:
            NoAnswer: nobody is there.
        """
        number = random.randint(0, MAX_INT)
        began_s = self._now_s()
        pong = self._ask(lambda: self._send("ping", number), "pong", ("n", number), tries=tries)
        return State(pong.integer("state")), self._now_s() - began_s

    def set(self, name: str, value: Value) -> Message:
        """Turn one control; the daemon's `value`.

        Raises:
            NoAnswer, ProtocolError: nobody is there; the value is refused.
        """
        return self._ask(lambda: self._send("set", name, value), "value", ("name", name))

    def send_clip(
        self, parts: Sequence[Part], notes: Sequence[Note], length_ticks: int, meter: Meter, bpm: float
    ) -> int:
        """Hand a clip over; returns its number once the daemon holds it whole.

        Raises:
            NoAnswer, ProtocolError: nobody is there; the clip is refused.
        """
        req = self._next_req()
        begin = (req, len(notes), length_ticks, meter.numerator, meter.denominator, float(bpm))
        described = [
            (req, index, int(part.is_drum), -1 if part.program is None else part.program, part.name[:NAME_CHARACTERS])
            for index, part in enumerate(parts)
        ]
        self._clip_header = [("clip/begin", begin), *(("clip/part", values) for values in described)]
        self._clip_notes = [notes[at : at + NOTES_PER_DATAGRAM] for at in range(0, len(notes), NOTES_PER_DATAGRAM)]
        self._send_header()
        for index in range(len(self._clip_notes)):
            self._send_notes(req, index)
        self._ask(lambda: self._send("clip/end", req, len(self._clip_notes)), "clip/ready", ("req", req))
        return req

    def generate(self, clip_req: int, bars: int, parts_mask: int = 0, seed: int = -1, at_tick: int = -1) -> Message:
        """Ask for a continuation; the daemon's `take/begin`, whose `req` names the take.

        Raises:
            NoAnswer, ProtocolError: nobody is there; the request is refused.
        """
        req = self._next_req()
        self._generate = (req, clip_req, bars, parts_mask, seed, at_tick)
        return self._ask(lambda: self._send("generate", *self._generate), "take/begin", ("req", req))

    def ask_again(self, take: TakeReader) -> None:
        """Ask for what is missing of the latest take; call it whenever `poll` brings nothing, it keeps its own pace."""
        if self._now_s() - self._asked_again_s < RESEND_S:
            return
        self._asked_again_s = self._now_s()
        for index in take.missing():
            self._send("take/need", take.req, index)
        if take.end is None:
            self._send("generate", *self._generate)  # answered by how it ended, once it has

    def transport(self, is_playing: bool, song_tick: int, bpm: float, meter: Meter) -> None:
        """Say where the host is now; a `status` follows."""
        self._send("transport", int(is_playing), song_tick, float(bpm), meter.numerator, meter.denominator)

    def cancel(self, req: int) -> None:
        """Stop a take."""
        self._send("cancel", req)

    def poll(self, wait_s: float) -> Message | None:
        """The next message to this client, errors too, or None; keeps the daemon aware of it meanwhile."""
        return self._kept.popleft() if self._kept else self._receive(wait_s)

    def _receive(self, wait_s: float) -> Message | None:
        """The next message from the socket; gaps in a clip are filled on the way."""
        if self._now_s() - self._hello_s > HEARTBEAT_S:
            self._say_hello()
        try:
            event = self._inbox.get(timeout=max(0.0, wait_s))
        except Empty:
            return None
        if isinstance(event, Refused) or event.message.client_id != self._id:
            return None
        if event.message.name == "clip/need":
            index = event.message.integer("index")
            if index == HEADER_INDEX:
                self._send_header()
            else:
                self._send_notes(event.message.integer("req"), index)
            return None
        return event.message

    def _ask(
        self, send: Callable[[], None], answer: str, match: tuple[str, int | str] | None = None, tries: int = TRIES
    ) -> Message:
        """Send until the answer is there; whatever else arrives meanwhile is kept for `poll`."""
        for _ in range(tries):
            send()
            deadline_s = self._now_s() + RESEND_S
            while (left_s := deadline_s - self._now_s()) > 0:
                message = self._receive(left_s)
                if message is None:
                    continue
                if is_failure(message):
                    raise reported(message)
                if message.name == answer and (match is None or message.values[match[0]] == match[1]):
                    return message
                self._kept.append(message)
        host, port = self._daemon
        raise NoAnswer(
            f"no Continuo answers at {host}:{port}; start one with `continuo serve`, or see `continuo doctor`"
        )

    def _send(self, name: str, *values: Value) -> None:
        self._socket.send(self._daemon, name, (self._id, *values))

    def _say_hello(self) -> None:
        self._hello_s = self._now_s()
        self._send("hello", self._socket.address[1], PROTO, self._name)

    def _send_header(self) -> None:
        for name, values in self._clip_header:
            self._send(name, *values)

    def _send_notes(self, req: int, index: int) -> None:
        if index < len(self._clip_notes):
            self._socket.send(self._daemon, "clip/notes", (self._id, req, index), self._clip_notes[index])
        if index % PACE_DATAGRAMS == PACE_DATAGRAMS - 1:
            time.sleep(PACE_S)

    def _next_req(self) -> int:
        self._req += 1
        return self._req


def is_failure(message: Message) -> bool:
    """Whether a request came to nothing; a MIDI fault is news, for everything comes over OSC as well."""
    return message.name == "error" and message.integer("code") != ErrorCode.MIDI_FAULT


def reported(message: Message) -> ProtocolError:
    """What an error message says, to be raised."""
    return ProtocolError(ErrorCode(message.integer("code")), message.text("text"))
