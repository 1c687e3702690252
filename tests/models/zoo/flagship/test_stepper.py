"""The stepper, one event at a time over its cache, against its slow twin: one full teacher-forced pass."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from models.data.piece import piece_of
from models.data.windows import Window, draw_window
from models.layers.linear import StepLinear
from models.tokens.echo import AHEAD, ECHOES, NOTHING
from models.tokens.header import Header
from models.tokens.vocabulary import END_SLOT, FIELDS, GIVEN_SLOT, REST_SLOT, SLOT
from models.zoo.flagship.collate import collate
from models.zoo.flagship.likelihood import BARRED, field_logits
from models.zoo.flagship.network import FlagshipNetwork
from models.zoo.flagship.stepper import Stepper
from tests.models.tiny import random_score, tiny_network

EVENTS = 64
TOLERANCE = 1e-4


class Twin:
    """A stepper and the logits it should give on one window."""

    def __init__(self, network: FlagshipNetwork, window: Window) -> None:
        self.window = window
        self.stepper = Stepper(network)
        self.stepper.begin(Header(window.header, window.present, window.whole))
        self._expected = [logits[0].numpy() for logits in field_logits(network, collate([window], len(window.tokens)))]

    def read(self, first: int, last: int) -> None:
        """Read a stretch of the window."""
        window = self.window
        self.stepper.read(
            window.tokens[first:last], window.bar[first:last], window.place[first:last], window.hits[first:last]
        )

    def largest_error(self) -> float:
        """Propose the event that comes next, forced to be what it is, and compare every field's logits."""
        at = self.stepper.events
        window, errors = self.window, []
        event = window.tokens[at].tolist()

        def choose(field: int, logits: NDArray[np.float32]) -> int | None:
            wanted = self._expected[field][at]
            legal = wanted > BARRED / 2
            errors.append(float(np.abs(logits - wanted)[legal].max()))
            return None if field == SLOT and event[SLOT] == END_SLOT else event[field]

        def places(dbar: int, position: int) -> tuple[int, tuple[float, float]]:
            ticks, bars = window.place[at]
            return int(window.bar[at]), (ticks, bars)

        def guesses(field: int, known: Sequence[int]) -> list[int]:
            assert field == AHEAD or list(known) == event[:field]
            return [int(guess) for guess in window.echo[at, field]]

        row = self.stepper.propose(choose, places, guesses)
        if event[SLOT] != END_SLOT:
            assert row == event
            assert len(errors) == (SLOT + 1 if event[SLOT] == REST_SLOT else len(FIELDS))
        return max(errors)

    def is_predicted(self, at: int) -> bool:
        """Whether the event there is one the network makes."""
        return bool(self.window.counts[at])


def window_of(seed: int) -> Window:
    """A training window of noise with given notes, rests and the end."""
    for attempt in range(100):
        rng = np.random.default_rng((seed, attempt))
        window = draw_window(piece_of(random_score(seed, bars=16, notes_per_bar=6), "noise"), EVENTS, rng)
        slots = window.tokens[:, SLOT]
        has_given = ((slots >= GIVEN_SLOT) & (slots < REST_SLOT)).sum() > 5
        if has_given and window.counts.sum() > 15 and len(slots) == EVENTS:
            return window
    raise AssertionError("no window with given parts was drawn")


def walk(twin: Twin, steps: Iterable[int]) -> None:
    """Read up to each step in one piece and compare what comes next."""
    held = twin.stepper.events
    for step in steps:
        if step > held:
            twin.read(held, step)
        held = step
        if twin.is_predicted(held):
            assert twin.largest_error() < TOLERANCE, f"event {held}"


@pytest.mark.parametrize("seed", range(3))
def test_steps_after_a_read_in_pieces_equal_the_full_pass(seed: int) -> None:
    walk(Twin(tiny_network(), window_of(seed)), [7, 8, 29, *range(30, EVENTS)])


def test_steps_from_the_very_start_equal_the_full_pass() -> None:
    walk(Twin(tiny_network(), window_of(5)), range(EVENTS))


def test_steps_after_a_rewind_equal_the_full_pass() -> None:
    twin = Twin(tiny_network(), window_of(6))
    walk(twin, range(EVENTS))
    for to in (40, 3, 17):
        twin.stepper.rewind(to)
        walk(twin, range(to + 1, min(to + 6, EVENTS)))


def test_a_state_that_was_kept_is_as_good_as_new() -> None:
    twin = Twin(tiny_network(), window_of(7))
    twin.read(0, 20)
    state = twin.stepper.state
    twin.read(20, 40)
    twin.stepper.rewind(20)
    twin.stepper.state = state
    walk(twin, range(20, 40))


def test_half_precision_rows_stay_near_the_full_pass() -> None:
    network = tiny_network()
    twin = Twin(network, window_of(8))
    for layer in network.modules():
        if isinstance(layer, StepLinear):
            layer.halve()
    errors = []
    for at in range(EVENTS - 1):
        if twin.is_predicted(at):
            errors.append(twin.largest_error())
        twin.read(at, at + 1)
    assert max(errors) < 0.2, "half precision changed what is likely"
    assert max(errors) > 0, "nothing went through the half-precision rows"


def test_room_is_what_the_block_leaves() -> None:
    twin = Twin(tiny_network(block_size=EVENTS), window_of(9))
    assert (twin.stepper.events, twin.stepper.room) == (0, EVENTS)
    twin.read(0, EVENTS - 1)
    assert (twin.stepper.events, twin.stepper.room) == (EVENTS - 1, 1)


def test_a_chooser_that_gives_up_leaves_everything_as_it_was() -> None:
    twin = Twin(tiny_network(), window_of(10))
    twin.read(0, 10)
    state = twin.stepper.state.clone()
    gave_up = twin.stepper.propose(
        lambda field, logits: None, lambda dbar, position: (0, (0.0, 0.0)), lambda field, known: [NOTHING] * ECHOES
    )
    assert gave_up is None
    assert torch.equal(twin.stepper.state, state)
    walk(twin, range(10, 20))
