"""The thread around the timeline: it wakes when it must, and nothing stops it."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Event

import pytest

from bridge.channels import map_channels
from bridge.clock import MonotonicClock, TempoLine
from bridge.metrics import Metrics
from bridge.midi_records import Command, Kind, cancel, panic
from bridge.scheduler import Scheduler, SchedulerSnapshot
from bridge.timeline import TakeState
from models.music.score import Note, Part
from tests.fakes import MS, SECOND, FakePort, ManualClock

PIANO = map_channels([Part()])


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def port() -> FakePort:
    return FakePort()


@pytest.fixture
def over() -> list[TakeState]:
    return []


@pytest.fixture
def scheduler(port: FakePort, clock: ManualClock, over: list[TakeState]) -> Scheduler:
    scheduler = Scheduler(port, clock, Metrics(), on_over=over.append)
    scheduler.start(1, TempoLine(SECOND, 0, 125.0), PIANO)
    return scheduler


def kinds(commands: list[Command]) -> list[Kind]:
    return [command.kind for command in commands]


def test_a_take_is_played_step_by_step_and_told_when_over(
    scheduler: Scheduler, port: FakePort, clock: ManualClock, over: list[TakeState]
) -> None:
    scheduler.add(1, [Note(0, 0, 60, 480, 90), Note(480, 0, 62, 480, 90)])
    scheduler.finish(1)
    steps = 0
    while (wake_ns := scheduler.step()) is not None:
        clock.ns = wake_ns
        steps += 1
    assert kinds(port.commands) == [Kind.NOTE_ON, Kind.NOTE_OFF, Kind.NOTE_ON, Kind.NOTE_OFF]
    assert over == [TakeState(1, 960, 0, 2)]
    assert clock.ns == SECOND + 960 * MS
    assert steps == 3


def test_cancel_and_panic_reach_the_port_without_a_step(scheduler: Scheduler, port: FakePort) -> None:
    scheduler.cancel(1)
    scheduler.panic()
    assert port.commands == [cancel(1), panic()]


def test_the_snapshot_tells_what_is_about_to_sound(scheduler: Scheduler, clock: ManualClock) -> None:
    scheduler.add(1, [Note(1000, 0, 60, 480, 90)])
    scheduler.step()
    snapshot = scheduler.snapshot()
    assert snapshot == SchedulerSnapshot((TakeState(1, 1480, 1),), SECOND + 850 * MS)
    assert snapshot.horizon_tick == 1480
    assert SchedulerSnapshot().horizon_tick is None
    clock.advance(250 * MS)
    assert scheduler.playhead_tick(1) == 250
    assert scheduler.playhead_tick(2) is None


def test_dropped_notes_are_counted_when_their_take_is_over(port: FakePort, clock: ManualClock) -> None:
    metrics = Metrics()
    scheduler = Scheduler(port, clock, metrics)
    scheduler.start(1, TempoLine(0, 0, 125.0), PIANO)
    scheduler.add(1, [Note(0, 0, 60, 10, 90)])
    scheduler.finish(1)
    scheduler.step()
    scheduler.step()
    assert metrics.snapshot().dropped == 1


def test_a_new_tempo_is_used_for_what_waits(scheduler: Scheduler, clock: ManualClock) -> None:
    scheduler.add(1, [Note(1000, 0, 60, 480, 90)])
    scheduler.retime(1, TempoLine(SECOND, 0, 250.0))
    assert scheduler.step() == SECOND + 350 * MS


def test_programs_are_told_anew_after_they_are_forgotten(port: FakePort, clock: ManualClock) -> None:
    scheduler = Scheduler(port, clock, Metrics())
    for tag in (1, 2):
        scheduler.start(tag, TempoLine(SECOND, 0, 125.0), map_channels([Part(program=5)]))
        scheduler.add(tag, [Note(0, 0, 60, 10, 90)])
        scheduler.step()
        scheduler.forget_programs()
    assert kinds(port.commands).count(Kind.PROGRAM) == 2


class NotifyingPort(FakePort):
    """Sets an event at each note-on."""

    def __init__(self) -> None:
        super().__init__()
        self.struck = Event()

    def send(self, command: Command) -> None:
        super().send(command)
        if command.kind is Kind.NOTE_ON:
            self.struck.set()


@pytest.fixture
def running() -> Iterator[tuple[Scheduler, NotifyingPort]]:
    port = NotifyingPort()
    scheduler = Scheduler(port, MonotonicClock(), Metrics())
    scheduler.open()
    yield scheduler, port
    scheduler.close()


def test_the_thread_wakes_for_notes_that_are_added(running: tuple[Scheduler, NotifyingPort]) -> None:
    scheduler, port = running
    scheduler.start(1, TempoLine(MonotonicClock().now_ns(), 0, 125.0), PIANO)
    scheduler.add(1, [Note(300, 0, 60, 10, 90)])
    assert port.struck.wait(10)


def test_a_fault_ends_what_sounds_and_the_thread_goes_on(
    running: tuple[Scheduler, NotifyingPort], caplog: pytest.LogCaptureFixture
) -> None:
    scheduler, port = running
    now_ns = MonotonicClock().now_ns()
    scheduler.start(1, TempoLine(now_ns, 0, 125.0), PIANO)
    scheduler.add(1, [Note(0, 0, "sixty", 10, 90)])  # type: ignore[arg-type]
    scheduler.start(2, TempoLine(now_ns, 0, 125.0), PIANO)
    while not any(command == panic() for command in port.commands):
        port.struck.wait(0.01)
    scheduler.start(3, TempoLine(MonotonicClock().now_ns(), 0, 125.0), PIANO)
    scheduler.add(3, [Note(200, 0, 60, 10, 90)])
    assert port.struck.wait(10)
    assert "could not be scheduled" in caplog.text


@pytest.mark.parametrize("is_running", [True, False])
def test_closing_ends_all_sound(is_running: bool) -> None:
    port = FakePort()
    scheduler = Scheduler(port, MonotonicClock(), Metrics())
    if is_running:
        scheduler.open()
    scheduler.close()
    assert port.commands == [panic()]


def test_news_between_a_step_and_the_sleep_after_it_is_not_slept_through() -> None:
    port = NotifyingPort()

    def begin_next(take: TakeState) -> None:
        if take.tag == 1:
            scheduler.start(2, TempoLine(MonotonicClock().now_ns(), 0, 125.0), PIANO)
            scheduler.add(2, [Note(50, 0, 60, 10, 90)])

    scheduler = Scheduler(port, MonotonicClock(), Metrics(), on_over=begin_next)
    scheduler.start(1, TempoLine(0, 0, 125.0), PIANO)
    scheduler.finish(1)
    scheduler.open()
    assert port.struck.wait(10)
    scheduler.close()
