"""A conductor at home: session, stage and scheduler are real; worker, socket, port and clock are boring twins."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import cast

from bridge.conductor import Conductor
from bridge.context import Scene
from bridge.jobs import Job, Made, ModelReady
from bridge.metrics import Metrics
from bridge.midi import PortState, PortStatus
from bridge.osc import OscSocket
from bridge.protocol import Message, Received, Sender, build
from bridge.recorder import Recorder
from bridge.requests import Identity
from bridge.scheduler import Scheduler
from bridge.session import Session
from bridge.timeline import TakeState
from bridge.wire_table import Value
from bridge.worker import Worker
from models.music.score import Note
from tests.bridge.talk import ME, SENDER, clip_messages, message, scale_of
from tests.fakes import MS, SECOND, ManualClock, SoundingPort
from tests.fakes_generator import FixedModel

YOU = 78
YOUR_SENDER: Sender = ("127.0.0.1", 50_001)
SENDERS = {ME: SENDER, YOU: YOUR_SENDER}
CHORD = (Note(0, 0, 60, 4800, 90), Note(0, 0, 64, 4800, 90))
READY = ModelReady("fixed", FixedModel().spec)

Told = list[tuple[str, tuple[Value, ...]]]


class AskedWorker:
    """Remembers what it is asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, object]] = []
        self.jobs: list[Job] = []

    def load(self, name: str) -> None:
        self.asked.append(("load", name))

    def prefill(self, player: Hashable, scene: Scene) -> None:
        self.asked.append(("prefill", player))

    def begin(self, job: Job) -> None:
        self.asked.append(("begin", job.tag))
        self.jobs.append(job)

    def cancel(self, tag: int) -> None:
        self.asked.append(("cancel", tag))

    def forget(self, player: Hashable) -> None:
        self.asked.append(("forget", player))

    def taken(self) -> list[tuple[str, object]]:
        """What was asked since the last call."""
        asked, self.asked = self.asked, []
        return asked


class HeardSocket:
    """Remembers what is sent, and refuses what the table does; `breaks_at` is a message that cannot be sent."""

    def __init__(self) -> None:
        self.sent: list[tuple[Sender, str, tuple[Value, ...]]] = []
        self.breaks_at = ""

    def send(self, destination: Sender, name: str, values: Sequence[Value], notes: Sequence[Note] = ()) -> None:
        build(name, *values, notes=notes)
        if name == self.breaks_at:
            raise RuntimeError("a defect of ours")
        self.sent.append((destination, name, tuple(values)))


class House:
    """A conductor and everything around it."""

    def __init__(self, recorder: Recorder | None = None, is_ready: bool = True) -> None:
        self.clock = ManualClock()
        self.port = SoundingPort(self.clock)
        self.port_state = PortState(PortStatus.OPEN)
        self.worker, self.socket = AskedWorker(), HeardSocket()
        self.over: list[TakeState] = []
        self.metrics = Metrics()
        self.scheduler = Scheduler(self.port, self.clock, self.metrics, on_over=self.over.append)
        models = {"fixed": frozenset({"temperature"}), "other": frozenset[str]()}
        self.session = Session(Identity("1.2.3", "cpu"), "fixed", models)
        self.conductor = Conductor(
            self.session,
            cast(Worker, self.worker),
            self.scheduler,
            cast(OscSocket, self.socket),
            self.clock,
            self.metrics,
            port_state=lambda: self.port_state,
            late_at_port=lambda tag: 0,
            recorder=recorder,
            seed=1,
        )
        self.conductor.load("fixed")
        if is_ready:
            self.conductor.handle(READY)
        self.worker.taken()

    def hear(self, heard: Message, by: int = ME) -> Told:
        """What is told after a message."""
        self.conductor.handle(Received(heard, SENDERS[by]))
        return self.told()

    def say(self, name: str, *values: Value, by: int = ME) -> Told:
        """What is told after a client's word."""
        return self.hear(message(name, by, *values), by)

    def told(self) -> Told:
        """Name and values after the id of everything sent since the last call."""
        sent, self.socket.sent = self.socket.sent, []
        return [(name, values[1:]) for _, name, values in sent]

    def send_clip(self, req: int = 1, by: int = ME) -> None:
        for each in clip_messages(req, scale_of(4), client_id=by):
            self.hear(each, by)

    def take(self, req: int = 1, by: int = ME, seed: int = 5) -> int:
        """A take that has been asked for; its tag."""
        self.send_clip(req, by)
        assert self.say("generate", req, req, 4, 0, seed, -1, by=by)[-1][0] == "take/begin"
        self.worker.taken()
        return self.worker.jobs[-1].tag

    def play(self, req: int = 1, by: int = ME) -> int:
        """A take that sounds; its tag."""
        tag = self.take(req, by)
        self.conductor.handle(Made(tag, CHORD, 480))
        self.wait(SECOND)
        assert self.port.synth.sounding
        self.told()
        return tag

    def wait(self, ns: int) -> None:
        end_ns = self.clock.ns + ns
        self.scheduler.step()
        while self.clock.ns < end_ns:
            self.port.advance(min(10 * MS, end_ns - self.clock.ns))
            self.scheduler.step()

    @property
    def is_silent(self) -> bool:
        self.wait(MS)
        return not self.port.synth.sounding
