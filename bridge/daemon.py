"""The daemon's life: wiring, the main loop, shutdown in order. What a message means is the session's business.

The main thread alone touches the session and the stage. The socket, the worker, the port and the scheduler meet here
through one queue and nowhere else.
"""

from __future__ import annotations

import contextlib
import logging
import random
import signal
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from types import FrameType

from bridge import __version__, log
from bridge.clock import Clock, MonotonicClock
from bridge.clock import Transport as HostTransport
from bridge.config import Config
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
from bridge.metrics import Metrics
from bridge.midi import LateNotes, MidiOut, NullMidiOut, PortEvent, PortLost, PortOpened
from bridge.osc import OscSocket
from bridge.port_open import PortRequest
from bridge.protocol import Received, Refused
from bridge.recorder import Recorder, Tee
from bridge.requests import Identity
from bridge.scheduler import Scheduler
from bridge.session import Session
from bridge.stage import Act, Stage
from bridge.timeline import TakeState
from bridge.wire_table import MAX_INT, PREFIX, State
from bridge.worker import Ended, Failed, Job, Made, ModelFailed, ModelReady, Worker, WorkerEvent
from models import registry

logger = logging.getLogger(__name__)

MIDI_FAULT_PATH = PREFIX + "status"  # a silent port is no fault of any request: takes go on over OSC
TICK_S = 0.05  # how often time alone is looked at
SWITCH_S = 0.0005  # a note waits at most this long for the interpreter while the model computes


@dataclass(frozen=True, slots=True)
class Stop:
    """End the daemon."""


@dataclass(frozen=True, slots=True)
class TakeOver:
    """The scheduler has played the last of a take."""

    take: TakeState


Event = Received | Refused | WorkerEvent | PortLost | PortOpened | LateNotes | TakeOver | Stop


