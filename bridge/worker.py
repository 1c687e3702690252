"""The thread that generates: it alone calls the model. It knows no sockets, no ports and no clock.

Between any two notes it looks at what it is asked: to make a take, to stop one, to absorb a clip. Several takes are
made in turn, a beat of each; clips are absorbed piece by piece while no take has work.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from threading import Thread

from bridge.context import Scene
from bridge.jobs import Ended, Failed, Job, Made, ModelFailed, ModelReady, WorkerEvent
from models.generator import Generator, Model
from models.music.constants import PPQ
from models.music.score import Note
from models.registry import ModelError

log = logging.getLogger(__name__)

PACE_S = 0.02  # how often a take that waits for the playhead looks again
MAX_PLAYERS = 16  # states kept in memory; the one used longest ago goes first


@dataclass(slots=True)
class _Player:
    """One client's state upon the model."""

    generator: Generator
    scene: Scene | None = None
    pieces: Iterator[int] | None = None
    """The rest of an absorption under way."""
    has_decoded: bool = False


@dataclass(slots=True)
class _Take:
    """A job under way."""

    job: Job
    is_begun: bool = False
    first_tick: int | None = None
    """Its first onset."""
    reached_tick: int = 0
    """How far whole beats are made."""
    told_tick: int = 0
    """How far all is made, as the next event tells."""
    waiting: list[Note] = field(default_factory=list)


