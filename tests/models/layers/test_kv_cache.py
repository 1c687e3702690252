"""The cache gives what plain attention over everything would."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from models.layers.kv_cache import KVCache

LAYERS, H, T, D = 2, 2, 7, 8


def everything() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Queries, keys and values of T places."""
    q, k, v = torch.randn(3, 1, H, T, D, generator=torch.Generator().manual_seed(0))
    return q, k, v


def test_one_place_at_a_time_equals_causal_attention_over_all() -> None:
    q, k, v = everything()
    cache = KVCache(LAYERS, H, T, D, "cpu")
    found = []
    for at in range(T):
        cache.write(1, k[:, :, at : at + 1], v[:, :, at : at + 1])
        found.append(cache.attend(1, q[:, :, at : at + 1], at + 1))
        cache.advance(1)
    expected = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    assert torch.allclose(torch.cat(found, dim=2), expected, atol=1e-6)


def test_layers_do_not_mix() -> None:
    q, k, v = everything()
    cache = KVCache(LAYERS, H, T, D, "cpu")
    cache.write(0, k, v)
    cache.write(1, k, 2 * v)
    assert torch.allclose(2 * cache.attend(0, q, T), cache.attend(1, q, T), atol=1e-5)


def test_a_rewound_place_is_overwritten() -> None:
    q, k, v = everything()
    cache = KVCache(LAYERS, H, T, D, "cpu")
    cache.write(0, torch.full_like(k, 9.0), v)
    cache.advance(T)
    cache.rewind(0)
    cache.write(0, k, v)
    cache.advance(T)
    assert torch.allclose(cache.attend(0, q, T), F.scaled_dot_product_attention(q, k, v), atol=1e-6)


def test_rewind_never_goes_forward_and_reset_forgets() -> None:
    cache = KVCache(LAYERS, H, T, D, "cpu")
    cache.advance(5)
    cache.rewind(6)
    assert cache.length == 5
    cache.rewind(2)
    assert cache.length == 2
    cache.reset()
    assert cache.length == 0
