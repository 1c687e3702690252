"""Keys and values of what was read, in memory taken once. It knows no tokens and draws nothing."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


class KVCache:
    """One sequence, `n_layer` layers, room for `size` places; H heads of D numbers."""

    def __init__(self, n_layer: int, n_head: int, size: int, head_size: int, device: torch.device | str) -> None:
        self._keys = torch.zeros(n_layer, 1, n_head, size, head_size, device=device)
        self._values = torch.zeros_like(self._keys)
        self.size = size
        self.length = 0

    def reset(self) -> None:
        """Forget everything."""
        self.length = 0

    def advance(self, places: int) -> None:
        """The last `places` written in every layer count from now on."""
        self.length += places

    def rewind(self, length: int) -> None:
        """Forget the places from `length` on."""
        self.length = min(self.length, length)

    def write(self, layer: int, keys: Tensor, values: Tensor) -> None:
        """Put (1, H, T, D) after the places that count."""
        end = self.length + keys.shape[2]
        self._keys[layer, :, :, self.length : end] = keys
        self._values[layer, :, :, self.length : end] = values

    def attend(self, layer: int, query: Tensor, places: int, mask: Tensor | None = None) -> Tensor:
        """What (1, H, T, D) queries find in the first `places` places."""
        keys, values = self._keys[layer, :, :, :places], self._values[layer, :, :, :places]
        return F.scaled_dot_product_attention(query, keys, values, attn_mask=mask)
