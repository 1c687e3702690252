"""What the flagship is built of: layers that know neither fields nor music. Shapes as in `network.py`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.layers.linear import StepLinear
from models.layers.rotary import rotate
from models.tokens.echo import ECHOES
from models.zoo.flagship.config import FlagshipConfig

M = TypeVar("M", bound=nn.Module)


def module_list(modules: Iterable[M]) -> Sequence[M]:
    """An `nn.ModuleList` whose items keep their type."""
    return cast("Sequence[M]", nn.ModuleList(modules))


class SwiGLU(nn.Module):
    """Gated feed-forward (Shazeer, 2020)."""

    def __init__(self, size: int, hidden: int) -> None:
        super().__init__()
        self.up = StepLinear(size, 2 * hidden)
        self.down = StepLinear(hidden, size)

    def forward(self, x: Tensor) -> Tensor:
        gate, value = self.up(x).chunk(2, dim=-1)
        return self.down(F.silu(gate) * value)


class Block(nn.Module):
    """Pre-norm attention and feed-forward."""

    def __init__(self, config: FlagshipConfig) -> None:
        super().__init__()
        self.n_head = config.n_head
        self.norm_attention = nn.RMSNorm(config.n_embd)
        self.qkv = StepLinear(config.n_embd, 3 * config.n_embd)
        self.out = StepLinear(config.n_embd, config.n_embd)
        self.norm_ff = nn.RMSNorm(config.n_embd)
        self.ff = SwiGLU(config.n_embd, config.n_ff)

    def project(self, x: Tensor, turn: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """Query, key and value, each (B, H, T, D), the first two turned."""
        b, t, c = x.shape
        qkv = self.qkv(self.norm_attention(x)).view(b, t, 3, self.n_head, c // self.n_head).permute(2, 0, 3, 1, 4)
        return rotate(qkv[0], *turn), rotate(qkv[1], *turn), qkv[2]

    def finish(self, x: Tensor, attended: Tensor) -> Tensor:
        """Add what was attended, (B, H, T, D), then the feed-forward."""
        x = x + self.out(attended.transpose(1, 2).flatten(2))
        return x + self.ff(self.norm_ff(x))


class Lookup(nn.Module):
    """The heads' query into musical memory; keys and values are shared by both look-ups."""

    def __init__(self, config: FlagshipConfig) -> None:
        super().__init__()
        self.n_head = config.n_head
        self.norm = nn.RMSNorm(config.n_embd)
        self.q = StepLinear(config.n_embd, config.n_embd)
        self.out = StepLinear(config.n_embd, config.n_embd)

    def query(self, state: Tensor, turn: tuple[Tensor, Tensor]) -> Tensor:
        """(B, H, T, D), turned by the place of the note that is being predicted."""
        b, t, c = state.shape
        q = self.q(self.norm(state)).view(b, t, self.n_head, c // self.n_head).transpose(1, 2)
        return rotate(q, *turn)

    def finish(self, state: Tensor, attended: Tensor) -> Tensor:
        """Add what was found, (B, H, T, D)."""
        return state + self.out(attended.transpose(1, 2).flatten(2))


class FieldHead(nn.Module):
    """Logits of one field, and how its value changes the state for the next."""

    def __init__(self, config: FlagshipConfig, size: int) -> None:
        super().__init__()
        self.echo = nn.Parameter(torch.zeros(ECHOES, config.n_embd))
        self.gate = StepLinear(config.n_embd, ECHOES)
        self.norm = nn.RMSNorm(config.n_embd)
        self.mix = SwiGLU(config.n_embd, config.n_head_ff)
        self.norm_out = nn.RMSNorm(config.n_embd)
        self.out = StepLinear(config.n_embd, size)

    def refine(self, state: Tensor) -> Tensor:
        """Digest the fields that are known."""
        return state + self.mix(self.norm(state))

    def hear(self, state: Tensor, guesses: Tensor) -> Tensor:
        """Tell the state what the lags guess, (B, T, lags, C)."""
        return state + (guesses * self.echo).sum(dim=-2)


def copied(logits: Tensor, belief: Tensor, guesses: Tensor) -> Tensor:
    """Logits (B, T, V) raised where a lag guesses, by how far it is believed (B, T, lags); -1 = it guesses nothing."""
    known = guesses >= 0
    return logits.scatter_add(-1, guesses.clamp(min=0), torch.where(known, belief, 0.0).to(logits.dtype))
