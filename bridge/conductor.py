"""What follows from each event: session, stage, worker and wire brought together. Main thread only.

It owns no thread, no socket and no port: `daemon` does, and hands them in.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bridge.clock import Clock
from bridge.clock import Transport as HostTransport
from bridge.context import scene_of
from bridge.controls import MODEL
from bridge.effects import (
    Cancel,
    ClientKey,
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
    TransportChanged,
)
from bridge.errors import ErrorCode
from bridge.jobs import Ended, Failed, Job, Made, ModelFailed, ModelReady, WorkerEvent
from bridge.metrics import Metrics
from bridge.midi import LateNotes, PortEvent, PortLost, PortOpened, PortState
from bridge.osc import OscSocket
from bridge.protocol import Received, Refused
from bridge.recorder import Recorder
from bridge.scheduler import Scheduler
from bridge.session import Session
from bridge.stage import Act, Stage
from bridge.timeline import TakeState
from bridge.wire_table import MAX_INT, MAX_TICK, PREFIX, State
from bridge.worker import Worker

logger = logging.getLogger(__name__)

NO_MODEL = "none"  # what clients read as the model while there is none; choosing one then loads it, again if need be
DEFECT = "the daemon failed at this, which is a defect; try again, and report what its log says"
MIDI_FAULT_PATH = PREFIX + "status"  # a silent port is no fault of any request: takes go on over OSC


@dataclass(frozen=True, slots=True)
class Stop:
    """End the daemon."""


@dataclass(frozen=True, slots=True)
class TakeOver:
    """The scheduler has played the last of a take."""

    take: TakeState


Event = Received | Refused | WorkerEvent | PortLost | PortOpened | LateNotes | TakeOver | Stop


class Conductor:
    """Everything the main thread does with an event."""

    def __init__(
        self,
        session: Session,
        worker: Worker,
        scheduler: Scheduler,
        socket: OscSocket,
        clock: Clock,
        metrics: Metrics,
        port_state: Callable[[], PortState],
        late_at_port: Callable[[int], int],
        recorder: Recorder | None = None,
        seed: int | None = None,
    ) -> None:
        """`seed` makes the seeds of takes that ask for none repeatable."""
        self._session, self._worker, self._scheduler, self._socket = session, worker, scheduler, socket
        self._clock, self._metrics, self._port_state = clock, metrics, port_state
        self._stage = Stage(scheduler, clock, metrics, late_at_port, recorder.set_tempo if recorder else _unrecorded)
        self._hosts: dict[ClientKey, HostTransport] = {}
        self._random = random.Random(seed)
        self._loads = 0
        self._model = NO_MODEL
        self._model_problem = ""
        self.is_running = True

    def load(self, name: str) -> None:
        """Make a model everybody's."""
        self._loads += 1
        self._set_state()
        self._worker.load(name)

    def tick(self) -> None:
        """What follows from time alone; a few times a second."""
        try:
            self._do(self._session.tick(time.monotonic()))
            for act in self._stage.due_for_status():
                self._report(act.client)
        except Exception:
            logger.exception("what time asks for could not be done")

    def handle(self, event: Event) -> None:
        """Take in one event; whatever it does wrong is logged and answered, and the daemon goes on."""
        try:
            self._dispatch(event)
        except Exception:
            logger.exception("an event could not be handled: %r", event)
            if isinstance(event, Received):
                values = (event.message.client_id, event.message.path, int(ErrorCode.MODEL_FAULT), DEFECT)
                self._socket.send(event.sender, "error", values)

    def _dispatch(self, event: Event) -> None:
        match event:
            case Received() | Refused():
                self._set_state()
                self._do(self._session.apply(event, time.monotonic()))
            case Made(tag, notes, reached_tick):
                if act := self._stage.get(tag):
                    self._stage.add(act, notes, reached_tick)
                    self._do(self._session.take_notes(act.client, act.request.req, notes))
            case Ended(tag):
                if act := self._stage.get(tag):
                    self._stage.complete(act)
                    self._tell_end(act)
            case Failed(tag, problem):
                if act := self._stage.get(tag):
                    self._stage.leave(act)
                    self._do(self._session.take_failed(act.client, act.request.req, ErrorCode.MODEL_FAULT, problem))
            case TakeOver(take):
                if act := self._stage.fall_silent(take):
                    self._tell_end(act)
            case ModelReady() | ModelFailed():
                self._model_changed(event)
            case PortOpened() | PortLost() | LateNotes():
                self._port_changed(event)
            case Stop():
                self.is_running = False

    def _port_changed(self, event: PortEvent) -> None:
        match event:
            case PortOpened():
                self._scheduler.forget_programs()
            case PortLost(problem):
                for client in self._session.clients():
                    self._do(self._session.fail(client, MIDI_FAULT_PATH, ErrorCode.MIDI_FAULT, problem))
            case LateNotes(tag, count):
                if act := self._stage.get(tag):
                    act.late = max(act.late, count)

    def _model_changed(self, event: ModelReady | ModelFailed) -> None:
        self._loads -= 1
        match event:
            case ModelReady(name, spec):
                self._model, self._model_problem = name, ""
                self._session.device = spec.device
                logger.info("model %s ready (%.1f M parameters, %s)", name, spec.parameters / 1e6, spec.device)
            case ModelFailed(_, problem, has_model):
                self._model_problem = self._session.model_problem = "" if has_model else problem
                for client in self._session.clients():
                    self._do(self._session.fail(client, PREFIX + "set", ErrorCode.MODEL_FAULT, problem))
        if not self._loads:
            self._session.model = self._model
        self._set_state()

    def _set_state(self) -> None:
        acts = list(self._stage)
        if self._loads:
            state = State.LOADING
        elif self._model_problem:
            state = State.FAULT
        elif any(not act.is_whole for act in acts):
            state = State.GENERATING
        else:
            state = State.PLAYING if acts else State.READY
        self._session.state = state

    # Effects

    def _do(self, effects: Iterable[Effect]) -> None:
        for effect in effects:
            self._execute(effect)

    def _execute(self, effect: Effect) -> None:
        match effect:
            case Reply(destination, name, values, notes):
                self._socket.send(destination, name, values, notes)
            case ReportStatus(client, _):
                self._report(client)
            case Prefill(client, clip):
                self._worker.prefill(client, scene_of(clip, self._session.controls(client).for_model))
            case Generate():
                self._generate(effect)
            case Supersede(client, req):
                if act := self._stage.find(client, req):
                    self._worker.cancel(act.tag)
            case Cancel(client, req):
                if act := self._stage.find(client, req):
                    self._worker.cancel(act.tag)
                    self._stage.leave(act)
            case Panic():
                for act in self._stage:
                    self._worker.cancel(act.tag)
                self._stage.clear()
            case Gone(client):
                for act in self._stage.of(client):
                    self._worker.cancel(act.tag)
                    self._stage.leave(act)
                self._hosts.pop(client, None)
            case Forgotten(client):
                self._worker.forget(client)
            case TransportChanged(client):
                self._follow(client)
            case ControlChanged(_, name, value):
                if name == MODEL:
                    self.load(str(value))

    def _generate(self, effect: Generate) -> None:
        client, request = effect.client, effect.request
        scene = scene_of(request.clip, request.controls.for_model)
        seed = self._random.randrange(MAX_INT) if request.seed is None else request.seed
        act = self._stage.enter(client, request, scene, seed, self._hosts.get(client))
        for older in self._stage.of(client):
            if older is not act:
                self._stage.supersede(older, act)
        job = Job(
            act.tag, client, scene, request.parts, request.bars, seed, request.controls.for_model,
            lambda: self._stage.limit_tick(act),
        )  # fmt: skip
        self._worker.begin(job)
        self._do(self._session.take_begun(client, request.req, request.bars, request.parts, seed, act.at_tick))
        if act.sounds and (problem := self._port_state().problem):
            self._do(self._session.fail(client, MIDI_FAULT_PATH, ErrorCode.MIDI_FAULT, problem))

    def _follow(self, client: ClientKey) -> None:
        """The client's host moved: a stop ends what sounds in its time, a tempo bends it."""
        said = self._session.transport(client)
        if said is None:
            return
        now_ns = self._clock.now_ns()
        self._hosts[client] = HostTransport().updated(now_ns, said.song_tick, said.bpm, said.is_playing, said.meter)
        if said.is_playing:
            self._stage.follow(client, said.song_tick, said.bpm)
        else:
            for act in self._stage.of(client):
                if act.follows_host:
                    self._stage.hush(act)

    # Telling

    def _tell_end(self, act: Act) -> None:
        if act.is_whole:
            self._do(self._session.take_ended(act.client, act.request.req, act.late))

    def _report(self, client: ClientKey) -> None:
        self._set_state()
        destination = self._session.destination(client)
        if destination is None:
            return
        acts = self._stage.of(client)
        horizon_tick = max((max(0, act.at_tick) + act.reached_tick for act in acts), default=0)
        horizon_tick = min(horizon_tick, MAX_TICK)
        figures = self._metrics.snapshot()
        values = (
            client.id,
            int(self._session.state),
            horizon_tick,
            round(figures.p95_us),
            figures.late,
            figures.dropped,
        )
        self._socket.send(destination, "status", values)


def _unrecorded(ns: int, bpm: float) -> None:
    """Where nothing is recorded, no tempo is."""
