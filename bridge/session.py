"""What we know of every client, and what follows from each message. No thread, no socket, no clock of its own.

The daemon's main thread alone calls it: it applies what the socket received, says how takes go on, and executes the
effects in their order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType

from bridge.answers import Answer, refusal
from bridge.clients import Client, Clients, key_of
from bridge.control_desk import ControlDesk
from bridge.controls import ControlValues, Output
from bridge.effects import ClientKey, Effect, Forgotten, Reply, Transport
from bridge.errors import ErrorCode, ProtocolError
from bridge.protocol import Received, Refused, Sender
from bridge.requests import Identity, Requests, leave, replies
from bridge.take_log import Take
from bridge.take_request import parts_to_mask
from bridge.wire_table import State, Value
from models.music.score import Note

CLIENT_TIMEOUT_S = 10.0
KEEP_CLIP_S = 600.0
NO_MODELS: Mapping[str, frozenset[str]] = MappingProxyType({})
NO_DEFAULTS: Mapping[str, Value] = MappingProxyType({})


class Session:
    """The state machine. Every method belongs to the main thread."""

    def __init__(
        self,
        identity: Identity,
        model: str,
        models: Mapping[str, frozenset[str]] = NO_MODELS,
        defaults: Mapping[str, Value] = NO_DEFAULTS,
        client_timeout_s: float = CLIENT_TIMEOUT_S,
    ) -> None:
        """`models`: every model there is, with the controls it heeds; `defaults`: controls of new clients.

        Raises:
            ProtocolError: a default is no value of its control.
        """
        self._desk = ControlDesk(model, models, defaults)
        self._clients = Clients(self._desk.fresh)
        self._requests = Requests(identity, self._desk, self._clients)
        self._client_timeout_s = client_timeout_s

    def apply(self, event: Received | Refused, now_s: float) -> list[Effect]:
        """Everything that follows from one event; `now_s` is any steady clock's, the same for `tick`."""
        if isinstance(event, Refused):
            return [self._answer_refused(event)]
        effects = self._make_room(event)
        try:
            client = self._clients.hear(event.message, event.sender, now_s)
        except ProtocolError as error:
            answer = refusal(event.message.path, error)
            return [*effects, Reply(event.sender, answer.name, (event.message.client_id, *answer.values))]
        return effects + self._requests.serve(client, event.message)

    def tick(self, now_s: float) -> list[Effect]:
        """What follows from time alone; call it a few times a second."""
        effects: list[Effect] = []
        for client in self._clients.all():
            silence_s = now_s - client.heard_s
            if silence_s >= KEEP_CLIP_S:
                effects += self._forget(client)
            elif client.has_said_hello and not client.is_gone and silence_s >= self._client_timeout_s:
                effects += leave(client)
            elif not client.is_gone:
                for result in client.clips.tick(now_s):
                    effects += self._requests.after_clip(client, result)
        return effects

    @property
    def state(self) -> State:
        """What the daemon is doing; the daemon sets it. LOADING and FAULT (of the model) refuse `generate`."""
        return self._requests.state

    @state.setter
    def state(self, state: State) -> None:
        self._requests.state = state

    @property
    def device(self) -> str:
        """Where the model computes, for `welcome`; the daemon sets it once it knows."""
        return self._requests.device

    @device.setter
    def device(self, device: str) -> None:
        self._requests.device = device

    @property
    def model_problem(self) -> str:
        """Why no model plays, ending in the cure; the daemon sets it with state 4."""
        return self._requests.model_problem

    @model_problem.setter
    def model_problem(self, problem: str) -> None:
        self._requests.model_problem = problem

    @property
    def model(self) -> str:
        """The model that plays or is being loaded; a client's `set` changes it, and so may the daemon."""
        return self._desk.model

    @model.setter
    def model(self, name: str) -> None:
        self._desk.model = name

    def clients(self) -> list[ClientKey]:
        """Everybody who is not gone."""
        return [client.key for client in self._clients.all() if not client.is_gone]

    def destination(self, key: ClientKey) -> Sender | None:
        """Where replies to a client go; None when it is unknown."""
        client = self._clients.get(key)
        return client.destination if client else None

    def transport(self, key: ClientKey) -> Transport | None:
        """What a client's host said last; None when it never did."""
        client = self._clients.get(key)
        return client.transport if client else None

    def controls(self, key: ClientKey) -> ControlValues:
        """A client's controls as they stand; the defaults for an unknown one."""
        client = self._clients.get(key)
        return client.controls if client else self._desk.fresh()

    def take_begun(
        self, key: ClientKey, req: int, bars: int, parts: Iterable[int], seed: int, at_tick: int
    ) -> list[Effect]:
        """Generation has begun; `at_tick` is where it sounds, -1 on a stopped transport."""
        return self._of_take(key, req, lambda take: take.begun((bars, parts_to_mask(parts), seed, at_tick)))

    def take_notes(self, key: ClientKey, req: int, notes: Sequence[Note]) -> list[Effect]:
        """Notes were made, onsets relative to the take's start, in order. Logged even where OSC is not wanted."""
        effects = self._of_take(key, req, lambda take: take.add(notes))
        return effects if Output.OSC in self.controls(key).output else []

    def take_ended(self, key: ClientKey, req: int, late: int) -> list[Effect]:
        """The take is whole; call it again when more notes were `late` at the MIDI port."""
        return self._of_take(key, req, lambda take: take.end(late))

    def take_failed(self, key: ClientKey, req: int, code: ErrorCode, text: str) -> list[Effect]:
        """The take cannot be made; `text` is one sentence, ending in the cure."""
        return self._of_take(key, req, lambda take: take.fail(ProtocolError(code, text)))

    def fail(self, key: ClientKey, address: str, code: ErrorCode, text: str) -> list[Effect]:
        """An earlier request to `address` has failed after all, as a model that cannot be loaded."""
        client = self._clients.get(key)
        return replies(client, [refusal(address, ProtocolError(code, text))]) if client else []

    def _of_take(self, key: ClientKey, req: int, step: Callable[[Take], list[Answer]]) -> list[Effect]:
        """One step of a take; nothing where the client is away or the take no longer known."""
        client = self._clients.get(key)
        take = client.takes.get(req) if client else None
        return replies(client, step(take)) if client and take else []

    def _answer_refused(self, event: Refused) -> Effect:
        """Tell whoever sent what could not be understood; a client we know is told where it listens."""
        known = self._clients.get(key_of(event.client_id, event.sender)) if event.client_id else None
        answer = refusal(event.address, ProtocolError(event.code, event.text))
        destination = known.destination if known else event.sender
        return Reply(destination, answer.name, (event.client_id or 0, *answer.values))

    def _make_room(self, event: Received) -> list[Effect]:
        """Forget somebody before one too many comes."""
        if self._clients.get(key_of(event.message.client_id, event.sender)) is not None:
            return []
        crowded_out = self._clients.crowded_out()
        return self._forget(crowded_out) if crowded_out else []

    def _forget(self, client: Client) -> list[Effect]:
        self._clients.forget(client.key)
        return [*leave(client), Forgotten(client.key)]
