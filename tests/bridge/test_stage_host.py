"""Takes in a host's time: where they begin, how they follow it, and how one replaces another."""

from __future__ import annotations

import pytest

from bridge.clock import Transport
from bridge.stage import LEAST_LEAD_NS
from bridge.wire_table import MAX_TICK
from models.music.score import Meter
from tests.bridge.hall import BAR, BEAT, BEAT_NS, ME, YOU, Hall, notes
from tests.fakes import MS, SECOND


@pytest.fixture
def hall() -> Hall:
    return Hall()


def test_in_a_playing_host_a_take_begins_on_the_next_bar_line(hall: Hall) -> None:
    at_ns = hall.clock.ns
    act = hall.enter(hall.host(song_tick=2 * BEAT))
    assert act.at_tick == BAR
    hall.add(act, notes(0, 1))
    hall.wait(4 * SECOND)
    assert hall.struck() == [(at_ns + 2 * BEAT_NS, 60), (at_ns + 3 * BEAT_NS, 60)]


def test_a_bar_line_too_near_to_reach_is_passed_over(hall: Hall) -> None:
    near_ticks = int(LEAST_LEAD_NS / BEAT_NS * BEAT)
    assert hall.enter(hall.host(song_tick=BAR - near_ticks)).at_tick == 2 * BAR
    assert hall.enter(hall.host(song_tick=BAR - near_ticks - 2)).at_tick == BAR


def test_the_bar_line_is_that_of_the_hosts_meter(hall: Hall) -> None:
    host = Transport().updated(hall.clock.ns, 100, 120.0, True, Meter(0, 3, 4))
    assert hall.enter(host).at_tick == 3 * BEAT


def test_a_take_may_be_asked_for_at_a_song_tick(hall: Hall) -> None:
    at_ns = hall.clock.ns
    act = hall.enter(hall.host(song_tick=0), at_tick=3 * BEAT + 7)
    hall.add(act, notes(0))
    hall.wait(3 * SECOND)
    assert act.at_tick == 3 * BEAT + 7
    assert hall.struck() == [(act.line.ns_at(0) if act.line else 0, 60)]
    assert hall.struck()[0][0] - at_ns == pytest.approx(BEAT_NS * (3 + 7 / BEAT), abs=MS)


@pytest.mark.parametrize(("song_tick", "at_tick"), [(-3 * BAR - 5, 0), (MAX_TICK, MAX_TICK)])
def test_no_bar_line_lies_where_the_wire_cannot_say_it(hall: Hall, song_tick: int, at_tick: int) -> None:
    assert hall.enter(hall.host(song_tick)).at_tick == at_tick


def test_a_stopped_host_is_not_waited_for(hall: Hall) -> None:
    act = hall.enter(hall.host(song_tick=77, is_playing=False))
    assert (act.at_tick, act.line) == (-1, None)


def test_another_tempo_bends_what_still_waits(hall: Hall) -> None:
    at_ns = hall.clock.ns
    act = hall.enter(hall.host(), at_tick=0)
    hall.add(act, notes(1, 2, 4))
    hall.wait(2 * BEAT_NS)
    hall.stage.follow(ME, 2 * BEAT, 60.0)
    hall.wait(5 * SECOND)
    assert [ns - at_ns for ns, _ in hall.struck()] == [BEAT_NS, 2 * BEAT_NS, 2 * BEAT_NS + 4 * BEAT_NS]
    assert hall.tempos == [(at_ns, 120.0), (at_ns + 2 * BEAT_NS, 60.0)]


def test_a_host_that_is_a_little_off_changes_nothing(hall: Hall) -> None:
    act = hall.enter(hall.host(), at_tick=0)
    line = act.line
    hall.wait(2 * BEAT_NS)
    for off_ticks in (-20, 20):
        hall.stage.follow(ME, 2 * BEAT + off_ticks, 120.0)
        assert act.line is line


