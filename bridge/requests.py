"""What each request does: one method for each address a client may send. They decide and execute nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from bridge.answers import Answer, refusal
from bridge.clients import Client, Clients
from bridge.clip_inbox import InboxResult
from bridge.control_desk import ControlDesk
from bridge.controls import MODEL, ControlValues
from bridge.effects import (
    Cancel,
    ControlChanged,
    Effect,
    Forgotten,
    Generate,
    Gone,
    Panic,
    Prefill,
    Reply,
    ReportStatus,
    Supersede,
    Transport,
    TransportChanged,
)
from bridge.errors import ErrorCode, ProtocolError
from bridge.protocol import Message
from bridge.take_log import Take
from bridge.take_request import read_request
from bridge.wire_table import NOTES_PER_DATAGRAM, PROTO, State
from models.music.constants import PPQ
from models.music.score import Meter


@dataclass(frozen=True, slots=True)
class Identity:
    """What `welcome` tells of the daemon."""

    version: str
    device: str


def replies(client: Client, answers: Sequence[Answer]) -> list[Effect]:
    """Answers on their way to the client."""
    return [Reply(client.destination, each.name, (client.key.id, *each.values), each.notes) for each in answers]


def silence(client: Client) -> list[Answer]:
    """End every take of a client; what it is to be told."""
    waiting, client.waiting = client.waiting, None
    answers = [_never_begun(waiting)] if waiting else []
    return answers + [answer for take in client.takes.audible() for answer in take.silence()]


def leave(client: Client) -> list[Effect]:
    """A client is gone: its takes are over, and it is told nothing more. Nothing when it was gone already."""
    if client.is_gone:
        return []
    client.is_gone = True
    client.transport = None
    silence(client)
    return [Gone(client.key)]


def _never_begun(generate: Message) -> Answer:
    """The end of a take that was only waiting for its clip."""
    return Answer("take/end", (generate.integer("req"), 0, 0, 0))


class Requests:
    """The handlers. `state` is the daemon's to set: `pong` tells it, LOADING and FAULT refuse `generate`."""

    def __init__(self, identity: Identity, desk: ControlDesk, clients: Clients) -> None:
        self.state = State.LOADING
        self.device = identity.device
        self.model_problem = ""
        self._version = identity.version
        self._desk = desk
        self._clients = clients
        self._handlers: dict[str, Callable[[Client, Message], list[Effect]]] = {
            "hello": self._hello,
            "ping": self._ping,
            "transport": self._transport,
            "scale": self._scale,
            "clip/begin": self._clip,
            "clip/part": self._clip,
            "clip/notes": self._clip,
            "clip/end": self._clip,
            "generate": self._generate,
            "cancel": self._cancel,
            "take/need": self._take_need,
            "set": self._set,
            "get": self._get,
            "panic": self._panic,
            "bye": self._bye,
        }

    def serve(self, client: Client, message: Message) -> list[Effect]:
        """Whatever follows from one request, a refusal included."""
        try:
            return self._handlers[message.name](client, message)
        except ProtocolError as error:
            return replies(client, [refusal(message.path, error)])

    def after_clip(self, client: Client, result: InboxResult) -> list[Effect]:
        """Answer for a clip, and take up the `generate` that waited for it."""
        effects = replies(client, result.answers)
        if result.clip is not None:
            effects.append(Prefill(client.key, result.clip))
        settled = {result.failed_req, result.clip.req if result.clip else None}
        waiting = client.waiting
        if waiting and waiting.integer("clip_req") in settled:
            client.waiting = None
            effects += self.serve(client, waiting)
        return effects

    def _hello(self, client: Client, message: Message) -> list[Effect]:
        if message.integer("proto") != PROTO:
            text = f"protocol {message.integer('proto')} is not spoken here, only {PROTO}; update the older side"
            raise ProtocolError(ErrorCode.OUT_OF_RANGE, text)
        values = (PROTO, self._version, self._desk.model, self.device, PPQ, NOTES_PER_DATAGRAM)
        return replies(client, [Answer("welcome", values)])

    def _ping(self, client: Client, message: Message) -> list[Effect]:
        return replies(client, [Answer("pong", (message.integer("n"), int(self.state)))])

    def _transport(self, client: Client, message: Message) -> list[Effect]:
        meter = Meter(0, message.integer("num"), message.integer("den"))
        is_playing = bool(message.integer("playing"))
        client.transport = Transport(is_playing, message.integer("song_tick"), message.number("tempo"), meter)
        return [TransportChanged(client.key, client.transport), ReportStatus(client.key, client.destination)]

    def _scale(self, client: Client, message: Message) -> list[Effect]:
        turned = self._desk.scaled(client.controls, message.integer("root"), message.integer("mask"))
        return self._turn(client, turned, ("scale_root", "scale_mask"))

    def _set(self, client: Client, message: Message) -> list[Effect]:
        name, value = message.text("name"), message.values["value"]
        if name != MODEL:
            return self._turn(client, self._desk.turned(client.controls, name, value), (name,))
        is_new = self._desk.choose_model(value)
        changed: list[Effect] = [ControlChanged(client.key, MODEL, value)] if is_new else []
        return changed + replies(client, self._desk.tell(client.controls, MODEL))

    def _turn(self, client: Client, turned: ControlValues, names: Iterable[str]) -> list[Effect]:
        """Take over new control values; tell all of `names`, changed or not."""
        before, client.controls = client.controls.values, turned
        effects: list[Effect] = [
            ControlChanged(client.key, name, turned.values[name])
            for name in names
            if turned.values[name] != before[name]
        ]
        return effects + replies(client, [answer for name in names for answer in self._desk.tell(turned, name)])

    def _get(self, client: Client, message: Message) -> list[Effect]:
        return replies(client, self._desk.tell(client.controls, message.text("name")))

    def _clip(self, client: Client, message: Message) -> list[Effect]:
        return self.after_clip(client, client.clips.take_in(message, client.heard_s))

    def _generate(self, client: Client, message: Message) -> list[Effect]:
        req = message.integer("req")
        known = client.takes.get(req)
        if known:
            return replies(client, known.repeat(message))
        client.takes.check_new(req)
        if client.clips.is_coming(message.integer("clip_req")):
            replaced, client.waiting = client.waiting, message
            return replies(client, [_never_begun(replaced)] if replaced and replaced != message else [])
        self._require_ready()
        request = read_request(message, client.clips.find(message.integer("clip_req")), client.controls)
        effects: list[Effect] = []
        for take in client.takes.audible():
            effects += [Supersede(client.key, take.req), *replies(client, take.silence())]
        client.takes.add(Take(message, request))
        return [*effects, Generate(client.key, request)]

    def _cancel(self, client: Client, message: Message) -> list[Effect]:
        req = message.integer("req")
        waiting = client.waiting
        if waiting and waiting.integer("req") == req:
            client.waiting = None
            return replies(client, [_never_begun(waiting)])
        take = client.takes.find(req)
        return [Cancel(client.key, req), *replies(client, take.silence() or take.last_word())]

    def _take_need(self, client: Client, message: Message) -> list[Effect]:
        take = client.takes.find(message.integer("req"))
        return replies(client, [take.resend(message.integer("index"))])

    def _panic(self, client: Client, message: Message) -> list[Effect]:
        effects: list[Effect] = [Panic(client.key)]
        for each in self._clients.all():
            effects += replies(each, silence(each))
        return [*effects, ReportStatus(client.key, client.destination)]

    def _bye(self, client: Client, message: Message) -> list[Effect]:
        self._clients.forget(client.key)
        return [*leave(client), Forgotten(client.key), ReportStatus(client.key, client.destination)]

    def _require_ready(self) -> None:
        """Refuse to generate while there is no model to do it."""
        if self.state is State.LOADING:
            text = "the model is still being loaded; generate again when pong says state 1"
            raise ProtocolError(ErrorCode.BUSY, text)
        if self.state is State.FAULT:
            raise ProtocolError(ErrorCode.MODEL_FAULT, self.model_problem or "no model plays; set another one")
