"""The daemon's life: wiring, the main loop, shutdown in order. What an event means is the conductor's business.

The socket, the worker, the port and the scheduler meet in one queue and nowhere else; the main thread empties it.
"""

from __future__ import annotations

import contextlib
import logging
import signal
import sys
import time
from collections.abc import Iterator
from queue import Empty, SimpleQueue
from types import FrameType

from bridge import __version__, log
from bridge.clock import Clock, MonotonicClock
from bridge.conductor import Conductor, Event, Stop, TakeOver
from bridge.config import Config
from bridge.errors import PortError
from bridge.metrics import Metrics
from bridge.midi import MidiOut, NullMidiOut
from bridge.osc import OscSocket
from bridge.port_open import PortRequest
from bridge.recorder import Recorder, Tee
from bridge.requests import Identity
from bridge.scheduler import Scheduler
from bridge.session import Session
from bridge.worker import Worker
from models import registry

logger = logging.getLogger(__name__)

TICK_S = 0.05  # how often time alone is looked at
SWITCH_S = 0.0005  # a note waits at most this long for the interpreter while the model computes


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
        self._recorder = self._make_recorder()
        port = Tee(self._midi, self._recorder) if self._recorder else self._midi
        self._scheduler = Scheduler(
            port, self._clock, self._metrics, on_over=lambda take: self._events.put(TakeOver(take))
        )
        self._worker = Worker(registry.load, config.device, self._events.put)
        self._conductor = Conductor(
            self._make_session(),
            self._worker,
            self._scheduler,
            self._socket,
            self._clock,
            self._metrics,
            port_state=lambda: self._midi.state,
            late_at_port=self._midi.late_notes,
            recorder=self._recorder,
            seed=config.seed,
        )

    def _make_session(self) -> Session:
        config = self.config
        models = {name: entry.controls for name, entry in registry.ENTRIES.items()}
        models.setdefault(config.model, registry.SAMPLING)
        identity = Identity(__version__, config.device)
        return Session(identity, config.model, models, config.controls, config.client_timeout_s)

    def _make_midi(self) -> MidiOut | NullMidiOut:
        if self.config.midi == "none":
            return NullMidiOut()
        request = PortRequest(self.config.midi, self.config.midi_port, self.config.existing_port or "")
        return MidiOut(request, self._metrics, self._events.put)

    def _make_recorder(self) -> Recorder | None:
        try:
            return Recorder(self.config.record, self._clock) if self.config.record else None
        except PortError:
            self._socket.close()
            raise

    def run(self) -> None:
        """Serve until SIGTERM, SIGINT or `stop`; a second SIGINT ends at once."""
        sys.setswitchinterval(SWITCH_S)
        with self._signals():
            try:
                self._start()
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
        self._socket.start()
        logger.info("Continuo %s listens on %s:%d (OSC over UDP)", __version__, *self.address)
        self._midi.start()
        self._scheduler.open()
        self._worker.start()
        self._conductor.load(self.config.model)

    def _main_loop(self) -> None:
        ticked_s = 0.0
        while self._conductor.is_running:
            with contextlib.suppress(Empty):
                self._conductor.handle(self._events.get(timeout=TICK_S))
            now_s = time.monotonic()
            if now_s - ticked_s >= TICK_S:
                ticked_s = now_s
                self._conductor.tick()

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
            "ended: %d sent, %d late, %d dropped, p50 %.0f us, p99 %.0f us",
            figures.sent,
            figures.late,
            figures.dropped,
            figures.p50_us,
            figures.p99_us,
        )
