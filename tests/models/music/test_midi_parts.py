"""Parts as gathered from the channels of tracks."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from models.music.constants import DRUM_CHANNEL, PPQ
from models.music.midi_parts import ReadReport, Rescale, Strip, choose_channels, gather_parts
from models.music.score import Part


def strip(program: int | None, notes: int, channel: int = 0) -> Strip:
    return Strip(0, channel, program=program, notes=[(0, 1, 60, 64)] * notes)


def test_up_to_sixteen_strips_stay_apart_even_with_one_instrument() -> None:
    strips = [strip(0, 1) for _ in range(16)]
    groups, report = gather_parts(strips)
    assert groups == [[each] for each in strips]
    assert report == ReadReport()


def test_too_many_strips_meet_by_instrument_and_drums_stay_drums() -> None:
    strips = [strip(0, 1) for _ in range(16)] + [strip(0, 1, DRUM_CHANNEL), strip(None, 1)]
    groups, report = gather_parts(strips)
    assert [len(group) for group in groups] == [16, 1, 1]
    assert report == ReadReport(merged_parts=15)


def test_the_parts_left_out_are_those_with_the_fewest_notes() -> None:
    strips = [strip(program, 1 if program in (3, 7) else 2) for program in range(18)]
    groups, report = gather_parts(strips)
    assert [group[0].program for group in groups] == [program for program in range(18) if program not in (3, 7)]
    assert report == ReadReport(dropped_parts=2, dropped_notes=2)


@given(tick=st.integers(0, 10**8), division=st.integers(1, 0x7FFF))
def test_rescaling_is_off_by_half_a_tick_at_most(tick: int, division: int) -> None:
    scale = Rescale(division)
    assert 2 * abs(scale.to_score(tick) * division - tick * PPQ) <= division
    assert 2 * abs(scale.to_file(tick) * PPQ - tick * division) <= PPQ


@given(tick=st.integers(0, 10**6), division=st.integers(PPQ, 0x7FFF))
def test_a_finer_file_gives_every_tick_of_the_score_back(tick: int, division: int) -> None:
    scale = Rescale(division)
    assert scale.to_score(scale.to_file(tick)) == tick


@given(parts=st.lists(st.builds(Part, st.booleans(), st.none() | st.integers(0, 3)), max_size=16))
def test_channels_are_shared_only_when_they_run_out(parts: list[Part]) -> None:
    channels = choose_channels(parts)
    melodic = [channel for part, channel in zip(parts, channels, strict=True) if not part.is_drum]
    assert all((channel == DRUM_CHANNEL) == part.is_drum for part, channel in zip(parts, channels, strict=True))
    assert len(set(melodic)) == min(len(melodic), 15)


def test_a_part_without_a_free_channel_shares_that_of_its_program() -> None:
    parts = [Part(program=program) for program in (*range(15), 6)]
    assert choose_channels(parts)[-1] == 6


def test_channels_in_use_are_left_alone() -> None:
    assert choose_channels([Part(), Part()], taken=[0, 2]) == [1, 3]
