"""Which command is handed over when, to the tick."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.channels import ChannelMap, map_channels
from bridge.clock import TempoLine
from bridge.midi_records import NOW, Kind, cancel, note_off, note_on, panic, program
from bridge.timeline import DROP_NS, LOOKAHEAD_NS, TakeState, Timeline
from models.music.score import Note, Part
from tests.fakes import MS, SECOND, ManualClock, SoundingPort

LINE = TempoLine(SECOND, 0, 125.0)  # a tick is exactly 1 ms
PIANO = map_channels([Part()])


def note(onset_tick: int, duration_ticks: int = 100, pitch: int = 60, part: int = 0) -> Note:
    return Note(onset_tick, part, pitch, duration_ticks, 90)


def playing(*notes: Note, channels: ChannelMap = PIANO) -> Timeline:
    """A timeline with one unfinished take, tag 1."""
    timeline = Timeline()
    timeline.start(1, LINE, channels)
    timeline.add(1, notes)
    return timeline


def test_a_note_is_handed_over_a_lookahead_before_its_time_and_its_end_a_lookahead_before_that() -> None:
    timeline = playing(note(1000, 300))
    on_ns, off_ns = SECOND + 1000 * MS, SECOND + 1300 * MS
    assert timeline.step(on_ns - LOOKAHEAD_NS - 1) == ([], [], on_ns - LOOKAHEAD_NS)
    assert timeline.step(on_ns - LOOKAHEAD_NS) == ([note_on(on_ns, 1, 1, 0, 60, 90)], [], off_ns - LOOKAHEAD_NS)
    assert timeline.step(off_ns - LOOKAHEAD_NS) == ([note_off(off_ns, 1, 1, 0, 60)], [], None)


def test_commands_of_all_takes_come_in_order_of_time() -> None:
    timeline = playing(note(40), note(10))
    timeline.start(2, LINE, PIANO)
    timeline.add(2, [note(20, pitch=64)])
    commands, _, _ = timeline.step(SECOND)
    assert [command.due_ns for command in commands] == sorted(command.due_ns for command in commands)
    ons = [command for command in commands if command.kind is Kind.NOTE_ON]
    assert [(command.tag, command.due_ns - SECOND) for command in ons] == [(1, 10 * MS), (2, 20 * MS), (1, 40 * MS)]
    assert len(commands) == 6


def test_nothing_waits_when_nothing_is_there() -> None:
    assert Timeline().step(SECOND) == ([], [], None)
    assert playing().step(SECOND) == ([], [], None)


def test_a_program_is_chosen_before_the_first_note_of_its_channel_only() -> None:
    timeline = playing(note(20), note(30), channels=ChannelMap((2,), {2: 33}))
    commands, _, _ = timeline.step(SECOND - 50 * MS)
    assert commands[0] == program(SECOND + 10 * MS, 1, 2, 33)
    assert [command.kind for command in commands].count(Kind.PROGRAM) == 1


def test_a_program_that_is_set_is_not_sent_again_until_it_may_be_forgotten() -> None:
    drums = ChannelMap((9,), {9: 8})

    def programs_of_next_take(tag: int) -> int:
        timeline.start(tag, LINE, drums)
        timeline.add(tag, [note(0)])
        return [command.kind for command in timeline.step(SECOND)[0]].count(Kind.PROGRAM)

    timeline = Timeline()
    assert [programs_of_next_take(1), programs_of_next_take(2)] == [1, 0]
    timeline.forget_programs()
    assert [programs_of_next_take(3), programs_of_next_take(4)] == [1, 0]
    timeline.cancel(4)
    assert programs_of_next_take(5) == 1, "the cancel may have dropped the program change at the port"
    timeline.panic()
    assert programs_of_next_take(6) == 1


def test_a_late_note_is_handed_over_and_counted_and_a_stale_one_is_dropped_with_its_end() -> None:
    timeline = playing(note(0, 500, 60), note(1, 500, 61), note(2, 500, 62))
    commands, _, _ = timeline.step(SECOND + DROP_NS + 1 * MS)
    assert [(command.kind, command.data1) for command in commands] == [(Kind.NOTE_ON, 61), (Kind.NOTE_ON, 62)]
    assert timeline.take(1) == TakeState(1, horizon_tick=502, waiting=0, handed=2, late=2, dropped=1)
    commands, _, _ = timeline.step(SECOND + 600 * MS)
    assert [(command.kind, command.data1) for command in commands] == [(Kind.NOTE_OFF, 61), (Kind.NOTE_OFF, 62)]


def test_a_note_handed_over_after_its_own_end_still_ends_after_it_began() -> None:
    timeline = playing(note(0, 10))
    now_ns = SECOND + 50 * MS
    commands, _, _ = timeline.step(now_ns)
    assert commands == [note_on(SECOND, 1, 1, 0, 60, 90), note_off(now_ns + 1 * MS, 1, 1, 0, 60)]


def test_a_change_of_tempo_moves_what_waits_and_not_what_was_handed_over() -> None:
    timeline = playing(note(100, 1000), note(500, 50))
    timeline.step(SECOND)
    timeline.retime(1, LINE.bent(SECOND + 100 * MS, 250.0))
    commands, _, _ = timeline.step(SECOND + 5 * SECOND - DROP_NS)
    assert [command for command in commands if command.kind is Kind.NOTE_OFF] == [
        note_off(SECOND + 100 * MS + 500 * MS, 1, 1, 0, 60)
    ]


def test_however_the_tempo_jumps_a_note_ends_after_it_begins() -> None:
    timeline = playing(note(100, 10))
    on = timeline.step(SECOND - 50 * MS)[0][0]
    timeline.retime(1, TempoLine(SECOND - 49 * MS, 5000, 125.0))
    off = timeline.step(SECOND - 49 * MS)[0][0]
    assert (off.kind, off.due_ns) == (Kind.NOTE_OFF, on.due_ns + 1 * MS)


def test_a_take_is_over_when_it_is_finished_and_its_last_note_has_ended() -> None:
    timeline = playing(note(0, 100))
    timeline.step(SECOND)
    assert timeline.step(SECOND + 200 * MS) == ([], [], None), "more notes may come"
    timeline.finish(1)
    assert timeline.step(SECOND + 99 * MS) == ([], [], SECOND + 100 * MS)
    assert timeline.step(SECOND + 100 * MS)[1] == [TakeState(1, 100, 0, 1)]
    assert timeline.takes() == []
    assert timeline.take(1) is None


def test_an_empty_take_that_is_finished_is_over_at_once() -> None:
    timeline = playing()
    timeline.finish(1)
    assert timeline.step(NOW)[1] == [TakeState(1, 0, 0)]


def test_a_cancel_tells_the_port_and_ends_the_take() -> None:
    timeline = playing(note(0, 100), note(5000))
    timeline.step(SECOND)
    assert timeline.cancel(1) == [cancel(1)]
    assert timeline.step(SECOND) == ([], [TakeState(1, 5100, 1, 1)], None)
    timeline.add(1, [note(0)])
    assert timeline.step(SECOND) == ([], [], None), "notes that come after a cancel are let go"
    assert timeline.cancel(1) == []


def test_a_dated_cancel_lets_the_take_play_until_then() -> None:
    timeline = playing(note(0, 1000), note(300), note(400), note(500))
    cut_ns = SECOND + 400 * MS
    assert timeline.cancel(1, cut_ns) == [cancel(1, cut_ns)]
    commands, over, wake_ns = timeline.step(SECOND + 300 * MS)
    assert [command.due_ns for command in commands if command.kind is Kind.NOTE_ON] == [SECOND + 300 * MS]
    assert (over, wake_ns) == ([], cut_ns)
    _, over, wake_ns = timeline.step(cut_ns)
    assert ([take.tag for take in over], wake_ns) == ([1], None)


def test_panic_ends_every_take() -> None:
    timeline = playing(note(0))
    timeline.start(2, LINE, PIANO)
    assert timeline.panic() == [panic()]
    commands, over, wake_ns = timeline.step(SECOND)
    assert (commands, [take.tag for take in over], wake_ns) == ([], [1, 2], None)


def test_a_tag_belongs_to_one_take() -> None:
    with pytest.raises(ValueError, match="take 1 sounds already"):
        playing().start(1, LINE, PIANO)


def test_the_playhead_is_the_takes_own_tick() -> None:
    timeline = playing()
    assert timeline.playhead_tick(1, SECOND - 250 * MS) == -250
    assert timeline.playhead_tick(1, SECOND + 250 * MS) == 250
    assert timeline.playhead_tick(2, SECOND) is None


def test_a_step_never_asks_to_come_back_before_something_can_be_done() -> None:
    timeline = playing(note(100, 10))
    timeline.step(SECOND - 50 * MS)
    timeline.retime(1, TempoLine(SECOND, 0, 1000.0))
    now_ns = SECOND - 50 * MS
    _, _, wake_ns = timeline.step(now_ns)
    assert wake_ns is None or wake_ns > now_ns


def test_ten_thousand_beats_do_not_drift() -> None:
    timeline = Timeline()
    line = TempoLine(SECOND, 0, 140.0)
    timeline.start(1, line, PIANO)
    last_tick = 10_000 * 480
    timeline.add(1, [note(last_tick)])
    on = timeline.step(line.ns_at(last_tick))[0][0]
    assert on.due_ns == SECOND + round(10_000 * 60e9 / 140)


TAGS = st.integers(1, 2)
NOTES = st.builds(
    Note, st.integers(0, 600), st.integers(0, 1), st.integers(60, 61), st.integers(1, 400), st.integers(1, 127)
)
ACTIONS = st.one_of(
    st.tuples(st.just("add"), TAGS, st.lists(NOTES, max_size=4)),
    st.tuples(st.just("retime"), TAGS, st.tuples(st.integers(-500, 500), st.floats(20, 999))),
    st.tuples(st.just("cancel"), TAGS, st.integers(0, 500)),
    st.tuples(st.just("cancel now"), TAGS, st.none()),
    st.tuples(st.just("finish"), TAGS, st.none()),
    st.tuples(st.just("panic"), TAGS, st.none()),
)


@settings(deadline=None)
@given(st.lists(st.tuples(ACTIONS, st.integers(0, 200)), max_size=30), st.booleans())
def test_whatever_happens_ons_and_offs_balance(
    steps: list[tuple[tuple[str, int, object], int]], does_pipe_end: bool
) -> None:
    clock = ManualClock()
    port = SoundingPort(clock)
    timeline = Timeline()
    for (action, tag, value), wait_ms in steps:
        if timeline.take(tag) is None:
            timeline.start(tag, TempoLine(clock.ns, 0, 125.0), map_channels([Part(), Part(is_drum=True)]))
        commands = []
        if action == "add":
            timeline.add(tag, value)  # type: ignore[arg-type]
        elif action == "retime":
            moved_ms, bpm = value  # type: ignore[misc]
            timeline.retime(tag, TempoLine(clock.ns + moved_ms * MS, 0, bpm))
        elif action == "cancel":
            commands = timeline.cancel(tag, clock.ns + value * MS)  # type: ignore[operator]
        elif action == "cancel now":
            commands = timeline.cancel(tag)
        elif action == "finish":
            timeline.finish(tag)
        else:
            commands = timeline.panic()
        for command in commands + timeline.step(clock.ns)[0]:
            port.send(command)
        port.advance(wait_ms * MS)
    if does_pipe_end:
        port.end()
    else:
        play_out(timeline, clock, port)
    assert not port.synth.sounding
    assert len(port.synth.ons) == port.synth.offs


def play_out(timeline: Timeline, clock: ManualClock, port: SoundingPort) -> None:
    """Finish every take and let the clock run until none is left."""
    for take in timeline.takes():
        timeline.finish(take.tag)
    wake_ns: int | None = clock.ns
    while wake_ns is not None:
        port.advance(max(0, wake_ns - clock.ns))
        commands, _, wake_ns = timeline.step(clock.ns)
        assert wake_ns is None or wake_ns > clock.ns, "a step that asks to come back at once would never sleep"
        for command in commands:
            port.send(command)
    port.advance(10 * SECOND)
    assert timeline.takes() == []