class Worker:
    """Asked from any thread; `emit` is called on the worker's own and must not block."""

    def __init__(self, load: Callable[[str, str], Model], device: str, emit: Callable[[WorkerEvent], None]) -> None:
        self._load = load
        self._device = device
        self._emit = emit
        self._asked: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._model: Model | None = None
        self._players: dict[Hashable, _Player] = {}
        self._next_scenes: dict[Hashable, Scene] = {}
        self._takes: dict[int, _Take] = {}
        self._is_stopping = False
        self._thread = Thread(target=self._run, name="generator", daemon=True)

    # Any thread

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread after the note it is at."""
        self._asked.put(self._stop)
        if self._thread.is_alive():
            self._thread.join()

    def load(self, name: str) -> None:
        """Load another model; takes under way are given up."""
        self._asked.put(lambda: self._load_model(name))

    def prefill(self, player: Hashable, scene: Scene) -> None:
        """Absorb a clip as soon as no take has work."""
        self._asked.put(lambda: self._absorb_later(player, scene))

    def begin(self, job: Job) -> None:
        """Make a take."""
        self._asked.put(lambda: self._add(job))

    def cancel(self, tag: int) -> None:
        """Stop making a take; nothing more of it is emitted once the thread has heard."""
        self._asked.put(lambda: self._end(tag))

    def forget(self, player: Hashable) -> None:
        """Free a player's state."""
        self._asked.put(lambda: self._forget(player))

    # The worker's thread

    def _stop(self) -> None:
        self._is_stopping = True

    def _run(self) -> None:
        has_work = False
        while not self._is_stopping:
            self._hear(None if not (has_work or self._takes) else 0.0 if has_work else PACE_S)
            has_work = not self._is_stopping and (self._make_some() or self._absorb_some())

    def _hear(self, patience_s: float | None) -> None:
        """Do everything that was asked; wait for the first if there is nothing else to do."""
        try:
            asked = self._asked.get(timeout=patience_s) if patience_s != 0.0 else self._asked.get_nowait()
            while True:
                asked()
                asked = self._asked.get_nowait()
        except Empty:
            return

    def _load_model(self, name: str) -> None:
        try:
            model = self._load(name, self._device)
        except ModelError as error:
            log.error("%s", error)
            self._emit(ModelFailed(name, str(error), self._model is not None))
            return
        except Exception as error:  # whatever a model does must not end the daemon
            log.exception("model %s could not be loaded", name)
            problem = f"model {name} could not be loaded ({error}): choose another, or see the daemon's log"
            self._emit(ModelFailed(name, problem, self._model is not None))
            return
        for tag in list(self._takes):
            self._fail(tag, "the model was changed: generate again")
        scenes = {key: player.scene for key, player in self._players.items() if player.scene is not None}
        self._model = model
        self._players.clear()
        for key, scene in {**scenes, **self._next_scenes}.items():
            self._prepare(key, scene)
        self._next_scenes.clear()
        self._emit(ModelReady(name, model.spec))

    def _player(self, key: Hashable) -> _Player:
        player = self._players.pop(key, None)
        if player is None:
            assert self._model is not None, "takes are refused until a model is there"
            player = _Player(self._model.open())
            if len(self._players) >= MAX_PLAYERS:
                busy = {take.job.player for take in self._takes.values()}
                oldest = next((other for other in self._players if other not in busy), None)
                self._players.pop(oldest, None)
        self._players[key] = player
        return player

    def _add(self, job: Job) -> None:
        self._takes[job.tag] = _Take(job)

    def _end(self, tag: int) -> None:
        """A take is over, however; the clip that waited for its player is absorbed now."""
        take = self._takes.pop(tag, None)
        if take is not None and (scene := self._next_scenes.pop(take.job.player, None)) is not None:
            self._prepare(take.job.player, scene)

    def _forget(self, key: Hashable) -> None:
        self._players.pop(key, None)
        self._next_scenes.pop(key, None)

    def _absorb_later(self, key: Hashable, scene: Scene) -> None:
        """Absorb a clip, but not into a state that a take is being made with, nor before there is a model."""
        if self._model is None or any(take.job.player == key for take in self._takes.values()):
            self._next_scenes[key] = scene
        else:
            self._prepare(key, scene)

    def _prepare(self, key: Hashable, scene: Scene) -> None:
        """Begin to absorb a clip before it is asked for; what fails here is tried again, and told, when it is."""
        try:
            self._set_scene(key, scene)
        except Exception:
            log.exception("a clip could not be taken up; it is tried again when it is asked for")
            self._players.pop(key, None)

    def _set_scene(self, key: Hashable, scene: Scene) -> None:
        player = self._player(key)
        if player.scene != scene:
            player.scene, player.pieces, player.has_decoded = scene, player.generator.prefill(scene.context), False

    def _absorb_some(self) -> bool:
        """One piece of one clip; False when every clip is absorbed."""
        for key, player in self._players.items():
            if player.pieces is None:
                continue
            try:
                if next(player.pieces, None) is None:
                    player.pieces = None
            except Exception:
                log.exception("a clip could not be absorbed; it is tried again when it is asked for")
                del self._players[key]
            return True
        return False

    def _make_some(self) -> bool:
        """Up to a beat of each take that may go on; False when all must wait."""
        has_made = False
        for take in list(self._takes.values()):
            try:
                has_made = self._make_beat(take) or has_made
            except Exception as error:
                log.exception("take %d failed", take.job.tag)
                self._players.pop(take.job.player, None)
                self._fail(take.job.tag, f"the model failed ({error}): generate again, or choose another model")
        return has_made

    def _make_beat(self, take: _Take) -> bool:
        job = take.job
        end_tick = job.bars * job.scene.bar_ticks
        limit_tick = job.limit_tick()
        allowed_tick = end_tick if limit_tick is None else min(end_tick, limit_tick)
        if allowed_tick <= take.reached_tick:
            return False
        player = self._ready_player(take)
        if player is None:
            return True
        until_tick = min(allowed_tick, take.reached_tick + PPQ)
        start_tick = job.scene.context.start_tick
        player.has_decoded = True
        for note in player.generator.decode(start_tick + until_tick, job.scene.own_parts(job.parts), job.controls):
            self._collect(take, job.scene.to_client(note))
            if not self._asked.empty():
                self._flush(take)
                return True
        take.reached_tick = take.told_tick = until_tick
        self._flush(take)
        if until_tick >= end_tick:
            self._end(job.tag)
            self._emit(Ended(job.tag))
        return True

    def _ready_player(self, take: _Take) -> _Player | None:
        """The job's player, at the clip's end when the take begins; None when something else is asked meanwhile."""
        job = take.job
        if take.is_begun:
            return self._player(job.player)
        self._set_scene(job.player, job.scene)
        player = self._player(job.player)
        for _ in player.pieces or ():
            if not self._asked.empty():
                return None
        player.pieces = None
        if player.has_decoded:
            player.generator.rewind(job.scene.context.start_tick)
        player.generator.reseed(job.seed)
        take.is_begun = True
        return player

    def _collect(self, take: _Take, note: Note) -> None:
        """Emit the notes of the first onset one by one, and that it is over; the others by onset."""
        if note.onset_tick != take.told_tick:
            ends_first = take.told_tick == take.first_tick
            take.told_tick = note.onset_tick
            if take.waiting or ends_first:
                self._flush(take)
        take.waiting.append(note)
        if take.first_tick is None:
            take.first_tick = note.onset_tick
        if note.onset_tick == take.first_tick:
            self._flush(take)

    def _flush(self, take: _Take) -> None:
        self._emit(Made(take.job.tag, tuple(take.waiting), take.told_tick))
        take.waiting.clear()

    def _fail(self, tag: int, problem: str) -> None:
        self._end(tag)
        self._emit(Failed(tag, problem))
