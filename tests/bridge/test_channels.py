"""Parts find their channels."""

from __future__ import annotations

from bridge.channels import ChannelMap, map_channels
from models.music.score import Part


def test_drums_are_on_ten_and_the_others_from_one_up() -> None:
    parts = [Part(program=33), Part(is_drum=True), Part(), Part(program=0)]
    assert map_channels(parts) == ChannelMap((0, 9, 1, 2), {0: 33, 2: 0})


def test_melodic_parts_skip_ten() -> None:
    assert map_channels([Part()] * 15).channels == (0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 15)


def test_a_sixteenth_melodic_part_joins_one_that_sounds_the_same() -> None:
    parts = [Part(program=number) for number in range(15)]
    assert map_channels([*parts, Part(program=4)]).channels[15] == 4


def test_a_sixteenth_melodic_part_without_a_match_shares_the_last_channel_and_its_program() -> None:
    parts = [Part(program=number) for number in range(15)]
    mapped = map_channels([*parts, Part(program=99)])
    assert mapped.channels[15] == 15
    assert mapped.programs[15] == 14


def test_two_drum_parts_share_ten_and_the_first_kit() -> None:
    mapped = map_channels([Part(is_drum=True, program=8), Part(is_drum=True, program=25)])
    assert mapped == ChannelMap((9, 9), {9: 8})


def test_a_part_nobody_announced_plays_on_the_first_channel() -> None:
    assert map_channels([]).channel_of(3) == 0
