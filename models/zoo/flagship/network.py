"""The flagship: a decoder-only Transformer over note events. It maps arrays to logits and knows no notes and no clock.

Sources: compound note tokens with sequential sub-token heads, Ryu et al., Nested Music Transformer (2024); pre-norm
SwiGLU blocks, Touvron et al., LLaMA (2023). Departures: half of each rotary turns by musical time (`layers/rotary.py`);
after the position and again after the slot is known, the heads look up what stood at musically related places (an
attention whose query turns by the *predicted* note's time); a part is the sum of what the header tells of it, and the
slot logits are products with these sums, so that a part means what it plays and not where it sits; each head is told
what the bars before would have its field be, and a gate copies from them (a pointer, Vinyals et al., 2015, whose places
the meter gives: `tokens/echo.py`).

Shapes: B batch, T events, C = n_embd, H heads, D = C / H, P = 16 slots, L = 1 + P header places before the events.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.layers.linear import StepLinear
from models.layers.rotary import rotary_frequencies, rotary_table, rotate
from models.music.constants import MAX_PARTS
from models.tokens.echo import ECHOES, HITS
from models.tokens.vocabulary import (
    DBAR,
    DURATION,
    END_SLOT,
    FIELDS,
    GIVEN_SLOT,
    HEADER_SIZES,
    METER_SIZE,
    PITCH,
    POSITION,
    REST_SLOT,
    SIZES,
    SLOT,
    TEMPO_SIZE,
    VELOCITY,
)
from models.zoo.flagship.blocks import Block, FieldHead, Lookup, copied, module_list
from models.zoo.flagship.config import FlagshipConfig

HEADER_LENGTH = 1 + MAX_PARTS
BAR_CYCLES = (4, 8, 16)
MARKS = END_SLOT + 1 - REST_SLOT


class FlagshipNetwork(nn.Module):
    """Arrays in, logits out; see the module's docstring for the shapes."""

    by_index: Tensor
    by_time: Tensor

    def __init__(self, config: FlagshipConfig) -> None:
        super().__init__()
        self.config = config
        c = config.n_embd
        self.header_parts = module_list(nn.Embedding(size, c) for size in HEADER_SIZES)
        self.slot = nn.Embedding(MAX_PARTS, c)
        self.absent = nn.Parameter(torch.zeros(c))
        self.meter = nn.Embedding(METER_SIZE, c)
        self.tempo = nn.Embedding(TEMPO_SIZE, c)
        self.fields = module_list(
            nn.Embedding(MARKS if field == SLOT else SIZES[field], c) for field in range(len(FIELDS))
        )
        self.given = nn.Parameter(torch.zeros(c))
        self.chroma = nn.Embedding(13, c)
        self.hits = nn.Embedding(HITS, c)
        self.ahead = nn.Parameter(torch.zeros(ECHOES, c))
        self.bars = module_list(nn.Embedding(cycle, c) for cycle in BAR_CYCLES)
        self.blocks = module_list(Block(config) for _ in range(config.n_layer))
        self.norm = nn.RMSNorm(c)
        self.memory = StepLinear(c, 2 * c)
        self.lookups = module_list(Lookup(config) for _ in range(2))
        self.heads = module_list(FieldHead(config, c if field == SLOT else SIZES[field]) for field in range(6))
        index, time = rotary_frequencies(c // config.n_head)
        self.register_buffer("by_index", index, persistent=False)
        self.register_buffer("by_time", time, persistent=False)
        self.apply(self._initialise)
        nn.init.zeros_(self.hits.weight)
        for head in self.heads:
            nn.init.zeros_(head.gate.weight)
        for block in self.blocks:
            for layer in (block.out, block.ff.down):
                nn.init.normal_(layer.weight, std=0.02 / math.sqrt(2 * config.n_layer))

    def _initialise(self, module: nn.Module) -> None:
        if isinstance(module, nn.Linear | nn.Embedding):
            nn.init.normal_(module.weight, std=0.02)

    def parts(self, header: Tensor, present: Tensor) -> Tensor:
        """What each slot is.

        Args:
            header: (B, P, 4) ints.
            present: (B, P) bool.

        Returns:
            (B, P, C).
        """
        told = sum(table(header[..., i]) for i, table in enumerate(self.header_parts))
        return torch.where(present[..., None], told + self.slot.weight, self.absent)

    def header(self, parts: Tensor, whole: Tensor) -> Tensor:
        """The L places before the events, (B, L, C); `whole` is (B, 2): meter and tempo."""
        return torch.cat([(self.meter(whole[:, 0]) + self.tempo(whole[:, 1]))[:, None], parts], dim=1)

    def bar_embedding(self, bar: Tensor) -> Tensor:
        """Where a bar stands in phrases of 4, 8 and 16, (..., C)."""
        return sum(table(bar % cycle) for cycle, table in zip(BAR_CYCLES, self.bars, strict=True))

    def slot_embedding(self, slot: Tensor, parts: Tensor) -> Tensor:
        """Of slot values (B, T): a part, a given part, or a mark."""
        is_mark = slot >= REST_SLOT
        part = torch.where(is_mark, 0, slot % GIVEN_SLOT)
        who = parts.gather(1, part[..., None].expand(-1, -1, parts.shape[-1]))
        who = who + (slot >= GIVEN_SLOT)[..., None] * self.given
        return torch.where(is_mark[..., None], self.fields[SLOT](torch.where(is_mark, slot - REST_SLOT, 0)), who)

    def events(self, tokens: Tensor, bar: Tensor, hits: Tensor, parts: Tensor) -> Tensor:
        """Embed events, (B, T, C), from tokens (B, T, 6), their bars (B, T) and the lags they agree with (B, T)."""
        x = self.slot_embedding(tokens[..., SLOT], parts) + self.bar_embedding(bar) + self.hits(hits)
        for field in (DBAR, POSITION, PITCH, DURATION, VELOCITY):
            x = x + self.fields[field](tokens[..., field])
        pitch = tokens[..., PITCH]
        return x + self.chroma(torch.where(pitch < 128, pitch % 12, 12))

    def turns(self, index: Tensor, place: Tensor) -> tuple[Tensor, Tensor]:
        """Rotary tables that broadcast over heads: two (B, 1, T, D/2)."""
        cos, sin = rotary_table(index, place, (self.by_index, self.by_time))
        return cos[:, None], sin[:, None]

    def after_field(self, field: int, state: Tensor, value: Tensor, bar: Tensor, parts: Tensor) -> Tensor:
        """Tell the state the value (B, T) of a field; `bar` (B, T) is the bar of the predicted event."""
        if field == SLOT:
            return state + self.slot_embedding(value, parts)
        state = state + self.fields[field](value)
        return state + self.bar_embedding(bar) if field == DBAR else state

    def predict(
        self, field: int, state: Tensor, guesses: Tensor, ahead: Tensor, parts: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The state, digested, and the logits of one field; the slot's are the parts', then REST's and END's.

        Args:
            guesses: (B, T, lags) what the bars before would have the field be, see `models.tokens.echo`.
            ahead: (B, T, lags) the position they would have the next event stand at.
            parts: (B, P, C).
        """
        head = self.heads[field]
        state = head.hear(state, self.guessed(field, guesses, parts))
        if field == DBAR:
            state = state + (self.guessed(POSITION, ahead, parts) * self.ahead).sum(dim=-2)
        state = head.refine(state)
        seen = head.norm_out(state)
        logits = head.out(seen)
        if field == SLOT:
            marks = self.fields[SLOT].weight.expand(parts.shape[0], -1, -1)
            logits = logits @ torch.cat([parts, marks], dim=1).transpose(1, 2)
            guesses = torch.where(guesses >= REST_SLOT, guesses - GIVEN_SLOT, guesses)
        return state, copied(logits.float(), head.gate(seen), guesses)

    def guessed(self, field: int, guesses: Tensor, parts: Tensor) -> Tensor:
        """Embed guesses (B, T, lags) of a field, (B, T, lags, C); zero where there is none.

        The tables learn from what was played, not from what was guessed: that halves what echoes cost a training step.
        """
        values = guesses.clamp(min=0)
        if field == SLOT:
            embedded = self.slot_embedding(values.flatten(1), parts).unflatten(1, values.shape[1:])
        else:
            embedded = self.fields[field](values)
        return embedded.detach() * (guesses >= 0)[..., None]

    def hidden(self, x: Tensor, turn: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """One causal pass: the state (B, T, C) and the look-ups' keys and values (B, H, T, D)."""
        for block in self.blocks:
            q, k, v = block.project(x, turn)
            x = block.finish(x, F.scaled_dot_product_attention(q, k.to(v.dtype), v, is_causal=True))
        state = self.norm(x)
        return state, *self.recall(state, turn)

    def recall(self, state: Tensor, turn: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """The look-ups' keys (turned) and values of states (B, T, C), each (B, H, T, D)."""
        b, t, c = state.shape
        h = self.config.n_head
        kv = self.memory(state).view(b, t, 2, h, c // h).permute(2, 0, 3, 1, 4)
        return rotate(kv[0], *turn), kv[1]
