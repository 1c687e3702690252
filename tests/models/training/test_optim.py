"""Who steps what, how fast, and what is averaged."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from models.training.optim import Average, Optimizers, schedule, split_parameters
from tests.models.tiny import tiny_network


@pytest.mark.parametrize(
    ("progress", "rate"),
    [(0.0, 0.0), (0.005, 0.05), (0.05, 0.5), (0.1, 1.0), (0.5, 1.0), (0.75, 1.0), (0.875, 0.5), (1.0, 0.0), (1.2, 0.0)],
)
def test_rates_rise_stay_and_fall(progress: float, rate: float) -> None:
    assert schedule(progress, warm_up=0.1, decay=0.25) == pytest.approx(rate)


def test_rates_without_a_rise_or_a_fall_stay() -> None:
    assert schedule(0.0, warm_up=0.0, decay=0.0) == schedule(1.0, warm_up=0.0, decay=0.0) == 1.0


def test_matrices_of_the_trunk_go_to_muon_and_all_else_to_adam() -> None:
    network = tiny_network()
    names = {id(parameter): name for name, parameter in network.named_parameters()}
    muon, adam = ({names[id(p)] for p in group} for group in split_parameters(network))
    assert muon | adam == set(names.values())
    assert not muon & adam
    assert {"blocks.0.qkv.weight", "blocks.1.ff.down.weight", "memory.weight", "lookups.0.q.weight"} <= muon
    assert {"heads.3.out.weight", "fields.3.weight", "norm.weight", "slot.weight", "absent"} <= adam
    assert all(dict(network.named_parameters())[name].ndim == 2 for name in muon)


class Small(nn.Module):
    """One matrix for Muon, one vector for Adam."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layer = nn.Linear(4, 4)


def test_a_step_moves_both_by_about_their_rate_and_clears_the_gradients() -> None:
    network = Small()
    optimizers = Optimizers(network, muon_lr=0.01, adam_lr=0.02, weight_decay=0.0)
    before = {name: value.detach().clone() for name, value in network.named_parameters()}
    network.layer(torch.ones(1, 4)).square().sum().backward()
    optimizers.step(0.5)
    moved = {name: (value - before[name]).abs().mean().item() for name, value in network.named_parameters()}
    assert 0.0002 < moved["layer.weight"] < 0.01
    assert moved["layer.bias"] == pytest.approx(0.01, rel=0.05)
    assert all(parameter.grad is None for parameter in network.parameters())


def test_a_step_at_rate_zero_moves_nothing() -> None:
    network = Small()
    before = network.layer.weight.detach().clone()
    network.layer(torch.ones(1, 4)).square().sum().backward()
    Optimizers(network, 0.01, 0.01, 0.1).step(0.0)
    assert torch.equal(network.layer.weight, before)


def test_the_average_forgets_the_start_and_then_moves_slowly() -> None:
    network = Small()
    average = Average(network, decay=0.9)
    nn.init.ones_(network.layer.bias)
    first = average.values["layer.bias"].clone()
    average.update(network.named_parameters(), step=0)
    assert torch.allclose(average.values["layer.bias"], first + (1 - first) * 0.9)
    before = average.values["layer.bias"].clone()
    average.update(network.named_parameters(), step=10_000)
    assert torch.allclose(average.values["layer.bias"], before + (1 - before) * 0.1)
