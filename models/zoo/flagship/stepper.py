"""The network one event at a time, over a KV cache. Numbers in, numbers out; what is legal is the caller's business.

Its slow twin is `likelihood.field_logits`, and a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.layers.kv_cache import KVCache
from models.tokens.echo import AHEAD
from models.tokens.header import Header
from models.tokens.vocabulary import DBAR, FIELDS, POSITION, REST_SLOT, SLOT, VELOCITY
from models.zoo.flagship.network import HEADER_LENGTH, FlagshipNetwork

State = Tensor
"""(1, 1, C): what the heads start from."""
Chooser = Callable[[int, NDArray[np.float32]], int | None]
"""(field, logits) -> value of that field; of the slot's logits, (P + 2,), the value is a slot or a mark."""
Places = Callable[[int, int], tuple[int, tuple[float, float]]]
"""(dbar, position) -> (bar since the window's start, (grid ticks, bars) since the window's start)."""

Guesses = Callable[[int, Sequence[int]], list[int]]
"""(field or `AHEAD`, fields known) -> what each lag would have it be, see `models.tokens.echo`."""


class Stepper:
    """One sequence in the making. Positions count the header: the first event stands at `HEADER_LENGTH`."""

    def __init__(self, network: FlagshipNetwork) -> None:
        self._network = network
        config = network.config
        self._device = network.absent.device
        layers = config.n_layer + 1  # the last holds the look-ups' memory
        size = config.block_size + HEADER_LENGTH
        self._cache = KVCache(layers, config.n_head, size, config.n_embd // config.n_head, self._device)
        self._parts = torch.zeros(0)
        self.state: State = torch.zeros(0)
        self._turn: tuple[Tensor, Tensor] | None = None

    @property
    def events(self) -> int:
        """Events that have been read."""
        return max(0, self._cache.length - HEADER_LENGTH)

    @property
    def room(self) -> int:
        """Events that still fit."""
        return self._cache.size - self._cache.length

    def _tensor(self, values: object, dtype: torch.dtype) -> Tensor:
        return torch.as_tensor(np.asarray(values), dtype=dtype, device=self._device)

    @torch.inference_mode()
    def begin(self, header: Header) -> None:
        """Forget everything and read a header."""
        self._cache.reset()
        table = self._tensor(header.parts, torch.long)[None]
        self._parts = self._network.parts(table, self._tensor(header.present, torch.bool)[None])
        whole = self._tensor(header.whole, torch.long)[None]
        self._absorb(self._network.header(self._parts, whole), np.zeros((HEADER_LENGTH, 2)))

    @torch.inference_mode()
    def read(
        self,
        tokens: NDArray[np.int64],
        bar: NDArray[np.int64],
        place: NDArray[np.float64],
        hits: NDArray[np.int64],
    ) -> None:
        """Absorb T events: (T, 6), (T,), (T, 2) and (T,), bars and places counted from the window's start."""
        rows, bars, agreed = (self._tensor(column, torch.long)[None] for column in (tokens, bar, hits))
        self._absorb(self._network.events(rows, bars, agreed, self._parts), place)

    def _absorb(self, x: Tensor, place: NDArray[np.float64]) -> None:
        cache, network = self._cache, self._network
        start, count = cache.length, x.shape[1]
        turn = self._turns(start, place)
        end = start + count
        mask = None
        if count > 1:
            at = torch.arange(end, device=self._device)
            mask = at <= at[start:, None]
        for layer, block in enumerate(network.blocks):
            query, keys, values = block.project(x, turn)
            cache.write(layer, keys, values)
            x = block.finish(x, cache.attend(layer, query, end, mask))
        state = network.norm(x)
        cache.write(len(network.blocks), *network.recall(state, turn))
        cache.advance(count)
        self.state = state[:, -1:]

    def _turns(self, start: int, place: NDArray[np.float64]) -> tuple[Tensor, Tensor]:
        index = torch.arange(start, start + len(place), device=self._device)[None]
        return self._network.turns(index, self._tensor(place, torch.float64)[None])

    def rewind(self, events: int) -> None:
        """Forget all but the first `events`; the last of them must be read again before the next `propose`."""
        self._cache.rewind(HEADER_LENGTH + events)

    @torch.inference_mode()
    def propose(self, choose: Chooser, places: Places, guesses: Guesses) -> list[int] | None:
        """Ask the heads for the next event, field by field; None from `choose` gives up."""
        network, state = self._network, self.state
        chosen: list[int] = []
        turn = (state, state)
        bar = torch.zeros(1, 1, dtype=torch.long, device=self._device)
        ahead = self._tensor([[guesses(AHEAD, ())]], torch.long)
        for field in range(len(FIELDS)):
            guessed = self._tensor([[guesses(field, chosen)]], torch.long)
            state, logits = network.predict(field, state, guessed, ahead, self._parts)
            value = choose(field, logits[0, 0].numpy(force=True))
            if value is None:
                return None
            chosen.append(value)
            if field == VELOCITY or chosen[SLOT:] == [REST_SLOT]:
                break
            if field == DBAR:
                bar.fill_(places(value, 0)[0])
            elif field == POSITION:
                turn = self._turns(self._cache.length, np.array([places(chosen[DBAR], value)[1]]))
            known = torch.full((1, 1), value, device=self._device)
            state = network.after_field(field, state, known, bar, self._parts)
            if field in (POSITION, SLOT):
                state = self._look_up(0 if field == POSITION else 1, state, turn)
        return chosen + [0] * (len(FIELDS) - len(chosen))

    def _look_up(self, which: int, state: Tensor, turn: tuple[Tensor, Tensor]) -> Tensor:
        lookup = self._network.lookups[which]
        memory = len(self._network.blocks)
        found = self._cache.attend(memory, lookup.query(state, turn), self._cache.length)
        return lookup.finish(state, found)