@pytest.mark.parametrize("off_ticks", [-100, 100])
def test_a_host_that_has_drifted_away_is_followed(hall: Hall, off_ticks: int) -> None:
    act = hall.enter(hall.host(), at_tick=0)
    hall.add(act, notes(8))
    for beat in (1, 2):
        hall.wait(BEAT_NS)
        hall.stage.follow(ME, beat * BEAT + off_ticks, 120.0)
    now_ns = hall.clock.ns
    hall.wait(4 * SECOND)
    assert hall.struck()[0][0] - now_ns == pytest.approx(BEAT_NS * (6 - off_ticks / BEAT), abs=MS)


def test_one_word_of_a_host_that_comes_late_moves_nothing(hall: Hall) -> None:
    act = hall.enter(hall.host(), at_tick=0)
    line = act.line
    for beat, late_ticks in ((1, 0), (2, 100), (3, 0), (4, 100), (5, -100)):
        hall.wait(BEAT_NS)
        hall.stage.follow(ME, beat * BEAT - late_ticks, 120.0)
    assert act.line is line


def test_a_host_that_jumps_leaves_a_take_where_it_is(hall: Hall) -> None:
    act = hall.enter(hall.host(), at_tick=0)
    line = act.line
    hall.wait(2 * BEAT_NS)
    hall.stage.follow(ME, 20 * BAR, 120.0)
    assert act.line == line


def test_a_tempo_that_glides_is_followed_all_the_way(hall: Hall) -> None:
    """A host's tempo, told once a beat, was taken for the next beat's alone: a glide left the take beats behind."""
    act = hall.enter(hall.host(), at_tick=0)
    hall.add(act, notes(*range(1, 33), beats_long=0.25))
    song_tick, bpm = 0.0, 120.0
    for _ in range(300):
        hall.wait(10 * MS)
        song_tick += 0.01 / 60 * bpm * BEAT
        bpm += 0.5
        if song_tick % BEAT < 0.01 / 60 * bpm * BEAT:
            hall.stage.follow(ME, round(song_tick), bpm)
    assert act.line is not None
    assert abs(act.line.tick_at(hall.clock.ns) - song_tick) < BEAT / 4


def test_a_take_of_a_stopped_transport_follows_no_host(hall: Hall) -> None:
    act = hall.enter()
    hall.add(act, notes(0))
    line = act.line
    hall.stage.follow(ME, 0, 60.0)
    assert act.line is line


def test_only_the_hosts_own_client_is_bent(hall: Hall) -> None:
    mine, yours = hall.enter(hall.host()), hall.enter(hall.host(), by=YOU)
    hall.stage.follow(YOU, 0, 60.0)
    assert mine.line is not None
    assert yours.line is not None
    assert (mine.line.bpm, yours.line.bpm) == (120.0, 60.0)


def test_a_hushed_take_is_silent_at_once_and_still_made(hall: Hall) -> None:
    act = hall.enter(hall.host(), at_tick=0)
    hall.add(act, notes(0, beats_long=16))
    hall.wait(BEAT_NS)
    assert not hall.is_silent
    hall.stage.hush(act)
    hall.wait(MS)
    assert hall.is_silent
    assert hall.stage.limit_tick(act) is None
    assert hall.stage.fall_silent(hall.over[0]) is None, "it was forgotten, and its maker with it"
    assert list(hall.stage) == [act]
    hall.add(act, notes(8))
    hall.stage.complete(act)
    hall.wait(10 * SECOND)
    assert len(hall.struck()) == 1
    assert list(hall.stage) == []


def test_a_superseded_take_sounds_until_its_successor_begins(hall: Hall) -> None:
    at_ns = hall.clock.ns
    older = hall.enter(hall.host(), at_tick=0)
    hall.add(older, notes(*range(16), pitch=40, beats_long=0.9))
    hall.wait(2 * BEAT_NS)
    newer = hall.enter(hall.host(song_tick=2 * BEAT))
    hall.stage.supersede(older, newer)
    hall.add(newer, notes(0, 1, pitch=72))
    hall.wait(4 * SECOND)
    assert [(round((ns - at_ns) / BEAT_NS), pitch) for ns, pitch in hall.struck()] == [
        (0, 40), (1, 40), (2, 40), (3, 40), (4, 72), (5, 72)
    ]  # fmt: skip
    assert [act.tag for act in hall.stage] == [older.tag, newer.tag]
    assert hall.stage.fall_silent(hall.over[0]) is older


