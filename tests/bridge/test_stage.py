"""Takes from their request until they have fallen silent, heard by a synth."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bridge.stage import FIRST_CHORD_NS, START_MARGIN_NS
from models.music.score import Note, Part
from tests.bridge.hall import BAR, BEAT, BEAT_NS, ME, YOU, Hall, notes
from tests.fakes import MS, SECOND


@pytest.fixture
def hall() -> Hall:
    return Hall()


def test_on_a_stopped_transport_a_take_begins_when_its_first_chord_is_there(hall: Hall) -> None:
    act = hall.enter()
    assert (act.at_tick, act.line) == (-1, None)
    hall.wait(3 * SECOND)
    assert hall.stage.limit_tick(act) == 4 * BAR
    hall.add(act, notes(0, 1))
    begin_ns = hall.clock.ns + START_MARGIN_NS
    hall.stage.complete(act)
    hall.wait(3 * SECOND)
    assert hall.struck() == [(begin_ns, 60), (begin_ns + BEAT_NS, 60)]
    assert hall.tempos == [(begin_ns, 120.0)]
    assert hall.is_silent


def test_the_first_chord_of_a_take_sounds_together(hall: Hall) -> None:
    """A take began with the first note of its first chord, and the rest was dropped where the model is slow."""
    act = hall.enter()
    hall.stage.add(act, notes(0, pitch=60), 0)
    hall.wait(FIRST_CHORD_NS // 3)
    hall.stage.add(act, notes(0, pitch=64), 0)
    hall.wait(FIRST_CHORD_NS // 3)
    assert hall.port.heard == []
    hall.stage.add(act, notes(0, pitch=67), BEAT)
    begin_ns = hall.clock.ns + START_MARGIN_NS
    hall.wait(SECOND)
    assert hall.struck() == [(begin_ns, 60), (begin_ns, 64), (begin_ns, 67)]


def test_a_first_chord_that_takes_long_to_make_begins_with_what_is_there(hall: Hall) -> None:
    act = hall.enter()
    hall.stage.add(act, notes(0, pitch=60), 0)
    hall.wait(FIRST_CHORD_NS)
    hall.stage.add(act, notes(0, pitch=64), 0)
    begin_ns = hall.clock.ns + START_MARGIN_NS
    hall.wait(START_MARGIN_NS // 2)
    hall.stage.add(act, notes(0, pitch=67), 0)
    hall.wait(SECOND)
    assert hall.struck() == [(begin_ns, 60), (begin_ns, 64), (begin_ns, 67)]


def test_a_rest_is_enough_to_know_that_the_first_chord_is_whole(hall: Hall) -> None:
    act = hall.enter()
    hall.stage.add(act, notes(0), 0)
    hall.stage.add(act, (), BEAT)
    hall.wait(BEAT_NS)
    assert len(hall.struck()) == 1


def test_a_take_of_one_chord_sounds_when_it_is_whole(hall: Hall) -> None:
    act = hall.enter()
    hall.stage.add(act, notes(0), 0)
    hall.stage.complete(act)
    hall.wait(SECOND)
    assert len(hall.struck()) == 1
    assert [state.tag for state in hall.over] == [act.tag]


def test_rests_at_the_start_are_kept(hall: Hall) -> None:
    act = hall.enter()
    hall.stage.add(act, (), BEAT)
    hall.add(act, notes(1))
    begin_ns = hall.clock.ns + START_MARGIN_NS
    hall.wait(2 * SECOND)
    assert hall.struck() == [(begin_ns + BEAT_NS, 60)]


def test_a_take_may_be_made_some_bars_ahead_of_its_playhead(hall: Hall) -> None:
    act = hall.enter(hall.host(song_tick=0), lookahead_bars=2)
    assert hall.stage.limit_tick(act) == 2 * BAR, "it has not begun"
    hall.wait(4 * BEAT_NS + 2 * BEAT_NS)
    assert hall.stage.limit_tick(act) == pytest.approx(2 * BAR + 2 * BEAT, abs=1)


def test_a_take_for_osc_alone_is_made_to_its_end_and_never_sounds(hall: Hall) -> None:
    act = hall.enter(hall.host(), out=2)
    assert hall.stage.limit_tick(act) is None
    hall.add(act, notes(0, 1))
    hall.stage.complete(act)
    hall.wait(5 * SECOND)
    assert hall.port.heard == []
    assert list(hall.stage) == []


def test_late_notes_are_counted_by_the_take_the_scheduler_and_the_port(hall: Hall) -> None:
    act = hall.enter(hall.host(), at_tick=0)
    hall.wait(BEAT_NS)
    hall.add(act, notes(0, 2))
    assert act.late == 1
    hall.stage.complete(act)
    hall.wait(3 * SECOND)
    hall.late_at_port[act.tag] = 5
    assert hall.stage.fall_silent(hall.over[0]) is act
    assert act.late == 1 + 5
    assert hall.stage.fall_silent(hall.over[0]) is None


def test_the_first_note_of_a_take_is_timed(hall: Hall) -> None:
    act = hall.enter()
    hall.wait(30 * MS)
    hall.add(act, notes(0))
    hall.wait(30 * MS)
    hall.add(act, notes(1))
    assert hall.metrics.snapshot().first_note_ms == 30.0


def test_a_clear_stage_is_silent(hall: Hall) -> None:
    for by in (ME, YOU):
        hall.add(hall.enter(by=by), notes(0, beats_long=16, pitch=60 + by.id))
    hall.wait(BEAT_NS)
    hall.stage.clear()
    hall.wait(MS)
    assert hall.is_silent
    assert list(hall.stage) == []


def test_figures_are_due_once_a_beat_while_a_take_sounds(hall: Hall) -> None:
    act = hall.enter(hall.host(), at_tick=BEAT)
    due = []
    for step in range(400):
        hall.wait(10 * MS)
        due += [step for found in hall.stage.due_for_status() if found is act]
    assert len(due) == 8
    assert all(later - earlier == pytest.approx(50, abs=1) for earlier, later in zip(due, due[1:], strict=False))


def test_a_take_that_never_had_a_note_is_over_when_it_is_whole(hall: Hall) -> None:
    act = hall.enter()
    hall.stage.complete(act)
    assert list(hall.stage) == []


def test_takes_are_found_by_client_and_number(hall: Hall) -> None:
    mine, yours = hall.enter(), hall.enter(by=YOU)
    assert hall.stage.of(ME) == [mine]
    assert hall.stage.find(YOU, yours.request.req) is yours
    assert hall.stage.find(ME, yours.request.req) is None
    assert hall.stage.get(mine.tag) is mine


def test_parts_a_client_skipped_take_no_channel(hall: Hall) -> None:
    act = hall.enter()
    parts = (None, Part(program=5), None, Part(is_drum=True), Part(program=6))
    act.request = replace(act.request, clip=replace(act.request.clip, parts=parts))
    hall.add(act, tuple(Note(0, part, 60, 100, 90) for part in (1, 3, 4)))
    hall.wait(BEAT_NS)
    assert sorted(channel for channel, _, _ in hall.port.synth.ons) == [0, 1, 9]
    assert sorted(hall.port.synth.programs) == [(0, 5), (1, 6)]
