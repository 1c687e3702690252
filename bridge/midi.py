"""The daemon's hand on the MIDI port: keeps one MIDI child alive and passes commands on. It times nothing itself.

A supervisor thread starts the child, listens for its signs of life and starts another when it ends or falls silent.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from threading import Event, Lock, Thread

from bridge.metrics import Metrics
from bridge.midi_link import CHILD, MidiLink
from bridge.midi_records import Beat, Command, Failed, Kind, Ready
from bridge.port_open import PortRequest

log = logging.getLogger(__name__)

OPENING_S = 8.0  # a busy machine may take seconds to start Python
SILENT_S = 1.5  # fifteen missing signs of life
_FIRST_RETRY_S = 0.25
_LAST_RETRY_S = 3.0
_LASTING_S = 10.0  # a child that lived so long may be replaced at once
_LEAVING_S = 2.0
_TAKES_COUNTED = 256  # the latest takes that had late notes


class PortStatus(Enum):
    """Where the port stands."""

    OFF = "off"
    """Not started, stopped, or not wanted."""
    OPENING = "opening"
    OPEN = "open"
    ABSENT = "absent"
    """It could not be opened; it is tried again every few seconds."""
    LOST = "lost"
    """It was open and is gone; it is tried again."""


@dataclass(frozen=True, slots=True)
class PortState:
    """The port at one instant."""

    status: PortStatus = PortStatus.OFF
    name: str = ""
    """As other programs see it; the last one while it is lost."""
    backend: str = ""
    is_realtime: bool = False
    problem: str = ""
    """Why it is not open: one sentence that ends in the cure."""
    child_pid: int | None = None


@dataclass(frozen=True, slots=True)
class PortOpened:
    """The port is there; a synth behind a new one knows no programs yet."""

    state: PortState


@dataclass(frozen=True, slots=True)
class PortLost:
    """The port is not there (told once, not at every new try)."""

    problem: str


@dataclass(frozen=True, slots=True)
class LateNotes:
    """The port played notes of a take late, or dropped them."""

    tag: int
    count: int
    """Of this take, since it began."""


PortEvent = PortOpened | PortLost | LateNotes


class MidiOut:
    """The MIDI port. `send` and `state` may be used by any thread; events come on the supervisor's thread."""

    def __init__(
        self,
        request: PortRequest,
        metrics: Metrics,
        on_event: Callable[[PortEvent], None] = lambda event: None,
        child: Sequence[str] = CHILD,
    ) -> None:
        self._arguments = ["--backend", request.backend, "--client", request.client, "--existing", request.existing]
        self._metrics = metrics
        self._on_event = on_event
        self._child = child
        self._lock = Lock()
        self._link: MidiLink | None = None
        self._state = PortState()
        self._channels_used: set[int] = set()
        self._late_by_tag: dict[int, int] = {}
        self._stopping = Event()
        self._thread = Thread(target=self._supervise, name="midi-supervisor", daemon=True)

    @property
    def state(self) -> PortState:
        """What is known of the port now."""
        return self._state

    def start(self) -> None:
        """Begin to open the port; returns at once."""
        self._state = PortState(PortStatus.OPENING)
        self._thread.start()

    def stop(self) -> None:
        """End every note, close the port, and wait until that is done."""
        with self._lock:
            self._stopping.set()
            link = self._link
        if link is not None and self._state.status is PortStatus.OPEN:
            link.close(_LEAVING_S)
        elif link is not None:
            link.kill()
        if self._thread.is_alive():
            self._thread.join()
        self._state = replace(self._state, status=PortStatus.OFF, child_pid=None)

    def send(self, command: Command) -> None:
        """Pass a command on; without a port it is dropped. Never blocks."""
        if command.kind is Kind.NOTE_ON:
            self._channels_used.add(command.channel)
        link = self._link
        if link is not None and self._state.status is PortStatus.OPEN:
            link.send(command)

    def late_notes(self, tag: int) -> int:
        """Notes of a take that sounded late at the port or were dropped there, as far as it has told."""
        return self._late_by_tag.get(tag, 0)

    def _supervise(self) -> None:
        """Start children until told to stop; wait longer after each one that did not last."""
        retry_s = _FIRST_RETRY_S
        while not self._stopping.is_set():
            started_s = time.monotonic()
            problem = self._live()
            if self._stopping.is_set():
                return
            was_open = self._state.status is PortStatus.OPEN
            is_news = self._state.problem != problem
            self._state = PortState(
                PortStatus.LOST if was_open or self._state.status is PortStatus.LOST else PortStatus.ABSENT,
                name=self._state.name,
                backend=self._state.backend,
                problem=problem,
            )
            if is_news:
                log.warning("MIDI: %s", problem)
                self._on_event(PortLost(problem))
            lasted = time.monotonic() - started_s > _LASTING_S
            retry_s = _FIRST_RETRY_S if lasted else min(2 * retry_s, _LAST_RETRY_S)
            self._stopping.wait(retry_s)

    def _live(self) -> str:
        """One child from start to end; returns why it ended."""
        silenced = ["--silence", *map(str, sorted(self._channels_used))]
        with self._lock:
            if self._stopping.is_set():
                return ""
            try:
                link = self._link = MidiLink([*self._arguments, *silenced], self._child)
            except OSError as error:
                return f"the MIDI process could not be started ({error}): free some memory or processes"
        problem = self._listen(link)
        if not self._stopping.is_set():
            link.kill()
            self._link = None
        return problem

    def _listen(self, link: MidiLink) -> str:
        """Take the child's reports until it ends; returns why it ended."""
        last = Beat(0, 0, 0, 0)
        patience_s = OPENING_S
        problem = ""
        while True:
            try:
                report = link.next_report(patience_s)
            except TimeoutError:
                return "the MIDI system does not answer: restart it"
            if report is None:
                return problem or f"the MIDI process ended by itself (code {link.exit_code()}): it is started again"
            if isinstance(report, Ready):
                patience_s = SILENT_S
                self._opened(link, report)
            elif isinstance(report, Failed):
                problem = report.problem
            else:
                self._count(last, report)
                last = report

    def _opened(self, link: MidiLink, ready: Ready) -> None:
        self._state = PortState(PortStatus.OPEN, ready.name, ready.backend, ready.is_realtime, child_pid=link.pid)
        log.info("MIDI port %s open (%s, real-time: %s)", ready.name, ready.backend, ready.is_realtime)
        self._on_event(PortOpened(self._state))

    def _count(self, last: Beat, beat: Beat) -> None:
        """Add what happened since the last report; the child's counts run from its start."""
        fresh = {bucket: count - last.lateness.get(bucket, 0) for bucket, count in beat.lateness.items()}
        self._metrics.count_sent(beat.sent - last.sent, fresh)
        self._metrics.count_late(beat.late - last.late)
        self._metrics.count_dropped(beat.dropped - last.dropped)
        for tag, count in beat.late_by_tag.items():
            more = count - last.late_by_tag.get(tag, 0)
            if more > 0:
                self._late_by_tag[tag] = total = self._late_by_tag.pop(tag, 0) + more
                self._on_event(LateNotes(tag, total))
        while len(self._late_by_tag) > _TAKES_COUNTED:
            del self._late_by_tag[next(iter(self._late_by_tag))]


class NullMidiOut:
    """No MIDI port, on purpose: takes every command and plays none."""

    state = PortState()

    def start(self) -> None:
        """Nothing to open."""

    def stop(self) -> None:
        """Nothing to close."""

    def send(self, command: Command) -> None:
        """Drop it."""

    def late_notes(self, tag: int) -> int:
        """None is ever late."""
        return 0
