"""What the worker is asked to make, and what it answers; plain data."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass

from bridge.context import Scene
from models.generator import Controls, GeneratorSpec
from models.music.score import Note


@dataclass(frozen=True, slots=True)
class Job:
    """One take to be made."""

    tag: int
    player: Hashable
    """Whose state it is made with."""
    scene: Scene
    parts: frozenset[int]
    """The client's numbers of the parts to make."""
    bars: int
    seed: int
    controls: Controls
    limit_tick: Callable[[], int | None]
    """How far it may be made for now, in ticks of the take; None = to its end. Called by the worker's thread."""


@dataclass(frozen=True, slots=True)
class ModelReady:
    """A model is loaded and plays from now on."""

    name: str
    spec: GeneratorSpec


@dataclass(frozen=True, slots=True)
class ModelFailed:
    """A model could not be loaded; the one before, if any, plays on."""

    name: str
    problem: str
    has_model: bool


@dataclass(frozen=True, slots=True)
class Made:
    """Notes of a take, as the client numbers parts, in onset order; none where a beat rests."""

    tag: int
    notes: tuple[Note, ...]
    reached_tick: int
    """Everything before it is made."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A take is whole."""

    tag: int


@dataclass(frozen=True, slots=True)
class Failed:
    """A take cannot be made."""

    tag: int
    problem: str


WorkerEvent = ModelReady | ModelFailed | Made | Ended | Failed
