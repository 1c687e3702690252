"""Where takes begin and end, heard by a synth on a clock that is moved by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bridge.clip_transfer import Clip
from bridge.clock import Transport
from bridge.context import scene_of
from bridge.controls import ControlValues
from bridge.effects import ClientKey
from bridge.metrics import Metrics
from bridge.scheduler import Scheduler
from bridge.stage import LEAST_LEAD_NS, START_MARGIN_NS, Act, Stage
from bridge.take_request import TakeRequest
from bridge.timeline import TakeState
from bridge.wire_table import MAX_TICK, Value
from models.music.score import Meter, Note, Part
from tests.fakes import MS, SECOND, ManualClock, SoundingPort

ME, YOU = ClientKey(1), ClientKey(2)
BAR = 1920
BEAT = 480
BEAT_NS = 500 * MS  # at 120 bpm
PARTS = (Part(program=33), Part(is_drum=True))


class Hall:
    """A stage, and time that passes in small steps so that the scheduler is asked as its thread would ask."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.port = SoundingPort(self.clock)
        self.metrics = Metrics()
        self.over: list[TakeState] = []
        self.tempos: list[tuple[int, float]] = []
        self.late_at_port: dict[int, int] = {}
        self.scheduler = Scheduler(self.port, self.clock, self.metrics, on_over=self.over.append)
        self.stage = Stage(
            self.scheduler,
            self.clock,
            self.metrics,
            lambda tag: self.late_at_port.get(tag, 0),
            lambda ns, bpm: self.tempos.append((ns, bpm)),
        )
        self._last_req = 0

    def host(self, song_tick: int = 0, bpm: float = 120.0, is_playing: bool = True) -> Transport:
        """What a host says now."""
        return Transport().updated(self.clock.now_ns(), song_tick, bpm, is_playing, Meter(0, 4, 4))

    def enter(
        self, host: Transport | None = None, by: ClientKey = ME, at_tick: int = -1, bars: int = 4, **controls: Value
    ) -> Act:
        self._last_req += 1
        clip = Clip(1, PARTS, (), BAR, Meter(0, 4, 4), 120.0)
        values = ControlValues.defaults(controls)
        request = TakeRequest(self._last_req, clip, bars, frozenset({0, 1}), 7, at_tick, values)
        return self.stage.enter(by, request, scene_of(clip, values.for_model), 7, host)

    def add(self, act: Act, notes: tuple[Note, ...]) -> None:
        """Notes were made, the last of them with its whole chord."""
        self.stage.add(act, notes, notes[-1].onset_tick + 1)

    def wait(self, ns: int) -> None:
        """Let time pass."""
        end_ns = self.clock.ns + ns
        self.scheduler.step()
        while self.clock.ns < end_ns:
            self.port.advance(min(10 * MS, end_ns - self.clock.ns))
            self.scheduler.step()

    def struck(self, since_ns: int = 0) -> list[tuple[int, int]]:
        """(instant, pitch) of every note-on."""
        return [(ns, message[1]) for ns, message in self.port.heard if message[0] & 0xF0 == 0x90 and ns >= since_ns]

    @property
    def is_silent(self) -> bool:
        return not self.port.synth.sounding


def notes(*beats: float, pitch: int = 60, beats_long: float = 0.5, part: int = 0) -> tuple[Note, ...]:
    return tuple(Note(round(BEAT * beat), part, pitch, round(BEAT * beats_long), 90) for beat in beats)


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


def test_the_first_chord_of_a_take_sounds_together_however_long_it_takes_to_make(hall: Hall) -> None:
    """A take began with the first note of its first chord, and the rest was dropped where the model is slow."""
    act = hall.enter()
    hall.stage.add(act, notes(0, pitch=60), 0)
    hall.wait(SECOND)
    hall.stage.add(act, notes(0, pitch=64), 0)
    hall.wait(SECOND)
    assert hall.port.heard == []
    hall.stage.add(act, notes(0, pitch=67), BEAT)
    begin_ns = hall.clock.ns + START_MARGIN_NS
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
    hall.add(act, notes(4))
    hall.wait(2 * BEAT_NS)
    now_ns = hall.clock.ns
    hall.stage.follow(ME, 2 * BEAT + off_ticks, 120.0)
    hall.wait(3 * SECOND)
    assert hall.struck()[0][0] - now_ns == pytest.approx(BEAT_NS * (2 - off_ticks / BEAT), abs=MS)


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