class Daemon:
    """One daemon; `run` returns when it was told to end."""

    def __init__(self, config: Config, clock: Clock | None = None) -> None:
        """Bind the socket and open the recording, so that what cannot work is told before anything starts.

        Raises:
            PortError: the UDP port is taken, or the recording cannot be written.
        """
        log.setup(config.log_level)
        self.config = config
        self._clock = clock or MonotonicClock()
        self._events: SimpleQueue[Event] = SimpleQueue()
        self._metrics = Metrics()
        self._socket = OscSocket(self._events, config.osc_host, config.osc_port)
        self.address = self._socket.address
        self._midi = self._make_midi()
        self._recorder = Recorder(config.record, self._clock) if config.record else None
        port = Tee(self._midi, self._recorder) if self._recorder else self._midi
        self._scheduler = Scheduler(
            port, self._clock, self._metrics, on_over=lambda take: self._events.put(TakeOver(take))
        )
        self._stage = Stage(self._scheduler, self._clock, self._metrics, self._midi.late_notes)
        models = {name: entry.controls for name, entry in registry.ENTRIES.items()}
        models.setdefault(config.model, frozenset())
        self._session = Session(
            Identity(__version__, config.device), config.model, models, config.controls, config.client_timeout_s
        )
        self._worker = Worker(registry.load, config.device, self._events.put)
        self._loading: str | None = config.model
        self._model_problem = ""
        self._random = random.Random(config.seed)
        self._hosts: dict[ClientKey, HostTransport] = {}
        self._is_running = False

    def _make_midi(self) -> MidiOut | NullMidiOut:
        if self.config.midi == "none":
            return NullMidiOut()
        request = PortRequest(self.config.midi, self.config.midi_port, self.config.existing_port or "")
        return MidiOut(request, self._metrics, self._events.put)

    # Life

    def run(self) -> None:
        """Serve until SIGTERM, SIGINT or `stop`; a second SIGINT ends at once."""
        sys.setswitchinterval(SWITCH_S)
        with self._signals():
            self._start()
            try:
                self._main_loop()
            finally:
                self._shut_down()

    def stop(self) -> None:
        """Ask it to end; any thread."""
        self._events.put(Stop())

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        def ask(number: int, frame: FrameType | None) -> None:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            self.stop()

        before = {number: signal.signal(number, ask) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _start(self) -> None:
        self._is_running = True
        self._socket.start()
        logger.info("Continuo %s listens on %s:%d (OSC over UDP)", __version__, *self.address)
        self._midi.start()
        self._scheduler.open()
        self._worker.start()
        self._worker.load(self.config.model)

    def _main_loop(self) -> None:
        ticked_s = 0.0
        while self._is_running:
            with contextlib.suppress(Empty):
                self._handle(self._events.get(timeout=TICK_S))
            now_s = time.monotonic()
            if now_s - ticked_s >= TICK_S:
                ticked_s = now_s
                self._do(self._session.tick(now_s))
                self._report_beats()

    def _shut_down(self) -> None:
        """Hear nothing more, make nothing more, end every note, then let go of the ports."""
        self._socket.close()
        self._scheduler.close()
        self._midi.stop()
        if self._recorder:
            self._recorder.close()
        self._worker.stop()
        figures = self._metrics.snapshot()
        logger.info(
            "ended: %d sent, %d late, %d dropped, p99 %.0f us",
            figures.sent,
            figures.late,
            figures.dropped,
            figures.p99_us,
        )

    # Events

    def _handle(self, event: Event) -> None:
        """Take in one event; whatever it does wrong is logged, and the daemon goes on."""
        try:
            self._dispatch(event)
        except Exception:
            logger.exception("an event could not be handled: %r", event)

    def _dispatch(self, event: Event) -> None:
        match event:
            case Received() | Refused():
                self._set_state()
                self._do(self._session.apply(event, time.monotonic()))
            case Made(tag, notes):
                if act := self._stage.get(tag):
                    self._stage.add(act, notes)
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
                self._is_running = False

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
        self._loading = None
        match event:
            case ModelReady(name, spec, device):
                self._model_problem = ""
                logger.info("model %s ready (%.1f M parameters, %s)", name, spec.parameters / 1e6, device)
            case ModelFailed(_, problem, has_model):
                self._model_problem = "" if has_model else problem
                for client in self._session.clients():
                    self._do(self._session.fail(client, PREFIX + "set", ErrorCode.MODEL_FAULT, problem))
        self._set_state()

    def _set_state(self) -> None:
        acts = list(self._stage)
        if self._loading is not None:
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
                self._end(client, req, is_replaced=True)
            case Cancel(client, req):
                self._end(client, req)
            case Panic():
                for act in self._stage:
                    self._worker.cancel(act.tag)
                self._stage.clear()
            case Gone(client):
                for act in self._stage.of(client):
                    self._worker.cancel(act.tag)
                    self._stage.leave(act)
            case Forgotten(client):
                self._worker.forget(client)
                self._hosts.pop(client, None)
            case TransportChanged(client):
                self._follow(client)
            case ControlChanged(_, name, value):
                if name == MODEL:
                    self._loading = str(value)
                    self._set_state()
                    self._worker.load(str(value))

    def _generate(self, effect: Generate) -> None:
        client, request = effect.client, effect.request
        scene = scene_of(request.clip, request.controls.for_model)
        seed = self._random.randrange(MAX_INT) if request.seed is None else request.seed
        act = self._stage.enter(client, request, scene, seed, self._hosts.get(client))
        self._end_superseded(client, act)
        if self._recorder and act.line is not None:
            self._recorder.set_tempo(self._clock.now_ns(), act.line.bpm)
        job = Job(
            act.tag, client, scene, request.parts, request.bars, seed, request.controls.for_model,
            lambda: self._stage.limit_tick(act),
        )  # fmt: skip
        self._worker.begin(job)
        self._do(self._session.take_begun(client, request.req, request.bars, request.parts, seed, act.at_tick))
        if act.sounds and (problem := self._midi.state.problem):
            self._do(self._session.fail(client, MIDI_FAULT_PATH, ErrorCode.MIDI_FAULT, problem))

    def _end(self, client: ClientKey, req: int, is_replaced: bool = False) -> None:
        act = self._stage.find(client, req)
        if act is None:
            return
        self._worker.cancel(act.tag)
        if not is_replaced:
            self._stage.leave(act)

    def _end_superseded(self, client: ClientKey, newer: Act) -> None:
        """What the newer take replaces sounds until that begins."""
        for act in self._stage.of(client):
            if act is not newer:
                at_ns = newer.line.ns_at(0) if newer.line is not None and newer.sounds else None
                self._stage.leave(act, at_ns)

    def _follow(self, client: ClientKey) -> None:
        """The client's host moved: a stop ends what sounds in its time, a tempo bends it."""
        said = self._session.transport(client)
        if said is None:
            return
        now_ns = self._clock.now_ns()
        self._hosts[client] = HostTransport().updated(now_ns, said.song_tick, said.bpm, said.is_playing, said.meter)
        if said.is_playing:
            self._stage.retime(client, said.bpm)
        else:
            for act in self._stage.of(client):
                if act.follows_host:
                    self._stage.hush(act)

    # Telling

    def _tell_end(self, act: Act) -> None:
        if act.is_whole:
            self._do(self._session.take_ended(act.client, act.request.req, act.late))

    def _report_beats(self) -> None:
        for act in self._stage.due_for_status():
            self._report(act.client)

    def _report(self, client: ClientKey) -> None:
        self._set_state()
        destination = self._session.destination(client)
        if destination is None:
            return
        acts = self._stage.of(client)
        horizon_tick = max((max(0, act.at_tick) + act.reached_tick for act in acts), default=0)
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
