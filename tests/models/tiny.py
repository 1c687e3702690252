"""Small made-up music and a flagship too small to know any: what the tests of the models play with."""

from __future__ import annotations

import random

import torch

from models.music.constants import PPQ
from models.music.score import Meter, Note, Part, Score, Tempo
from models.tokens.vocabulary import DBAR, SLOT
from models.zoo.flagship.config import FlagshipConfig
from models.zoo.flagship.network import FlagshipNetwork

TINY = FlagshipConfig(n_layer=2, n_head=1, n_embd=64, n_ff=64, n_head_ff=32, block_size=128)
BAND = (
    Part(is_drum=True, name="drums"),
    Part(program=33, name="bass"),
    Part(program=0, name="piano"),
    Part(name="unknown"),
)
STEP = PPQ // 4


def tiny_network(block_size: int = TINY.block_size, seed: int = 0) -> FlagshipNetwork:
    """A flagship with random weights, its logits far from flat, that would rather stay in a bar than go on."""
    torch.set_num_threads(1)  # as it is served; on a busy machine two threads wait for each other
    torch.manual_seed(seed)
    sizes = {"n_layer": 2, "n_head": 1, "n_embd": 64, "n_ff": 64, "n_head_ff": 32, "block_size": block_size}
    network = FlagshipNetwork(FlagshipConfig(**sizes)).eval().requires_grad_(requires_grad=False)
    for learned_from_zero in (
        network.hits.weight,
        network.ahead,
        *(p for h in network.heads for p in (h.echo, h.gate.weight)),
    ):
        torch.nn.init.normal_(learned_from_zero, std=0.02)
    for parameter in network.parameters():
        if parameter.dim() > 1:
            parameter.mul_(4.0)
    # One dimension is the same in all that is read: a bias, which the layers have none of.
    for constant in (network.slot.weight[:, 0], network.absent[:1], network.fields[SLOT].weight[:, 0]):
        constant.fill_(1.0)
    network.heads[DBAR].out.weight[0, 0] = 2.0
    return network


def random_score(
    seed: int,
    bars: int = 8,
    parts: tuple[Part, ...] = BAND,
    meters: tuple[Meter, ...] = (Meter(0, 4, 4),),
    notes_per_bar: int = 10,
    is_on_grid: bool = True,
) -> Score:
    """Noise with chords, empty bars and doubled notes; a score of `bars` bars of 4/4 in length."""
    rng = random.Random(seed)
    notes = []
    for bar in range(bars):
        if bar and rng.random() < 0.15:
            continue
        for _ in range(rng.randint(1, notes_per_bar)):
            onset_tick = bar * 4 * PPQ + rng.randrange(16) * STEP
            onset_tick += 0 if is_on_grid else rng.randint(-STEP // 2, STEP // 2)
            for part in rng.sample(range(len(parts)), rng.randint(1, min(3, len(parts)))):
                pitch = rng.randint(35, 50) if parts[part].is_drum else rng.randint(40, 80)
                notes.append(Note(max(0, onset_tick), part, pitch, rng.choice((60, 120, 480)), rng.randint(1, 127)))
    return Score.build(parts, notes, [Tempo(0, 112.0)], meters, bars * 4 * PPQ)