def test_what_was_still_on_its_way_when_a_take_was_superseded_does_not_sound(hall: Hall) -> None:
    """It was played although its client had been told that the take was over."""
    older = hall.enter(hall.host(), at_tick=0)
    newer = hall.enter(hall.host())
    hall.stage.supersede(older, newer)
    hall.add(older, notes(0))
    hall.wait(SECOND)
    assert hall.struck() == []


def test_a_tempo_moves_the_cut_along_with_the_successor(hall: Hall) -> None:
    at_ns = hall.clock.ns
    older = hall.enter(hall.host(), at_tick=0)
    hall.add(older, notes(*range(16), pitch=40))
    hall.wait(2 * BEAT_NS)
    newer = hall.enter(hall.host(song_tick=2 * BEAT))
    hall.stage.supersede(older, newer)
    hall.add(newer, notes(0, pitch=72))
    hall.stage.follow(ME, 2 * BEAT, 240.0)
    hall.wait(4 * SECOND)
    assert [(ns - at_ns) / BEAT_NS for ns, pitch in hall.struck() if pitch == 40] == [0, 1, 2, 2.5]
    assert [(ns - at_ns) / BEAT_NS for ns, pitch in hall.struck() if pitch == 72] == [3]


@pytest.mark.parametrize("end", ["leave", "hush"])
def test_what_a_take_would_have_cut_off_ends_with_it(hall: Hall, end: str) -> None:
    """A superseded take was forgotten, and sounded up to a bar after a cancel or a stopped host."""
    older = hall.enter(hall.host(), at_tick=0)
    hall.add(older, notes(0, beats_long=16))
    hall.wait(BEAT_NS)
    newer = hall.enter(hall.host(song_tick=BEAT), at_tick=64 * BAR)
    hall.stage.supersede(older, newer)
    hall.wait(BEAT_NS)
    assert not hall.is_silent
    getattr(hall.stage, end)(newer)
    hall.wait(MS)
    assert hall.is_silent
    assert older not in list(hall.stage)


def test_a_superseded_take_can_be_left_at_once(hall: Hall) -> None:
    older = hall.enter(hall.host(), at_tick=0)
    hall.add(older, notes(0, beats_long=16))
    hall.wait(BEAT_NS)
    newer = hall.enter(hall.host(song_tick=BEAT), at_tick=64 * BAR)
    hall.stage.supersede(older, newer)
    hall.stage.leave(older)
    hall.wait(MS)
    assert hall.is_silent
    assert list(hall.stage) == [newer]


def test_a_third_take_does_not_lengthen_the_first(hall: Hall) -> None:
    first = hall.enter(hall.host(), at_tick=0)
    hall.add(first, notes(0, beats_long=64))
    hall.wait(BEAT_NS)
    second = hall.enter(hall.host(song_tick=BEAT))
    hall.stage.supersede(first, second)
    third = hall.enter(hall.host(song_tick=BEAT), at_tick=16 * BAR)
    for older in (first, second):
        hall.stage.supersede(older, third)
    hall.wait(3 * BEAT_NS + MS)
    assert hall.is_silent


def test_on_a_stopped_transport_the_newer_take_ends_the_older_at_once(hall: Hall) -> None:
    older = hall.enter()
    hall.add(older, notes(0, beats_long=16))
    hall.wait(BEAT_NS)
    newer = hall.enter()
    hall.stage.supersede(older, newer)
    hall.wait(MS)
    assert hall.is_silent
    assert list(hall.stage) == [newer]
