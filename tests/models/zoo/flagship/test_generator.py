"""What the flagship's generator adds to the contract of all generators (`tests/contracts`)."""

from __future__ import annotations

import pytest

from models.generator import Context, Controls
from models.music.constants import PPQ
from models.music.score import Meter, Note, Part
from models.zoo.flagship.generator import FlagshipGenerator, FlagshipModel
from models.zoo.flagship.reader import Reader
from tests.models.tiny import BAND, random_score, tiny_network

WHOLE = 4 * PPQ
START_TICK = 8 * WHOLE
EVERYBODY = frozenset(range(len(BAND)))


def context_of(given: frozenset[int] = frozenset()) -> Context:
    """Noise, some of it going on."""
    future = [note.shifted(START_TICK) for note in random_score(1).notes if note.part in given]
    notes = tuple(sorted([*random_score(0).notes, *future]))
    return Context(BAND, notes, START_TICK, (Meter(0, 4, 4),), 112.0, given)


def opened(context: Context) -> FlagshipGenerator:
    """A generator that has read a context."""
    generator = FlagshipGenerator(tiny_network(512))
    for _ in generator.prefill(context):
        pass
    return generator


def test_no_slice_hears_what_lies_behind_its_end() -> None:
    """Once, given notes behind a slice were told in it, and nothing could be made before them any more."""
    generator = opened(context_of(given=frozenset({0, 1, 2})))
    told = 0
    for sixteenth in range(1, 64):
        until_tick = START_TICK + sixteenth * WHOLE // 16
        list(generator.decode(until_tick, EVERYBODY, Controls()))
        last = generator._history.events[-1]
        told += len(generator._history) - generator._history.heard
        assert last.key < (until_tick // WHOLE, until_tick % WHOLE // 20)
    assert told


def test_a_context_may_hold_a_part_nobody_knows_and_parts_that_never_play() -> None:
    generator = opened(Context((Part(), Part(is_drum=True)), (Note(0, 0, 60, 60, 80),), WHOLE, (Meter(0, 4, 4),), 0.5))
    assert all(note.part in (0, 1) for note in generator.decode(3 * WHOLE, frozenset({0, 1}), Controls()))


def test_density_that_changes_is_told_at_once_and_the_past_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = opened(context_of())
    headers = []
    plain = Reader.read
    monkeypatch.setattr(
        Reader, "read", lambda self, h, header, grid: headers.append(header) or plain(self, h, header, grid)
    )
    for density in (1.0, 4.0, 4.0):
        list(generator.decode(START_TICK + WHOLE, EVERYBODY, Controls(density=density)))
    assert len(headers) == 1
    assert (headers[0].parts[:, 1] > context_header_density()).any()


def context_header_density() -> object:
    """What the header told before, part by part."""
    return opened(context_of())._header.parts[:, 1]


def test_the_spec_tells_what_the_network_is() -> None:
    network = tiny_network(512)
    spec = FlagshipModel(network).spec
    assert (spec.max_context_notes, spec.max_parts, spec.quantum_ticks, spec.reads_prompt) == (512, 16, 1, True)
    assert spec.parameters == sum(parameter.numel() for parameter in network.parameters())
