"""Short ways to make messages and to read what a session answers."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.effects import Effect, Reply
from bridge.protocol import Message, Received, Sender, build, parse
from bridge.requests import Identity
from bridge.session import Session
from bridge.wire_table import NOTES_PER_DATAGRAM, State, Value
from models.music.score import Note

SENDER: Sender = ("127.0.0.1", 50_000)
ME = 77
BAR = 1920


def message(name: str, /, *values: Value, notes: Sequence[Note] = ()) -> Message:
    """A message as the socket hands it on."""
    return parse(*build(name, *values, notes=notes))


def chunks(notes: Sequence[Note], size: int = NOTES_PER_DATAGRAM) -> list[Sequence[Note]]:
    """Notes by datagram."""
    return [notes[at : at + size] for at in range(0, len(notes), size)]


def clip_messages(
    req: int, notes: Sequence[Note], parts: Sequence[int] = (0,), length_ticks: int = BAR, client_id: int = ME
) -> list[Message]:
    """Everything a client sends of one clip, in order."""
    datagrams = chunks(notes)
    return [
        message("clip/begin", client_id, req, len(notes), length_ticks, 4, 4, 120.0),
        *(message("clip/part", client_id, req, part, int(part == 9), part, f"part {part}") for part in parts),
        *(message("clip/notes", client_id, req, index, notes=some) for index, some in enumerate(datagrams)),
        message("clip/end", client_id, req, len(datagrams)),
    ]


def scale_of(count: int, part: int = 0) -> list[Note]:
    """Some notes, sorted."""
    return [Note(10 * step, part, 36 + step % 48, 240, 1 + step % 127) for step in range(count)]


class Talk:
    """A session and a clock that is moved by hand; every word may come from another client."""

    def __init__(self) -> None:
        models = {"gpt": frozenset({"temperature", "top_p"}), "rnn": frozenset({"temperature"})}
        self.session = Session(Identity("1.2.3", "cpu"), "gpt", models)
        self.session.state = State.READY
        self.now_s = 1000.0

    def say(
        self, name: str, /, *values: Value, notes: Sequence[Note] = (), by: int = ME, sender: Sender = SENDER
    ) -> list[Effect]:
        """What follows from one message of client `by`."""
        return self.hear(message(name, by, *values, notes=notes), sender)

    def hear(self, spoken: Message, sender: Sender = SENDER) -> list[Effect]:
        """What follows from a message."""
        return self.session.apply(Received(spoken, sender), self.now_s)

    def send_clip(self, req: int, notes: Sequence[Note], parts: Sequence[int] = (0,), by: int = ME) -> list[Effect]:
        """What follows from a whole clip."""
        return [effect for spoken in clip_messages(req, notes, parts, client_id=by) for effect in self.hear(spoken)]

    def wait(self, seconds: float) -> list[Effect]:
        """Let time pass, looked at ten times a second."""
        effects: list[Effect] = []
        for _ in range(round(seconds * 10)):
            self.now_s += 0.1
            effects += self.session.tick(self.now_s)
        return effects


def told(effects: Sequence[Effect]) -> list[tuple[str, tuple[Value, ...]]]:
    """Name and values of every reply, the client's number left out."""
    return [(effect.name, effect.values[1:]) for effect in effects if isinstance(effect, Reply)]


def others(effects: Sequence[Effect]) -> list[Effect]:
    """Every effect that is no reply."""
    return [effect for effect in effects if not isinstance(effect, Reply)]


def error_codes(effects: Sequence[Effect]) -> list[tuple[Value, Value]]:
    """Address and code of every error."""
    return [(values[0], values[1]) for name, values in told(effects) if name == "error"]


def hello(talk: Talk, by: int = ME, port: int = 9001) -> list[Effect]:
    """What follows from a greeting."""
    return talk.say("hello", port, 1, "Live", by=by)


def generate(talk: Talk, req: int, clip_req: int = 1, bars: int = 8, parts: int = 0, seed: int = -1) -> list[Effect]:
    """What follows from asking for a take."""
    return talk.say("generate", req, clip_req, bars, parts, seed, -1)
