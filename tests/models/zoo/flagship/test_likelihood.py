"""The vectorised masks and losses against the grammar's rules, event by event."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from models.data.piece import piece_of
from models.data.windows import Window, draw_window, plain_windows
from models.music.constants import MAX_PARTS
from models.music.score import Meter
from models.tokens.grammar import Grammar, Last
from models.tokens.vocabulary import (
    DBAR,
    DURATION,
    END_SLOT,
    GIVEN_SLOT,
    PITCH,
    POSITION,
    REST_SLOT,
    SIZES,
    SLOT,
    VELOCITY,
)
from models.zoo.flagship.collate import collate
from models.zoo.flagship.likelihood import (
    BARRED,
    Batch,
    Previous,
    field_logits,
    field_nll,
    pitch_mask,
    position_mask,
    slot_mask,
    tied,
)
from tests.models.tiny import random_score, tiny_network

EVENTS = 96
METERS = (
    (Meter(0, 4, 4),),
    (Meter(0, 3, 4), Meter(5000, 7, 8)),
    (Meter(0, 9, 4),),
    (Meter(0, 4, 4), Meter(1910, 4, 4)),
)


def windows_of(seed: int) -> list[Window]:
    """Training windows of noise: random slots, given parts, odd meters."""
    rng = np.random.default_rng(seed)
    scores = [random_score(seed, meters=meters, is_on_grid=False) for meters in METERS]
    return [draw_window(piece_of(score, "noise"), EVENTS, rng) for score in scores for _ in range(4)]


def masks_of(batch: Batch) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Position, slot and pitch masks, teacher-forced."""
    previous = Previous.of(batch)
    tie = tied(batch, previous)
    return position_mask(batch, previous), slot_mask(batch, tie, previous), pitch_mask(batch, tie, previous)


def slot_choice(slot: int) -> int:
    """A slot value as the slot's logits count it."""
    return slot if slot < GIVEN_SLOT else slot - GIVEN_SLOT


@pytest.mark.parametrize("seed", range(3))
def test_every_event_of_music_is_legal_under_both_and_both_agree(seed: int) -> None:
    windows = windows_of(seed)
    batch = collate(windows, EVENTS)
    masks = [mask.numpy() for mask in masks_of(batch)]
    seen = {"notes": 0, "rests": 0, "ends": 0, "given": 0}
    for row, window in enumerate(windows):
        grammar = Grammar(window.kind, window.free)
        last = Last()
        for at, event in enumerate(window.tokens.tolist()):
            dbar, position, slot, pitch, *_ = event
            if window.counts[at]:
                position_legal, slot_legal, pitch_legal = (mask[row, at] for mask in masks)
                bar_grid = int(window.bar_grid[at])
                assert grammar.dbar(last, bar_grid, bar_is_full=False)[dbar]
                assert grammar.position(last, dbar, bar_grid)[position] and position_legal[position]
                # The grammar sees one thing more: an onset whose every higher pitch is taken has no room.
                low = grammar.lowest_position(last) if dbar == 0 else 0
                assert np.array_equal(grammar.position(last, dbar, bar_grid)[low:], position_legal[low:])
                slots = grammar.slot(last, dbar, position)
                assert np.array_equal(slots[: MAX_PARTS + 1], slot_legal[: MAX_PARTS + 1])
                assert slot_legal[slot_choice(slot)]
                if slot < GIVEN_SLOT:
                    assert np.array_equal(grammar.pitch(last, dbar, position, slot), pitch_legal)
                    assert pitch_legal[pitch]
            kind = "notes" if slot < GIVEN_SLOT else "given" if slot < REST_SLOT else "rests"
            seen["ends" if slot == END_SLOT else kind] += 1
            last = Last(position, slot, pitch, is_start=False)
    assert all(seen.values()), f"the music is too tame to prove anything: {seen}"


def test_barred_values_get_no_probability() -> None:
    batch = collate(windows_of(1), EVENTS)
    logits = field_logits(tiny_network(), batch)
    position, slot, pitch = masks_of(batch)
    for field, mask in ((POSITION, position), (SLOT, slot), (PITCH, pitch)):
        assert (logits[field][~mask] == BARRED).all()
        assert (logits[field][mask] > BARRED / 2).all()


def test_the_loss_counts_what_is_to_be_predicted_and_nothing_else() -> None:
    windows = windows_of(2)
    batch = collate(windows, EVENTS)
    nll = field_nll(tiny_network(), batch)
    slot = batch.tokens[..., SLOT]
    is_note = batch.counts & (slot < GIVEN_SLOT)
    assert nll.shape == (len(windows), EVENTS, len(SIZES))
    assert (nll[~batch.counts] == 0).all()
    assert (nll[batch.counts & (slot >= REST_SLOT)][:, PITCH:] == 0).all()
    assert (nll[is_note][:, [DBAR, DURATION, VELOCITY]] > 0).all()
    assert (nll < -BARRED / 2).all(), "a target was barred"


def test_a_flat_network_pays_the_logarithm_of_what_is_legal() -> None:
    network = tiny_network()
    for parameter in network.parameters():
        parameter.zero_()
    batch = collate(windows_of(0), EVENTS)
    nll = field_nll(network, batch)
    position, slot, pitch = masks_of(batch)
    is_note = batch.counts & (batch.tokens[..., SLOT] < GIVEN_SLOT)
    assert torch.allclose(nll[..., DBAR][batch.counts], torch.tensor(float(SIZES[DBAR])).log())
    for field, mask, counted in (
        (POSITION, position, batch.counts),
        (SLOT, slot, batch.counts),
        (PITCH, pitch, is_note),
    ):
        assert torch.allclose(nll[..., field][counted], mask.sum(-1).float().log()[counted], atol=1e-5)


def test_padding_changes_nothing() -> None:
    window = plain_windows(piece_of(random_score(3, bars=3), "noise"), EVENTS)[0]
    network, length = tiny_network(), len(window.tokens)
    short = field_nll(network, collate([window], length))
    long = field_nll(network, collate([window], length + 31))
    assert torch.allclose(short, long[:, :length], atol=1e-5)


def test_what_comes_later_changes_nothing_before() -> None:
    network, batch = tiny_network(), collate(windows_of(4)[:1], EVENTS)
    before = field_nll(network, batch)
    batch.tokens[:, EVENTS // 2 :, VELOCITY] = 31 - batch.tokens[:, EVENTS // 2 :, VELOCITY]
    after = field_nll(network, batch)
    assert torch.equal(before[:, : EVENTS // 2], after[:, : EVENTS // 2])
