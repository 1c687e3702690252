"""The generator thread on a bench: everything it emits is kept, and what it was asked before can be waited for."""

from __future__ import annotations

from collections.abc import Callable
from queue import SimpleQueue

from bridge.clip_transfer import Clip
from bridge.context import Scene, scene_of
from bridge.jobs import Job, Made, WorkerEvent
from bridge.worker import Worker
from models.generator import Controls, Model
from models.music.score import Meter, Note, Part
from tests.fakes_generator import Script

PATIENCE_S = 20.0
BAR = 1920
PARTS = (Part(program=33), Part(is_drum=True), Part(program=0))


def scene(count: int = 8, length_ticks: int = BAR) -> Scene:
    notes = tuple(Note(tick, 0, 40, 60, 90) for tick in range(0, 60 * count, 60))
    return scene_of(Clip(1, PARTS, notes, max(length_ticks, 60 * count), Meter(0, 4, 4), 120.0), Controls())


class Bench:
    """A worker and everything it has emitted."""

    def __init__(self, load: Callable[[str, str], Model]) -> None:
        self.events: SimpleQueue[WorkerEvent] = SimpleQueue()
        self.worker = Worker(load, "cpu", self.events.put)
        self._last_tag = 0

    def job(self, player: str = "me", bars: int = 1, seed: int = 1, **changed: object) -> Job:
        self._last_tag += 1
        fields: dict[str, object] = {
            "tag": self._last_tag,
            "player": player,
            "scene": scene(),
            "parts": frozenset({0, 1}),
            "bars": bars,
            "seed": seed,
            "controls": Controls(),
            "limit_tick": lambda: None,
        }
        return Job(**(fields | changed))  # type: ignore[arg-type]

    def next(self) -> WorkerEvent:
        return self.events.get(timeout=PATIENCE_S)

    def until(self, *kinds: type[WorkerEvent], tag: int | None = None) -> list[WorkerEvent]:
        """Everything up to the first event of these kinds (and of this take, where one is named)."""
        seen = [self.next()]
        while not (isinstance(seen[-1], kinds) and tag in (None, getattr(seen[-1], "tag", None))):
            seen.append(self.next())
        return seen

    def settle(self) -> None:
        """Wait until the worker has done all it was asked before."""
        heard: SimpleQueue[None] = SimpleQueue()
        self.worker._asked.put(lambda: heard.put(None))
        heard.get(timeout=PATIENCE_S)

    def left(self) -> list[WorkerEvent]:
        """What has been emitted and not looked at."""
        self.settle()
        return [self.events.get_nowait() for _ in range(self.events.qsize())]


def notes_of(events: list[WorkerEvent], tag: int) -> list[Note]:
    return [note for event in events if isinstance(event, Made) and event.tag == tag for note in event.notes]


def verbs(script: Script, player: int = 0) -> list[object]:
    return [verb for number, verb, _ in script.calls if number == player]
