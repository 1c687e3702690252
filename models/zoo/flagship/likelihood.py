"""Teacher-forced likelihood of the flagship, with the grammar's masks in every softmax. It samples nothing.

`models/tokens/grammar.py` holds the same rules one event at a time; a test compares the two.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from models.tokens.echo import AHEAD
from models.tokens.vocabulary import (
    DBAR,
    DRUM_PITCH,
    FIELDS,
    GIVEN_SLOT,
    PITCH,
    POSITION,
    POSITIONS,
    REST_SLOT,
    SIZES,
    SLOT,
)
from models.zoo.flagship.network import HEADER_LENGTH, FlagshipNetwork

BARRED = -1e9


@dataclass(frozen=True, slots=True)
class Batch:
    """Windows of music; B windows, T events, P slots. Short windows are padded at the end, `counts` says with what."""

    tokens: Tensor
    """(B, T, 6) int64."""
    bar: Tensor
    """(B, T) int64: the bar each event stands in."""
    bar_grid: Tensor
    """(B, T) int64: that bar's length in grid ticks."""
    place: Tensor
    """(B, T, 2) float64: when it truly sounds, (grid ticks, bars)."""
    counts: Tensor
    """(B, T) bool: whether the event is to be predicted."""
    header: Tensor
    """(B, P, 4) int64."""
    present: Tensor
    """(B, P) bool."""
    free: Tensor
    """(B, P) bool: present and not given."""
    kind: Tensor
    """(B, P) int64: drums 0, bass 1, other 2."""
    whole: Tensor
    """(B, 2) int64."""
    echo: Tensor
    """(B, T, 7, 5) int64: what the bars before would have each field be, see `models.tokens.echo`."""
    hits: Tensor
    """(B, T) int64: which of them each event agrees with."""

    def to(self, device: torch.device | str) -> Batch:
        """The same on another device."""
        return Batch(*(getattr(self, name).to(device) for name in self.__slots__))


@dataclass(frozen=True, slots=True)
class Previous:
    """What stood before each event; all (B, T)."""

    same_bar: Tensor
    position: Tensor
    pitch: Tensor
    slot: Tensor
    kind: Tensor
    is_free_note: Tensor

    @classmethod
    def of(cls, batch: Batch) -> Previous:
        """Shift the batch by one; nothing stands before the first event."""
        before = F.pad(batch.tokens[:, :-1], (0, 0, 1, 0))
        slot = before[..., SLOT]
        first = torch.zeros_like(slot, dtype=torch.bool)
        first[:, 0] = True
        is_free_note = (slot < GIVEN_SLOT) & ~first
        kind = batch.kind.gather(1, slot.clamp(max=GIVEN_SLOT - 1))
        return cls(batch.tokens[..., DBAR] == 0, before[..., POSITION], before[..., PITCH], slot, kind, is_free_note)


def position_mask(batch: Batch, previous: Previous) -> Tensor:
    """(B, T, 192): inside the bar, and not before the event before."""
    position = torch.arange(POSITIONS, device=batch.tokens.device)
    low = torch.where(previous.same_bar, previous.position, 0)
    return (position >= low[..., None]) & (position < batch.bar_grid[..., None])


def tied(batch: Batch, previous: Previous) -> Tensor:
    """(B, T): struck together with a generated note, so that the order of one onset binds it."""
    return previous.same_bar & previous.is_free_note & (batch.tokens[..., POSITION] == previous.position)


def slot_mask(batch: Batch, tie: Tensor, previous: Previous) -> Tensor:
    """(B, T, P + 2): parts that are there and not given, kinds in order; marks only on a bar line of a later bar."""
    parts = batch.free[:, None] & (~tie[..., None] | (batch.kind[:, None] >= previous.kind[..., None]))
    fresh = ~previous.same_bar & (batch.tokens[..., POSITION] == 0)
    return torch.cat([parts, fresh[..., None].expand(-1, -1, 2)], dim=-1)


def pitch_mask(batch: Batch, tie: Tensor, previous: Previous) -> Tensor:
    """(B, T, 256): drums or melody, rising within one kind of one onset, the same pitch only in a later slot."""
    slot = batch.tokens[..., SLOT].clamp(max=GIVEN_SLOT - 1)
    kind = batch.kind.gather(1, slot)
    pitch = torch.arange(SIZES[PITCH], device=batch.tokens.device)
    low = torch.where(tie & (kind == previous.kind), previous.pitch + (slot <= previous.slot), 0)
    return ((pitch >= DRUM_PITCH) == (kind == 0)[..., None]) & (pitch >= low[..., None])


def field_logits(network: FlagshipNetwork, batch: Batch) -> list[Tensor]:
    """Masked logits of the six fields, each (B, T, size), every event predicted from those before it."""
    tokens, bar = batch.tokens, batch.bar
    parts = network.parts(batch.header, batch.present)
    x = torch.cat([network.header(parts, batch.whole), network.events(tokens, bar, batch.hits, parts)[:, :-1]], dim=1)
    index = torch.arange(x.shape[1] + 1, device=x.device)
    place = F.pad(batch.place, (0, 0, HEADER_LENGTH, 0))  # the header stands where the window starts
    turn = network.turns(index[:-1].expand(len(x), -1), place[:, :-1])
    state, keys, values = network.hidden(x, turn)
    state = state[:, HEADER_LENGTH - 1 :]
    ahead = network.turns(index[HEADER_LENGTH:].expand(len(x), -1), place[:, HEADER_LENGTH:])
    may_see = index[: x.shape[1]] < index[HEADER_LENGTH:, None]
    previous = Previous.of(batch)
    tie = tied(batch, previous)
    masks = {
        POSITION: position_mask(batch, previous),
        SLOT: slot_mask(batch, tie, previous),
        PITCH: pitch_mask(batch, tie, previous),
    }
    logits = []
    for field in range(len(FIELDS)):
        state, raw = network.predict(field, state, batch.echo[:, :, field], batch.echo[:, :, AHEAD], parts)
        logits.append(raw.masked_fill(~masks[field], BARRED) if field in masks else raw)
        if field < len(FIELDS) - 1:
            state = network.after_field(field, state, tokens[..., field], bar, parts)
        if field in (POSITION, SLOT):
            lookup = network.lookups[0 if field == POSITION else 1]
            query = lookup.query(state, ahead)
            found = F.scaled_dot_product_attention(
                query, keys.to(query.dtype), values.to(query.dtype), attn_mask=may_see
            )
            state = lookup.finish(state, found)
    return logits


def field_nll(network: FlagshipNetwork, batch: Batch) -> Tensor:
    """Nats of each field, (B, T, 6); 0 where nothing is to be predicted (padding, given notes, what a rest lacks)."""
    tokens = batch.tokens
    is_note = batch.counts & (tokens[..., SLOT] < GIVEN_SLOT)
    losses = []
    for field, logits in enumerate(field_logits(network, batch)):
        target = tokens[..., field]
        if field == SLOT:
            target = torch.where(target >= REST_SLOT, target - GIVEN_SLOT, target.clamp(max=GIVEN_SLOT - 1))
        loss = F.cross_entropy(logits.flatten(0, 1), target.flatten(), reduction="none").view_as(target)
        losses.append(torch.where(batch.counts if field <= SLOT else is_note, loss, 0.0))
    return torch.stack(losses, dim=-1)
