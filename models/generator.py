"""What every generator is to the daemon: verbs and plain data. Nothing here knows torch, OSC or MIDI.

A `Model` holds weights and is shared; a `Generator` is one player's state upon it. The daemon asks in ticks and
never learns whether the model works note by note or bar by bar.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from models.music.score import Meter, Note, Part


@dataclass(frozen=True, slots=True)
class GeneratorSpec:
    """What a model is and can do."""

    name: str
    paper: str
    """Source: authors, title, year."""
    quantum_ticks: int
    """Smallest stretch it makes at once: 1 for note-wise models, a bar for bar-wise ones."""
    max_context_notes: int
    max_parts: int
    reads_prompt: bool
    controls: frozenset[str]
    """Names of `Controls` fields that change what it plays."""
    parameters: int = 0
    device: str = "cpu"
    """Where it computes: cpu, cuda or mps."""


@dataclass(frozen=True, slots=True)
class Controls:
    """How to play; every field has a neutral value. May change between two `decode` calls."""

    temperature: float = 1.0
    top_k: int = 0
    """0 = no limit."""
    top_p: float = 1.0
    min_p: float = 0.0
    density: float = 1.0
    """Notes per bar relative to the prompt's own: 0.5 sparser, 2.0 denser."""
    scale_root: int = 0
    scale_mask: int = 0
    """12 bits, bit 0 = root: the pitch classes melodic parts may use. 0 = no limit."""


@dataclass(frozen=True, slots=True)
class Context:
    """What is known when generation starts: everything before `start_tick`, and the given parts' future."""

    parts: tuple[Part, ...]
    notes: tuple[Note, ...]
    """Sorted. Onsets from `start_tick` on belong to given parts only."""
    start_tick: int
    """On a bar line; where the continuation begins."""
    meters: tuple[Meter, ...]
    bpm: float
    given_parts: frozenset[int] = frozenset()
    """Parts whose notes are all known, past and future: heard, never generated."""
    controls: Controls = field(default_factory=Controls)


class Generator(Protocol):
    """One player's state. Used by one thread at a time; every iterator may be abandoned at any item."""

    def reset(self, seed: int) -> None:
        """Forget everything; from here on the same calls give the same notes."""

    def reseed(self, seed: int) -> None:
        """Keep what was prefilled; draw from `seed` from here on."""

    def prefill(self, context: Context) -> Iterator[int]:
        """Absorb the context piece by piece; yields the notes absorbed so far.

        What is held already costs next to nothing. A prefill that is abandoned must be begun again before `decode`.
        """

    def decode(self, until_tick: int, parts: frozenset[int], controls: Controls) -> Iterator[Note]:
        """Notes of `parts` in onset order, from where the state stands up to before `until_tick`.

        A later call goes on from there. Ticks are the context's own.
        """

    def rewind(self, to_tick: int) -> None:
        """Forget every note at or after `to_tick` that was decoded; `to_tick` >= the context's start."""


class Model(Protocol):
    """Weights in memory; `open` is cheap and may be called from any thread."""

    spec: GeneratorSpec

    def open(self) -> Generator:
        """A fresh state that shares these weights."""
