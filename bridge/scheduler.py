"""The thread that hands notes to the port shortly before their time. What and when is `bridge.timeline`'s business.

Due times are absolute, so a thread that wakes late makes nothing late as long as it is within the lookahead.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from threading import Condition, Thread

from bridge.channels import ChannelMap
from bridge.clock import Clock, TempoLine
from bridge.metrics import Metrics
from bridge.midi_records import NOW, Command, NotePort
from bridge.timeline import TakeState, Timeline
from models.music.score import Note

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SchedulerSnapshot:
    """What is about to sound."""

    takes: tuple[TakeState, ...] = ()
    next_wake_ns: int | None = None
    """When the thread will next hand something over; None when nothing waits."""

    @property
    def horizon_tick(self) -> int | None:
        """How far the furthest take reaches, in its own ticks; None when nothing sounds."""
        return max((take.horizon_tick for take in self.takes), default=None)


class Scheduler:
    """Hands notes over in time. Any thread may call it; `on_over` comes on its own thread, and must not block."""

    def __init__(
        self,
        port: NotePort,
        clock: Clock,
        metrics: Metrics,
        timeline: Timeline | None = None,
        on_over: Callable[[TakeState], None] = lambda take: None,
    ) -> None:
        self._port = port
        self._clock = clock
        self._metrics = metrics
        self._timeline = timeline or Timeline()
        self._on_over = on_over
        self._changed = Condition()
        self._has_news = False
        self._is_stopping = False
        self._next_wake_ns: int | None = None
        self._thread = Thread(target=self._run, name="scheduler", daemon=True)

    def open(self) -> None:
        """Start the thread; `close` ends it."""
        self._thread.start()

    def close(self) -> None:
        """End every take and the thread."""
        self.panic()
        with self._changed:
            self._is_stopping = True
            self._wake()
        if self._thread.is_alive():
            self._thread.join()

    def start(self, tag: int, line: TempoLine, channels: ChannelMap) -> None:
        """Begin a take whose tick 0 sounds where `line` says.

        Raises:
            ValueError: a take of this tag sounds already.
        """
        with self._changed:
            self._timeline.start(tag, line, channels)

    def add(self, tag: int, notes: Iterable[Note]) -> None:
        """Let notes wait for their time; notes of a take that is over are let go."""
        with self._changed:
            self._timeline.add(tag, notes)
            self._wake()

    def finish(self, tag: int) -> None:
        """Say that no more notes come: the take is over when its last one has ended."""
        with self._changed:
            self._timeline.finish(tag)
            self._wake()

    def retime(self, tag: int, line: TempoLine) -> None:
        """Lay what still waits of a take on another line: new tempo, or a nudge from the host."""
        with self._changed:
            self._timeline.retime(tag, line)
            self._wake()

    def cancel(self, tag: int, at_ns: int = NOW) -> None:
        """End a take at an instant, at once when none is given."""
        with self._changed:
            self._send(self._timeline.cancel(tag, at_ns))
            self._wake()

    def panic(self) -> None:
        """End every take and all sound, now."""
        with self._changed:
            self._send(self._timeline.panic())
            self._wake()

    def forget_programs(self) -> None:
        """Tell every program anew: the port was opened again, and the synth behind it may be another."""
        with self._changed:
            self._timeline.forget_programs()

    def playhead_tick(self, tag: int) -> int | None:
        """The take's own tick that sounds now, negative before it begins; None when it is over."""
        with self._changed:
            return self._timeline.playhead_tick(tag, self._clock.now_ns())

    def snapshot(self) -> SchedulerSnapshot:
        """What is about to sound."""
        with self._changed:
            return SchedulerSnapshot(tuple(self._timeline.takes()), self._next_wake_ns)

    def step(self) -> int | None:
        """Hand over what is near; returns when to come again. The thread's whole work, and what tests call instead."""
        with self._changed:
            self._has_news = False
            commands, over, self._next_wake_ns = self._timeline.step(self._clock.now_ns())
            self._send(commands)
            next_wake_ns = self._next_wake_ns
        for take in over:
            self._metrics.count_dropped(take.dropped)
            self._on_over(take)
        return next_wake_ns

    def _send(self, commands: list[Command]) -> None:
        for command in commands:
            self._port.send(command)

    def _wake(self) -> None:
        self._has_news = True
        self._changed.notify()

    def _run(self) -> None:
        while not self._is_stopping:
            try:
                wake_ns = self.step()
            except Exception:
                log.exception("a take could not be scheduled, so everything that sounds is ended")
                self.panic()
                continue
            with self._changed:
                if not self._has_news:
                    self._changed.wait(None if wake_ns is None else max(0, wake_ns - self._clock.now_ns()) / 1e9)
