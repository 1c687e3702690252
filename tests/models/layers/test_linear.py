"""The linear layer with half-precision rows."""

from __future__ import annotations

import torch
from torch import nn

from models.layers.linear import StepLinear


def layer() -> StepLinear:
    """A layer as training leaves it."""
    torch.manual_seed(0)
    return StepLinear(48, 32).requires_grad_(requires_grad=False)


def test_it_is_a_linear_layer_until_halved() -> None:
    step, x = layer(), torch.randn(1, 1, 48)
    plain = nn.Linear(48, 32, bias=False)
    plain.load_state_dict(step.state_dict())
    assert torch.equal(step(x), plain(x))


def test_a_halved_layer_changes_single_rows_a_little_and_more_rows_not_at_all() -> None:
    step, x = layer(), torch.randn(1, 3, 48)
    before, row_before = step(x), step(x[:, :1])
    step.halve()
    assert torch.equal(step(x), before)
    row = step(x[:, :1])
    assert row.dtype == torch.float32
    assert 0 < (row - row_before).abs().max() < 0.01


def test_halving_leaves_the_checkpoint_as_it_was() -> None:
    step = layer()
    before = {name: value.clone() for name, value in step.state_dict().items()}
    step.halve()
    assert step.state_dict().keys() == before.keys() == {"weight"}
    assert torch.equal(step.weight, before["weight"])
