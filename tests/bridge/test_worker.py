"""The generator thread, with a model made of plain code; what a test does mid-beat, it does in the model's own hook."""

from __future__ import annotations

from collections.abc import Iterator
from queue import SimpleQueue

import pytest

from bridge.clip_transfer import Clip
from bridge.context import scene_of
from bridge.jobs import Ended, Made, ModelReady, WorkerEvent
from bridge.worker import MAX_PLAYERS
from models.generator import Controls
from models.music.score import Meter
from tests.bridge.workbench import BAR, PARTS, PATIENCE_S, Bench, notes_of, scene, verbs
from tests.fakes_generator import FixedModel, Script, fixed_take


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def bench(script: Script) -> Iterator[Bench]:
    bench = Bench(lambda name, device: FixedModel(name, script))
    bench.worker.start()
    bench.worker.load("fixed")
    assert isinstance(bench.next(), ModelReady)
    yield bench
    bench.worker.stop()


def test_a_take_is_made_note_for_note_and_ended(bench: Bench) -> None:
    job = bench.job(bars=2, seed=5)
    bench.worker.begin(job)
    events = bench.until(Ended)
    assert notes_of(events, job.tag) == fixed_take(2, [0, 1], 5, BAR)
    assert events[-1] == Ended(job.tag)
    assert bench.left() == []


def test_the_first_onset_is_emitted_note_by_note_and_later_chords_together(bench: Bench) -> None:
    bench.worker.begin(bench.job())
    made = [event for event in bench.until(Ended) if isinstance(event, Made)]
    assert [len(event.notes) for event in made] == [1, 1, 0, *([2] * 7)]
    assert all(len({note.onset_tick for note in event.notes}) <= 1 for event in made)
    assert [event.reached_tick for event in made] == [0, 0, *range(240, BAR + 1, 240)]


def test_a_beat_without_notes_is_told_too(bench: Bench) -> None:
    bench.worker.begin(bench.job(parts=frozenset()))
    assert bench.until(Ended)[:-1] == [Made(1, (), tick) for tick in range(480, BAR + 1, 480)]


def test_onsets_count_from_the_take_and_parts_as_the_client_numbers_them(bench: Bench) -> None:
    clip = Clip(1, (None, PARTS[0], None, PARTS[1]), (), 5 * BAR, Meter(0, 4, 4), 120.0)
    job = bench.job(scene=scene_of(clip, Controls()), parts=frozenset({3}))
    bench.worker.begin(job)
    notes = notes_of(bench.until(Ended), job.tag)
    assert {note.part for note in notes} == {3}
    assert [note.onset_tick for note in notes] == list(range(0, BAR, 240))


def test_a_cancel_in_the_middle_of_a_beat_is_heard_before_the_next_note(bench: Bench, script: Script) -> None:
    job = bench.job(bars=64)
    script.on_note = lambda made: bench.worker.cancel(job.tag) if made == 5 else None
    bench.worker.begin(job)
    events: list[WorkerEvent] = []
    while len(notes_of(events, job.tag)) < 6:
        events.append(bench.next())
    assert notes_of(events, job.tag) == fixed_take(64, [0, 1], 1, BAR)[:6]
    assert bench.left() == []


def test_a_take_broken_off_by_another_word_goes_on_where_it_stood(bench: Bench, script: Script) -> None:
    job = bench.job(bars=2)
    script.on_note = lambda made: bench.worker.forget(f"nobody {made}")
    bench.worker.begin(job)
    assert notes_of(bench.until(Ended), job.tag) == fixed_take(2, [0, 1], 1, BAR)
    assert verbs(script).count("decode") >= 32, "every note was followed by a look at what else is asked"


def test_two_clients_are_served_in_turn_a_beat_each(bench: Bench) -> None:
    gate: SimpleQueue[int | None] = SimpleQueue()
    first = bench.job("one", bars=4, limit_tick=lambda: gate.get(timeout=PATIENCE_S))
    second = bench.job("two", bars=4, seed=9)
    bench.worker.begin(first)
    bench.worker.begin(second)
    for _ in range(17):
        gate.put(None)
    events = bench.until(Ended, tag=second.tag)
    order = [event.tag for event in events if isinstance(event, Made)]
    switches = sum(before != after for before, after in zip(order, order[1:], strict=False))
    assert switches >= 4 * 4
    while not any(event == Ended(first.tag) for event in events):
        events += bench.until(Ended)
    assert notes_of(events, first.tag) == fixed_take(4, [0, 1], 1, BAR)
    assert notes_of(events, second.tag) == fixed_take(4, [0, 1], 9, BAR)


def test_a_take_is_made_no_further_than_it_may(bench: Bench) -> None:
    allowed = [BAR]
    job = bench.job(bars=4, limit_tick=lambda: allowed[0])
    bench.worker.begin(job)
    events: list[WorkerEvent] = []
    while len(notes_of(events, job.tag)) < 16:
        events.append(bench.next())
    assert bench.left() == []
    allowed[0] = 2 * BAR + 100
    while len(notes_of(events, job.tag)) < 34:
        events.append(bench.next())
    assert bench.left() == []
    allowed[0] = 10 * BAR
    events += bench.until(Ended)
    assert notes_of(events, job.tag) == fixed_take(4, [0, 1], 1, BAR)


def test_a_clip_is_absorbed_while_a_take_waits_for_the_playhead(bench: Bench, script: Script) -> None:
    bench.worker.begin(bench.job("one", limit_tick=lambda: 0))
    bench.worker.prefill("two", scene(9))
    while script.calls.count((0, "piece", 8)) < 1:
        bench.settle()
    assert verbs(script) == ["piece"] * 3


def test_what_was_absorbed_beforehand_is_not_absorbed_again(bench: Bench, script: Script) -> None:
    bench.worker.prefill("me", scene())
    while verbs(script) != ["piece"] * 3:
        bench.settle()
    bench.worker.begin(bench.job())
    bench.until(Ended)
    assert verbs(script)[:4] == ["piece", "piece", "piece", "reseed"]
    assert "rewind" not in verbs(script)


def test_a_second_take_of_the_same_clip_begins_where_the_first_did(bench: Bench, script: Script) -> None:
    first, second = bench.job(seed=3), bench.job(seed=3)
    bench.worker.begin(first)
    made = notes_of(bench.until(Ended), first.tag)
    bench.worker.begin(second)
    assert notes_of(bench.until(Ended), second.tag) == made
    assert verbs(script).count("rewind") == 1
    assert verbs(script).count("piece") == 3


def test_a_new_clip_waits_until_the_take_of_its_client_is_over(bench: Bench, script: Script) -> None:
    job = bench.job()
    script.on_note = lambda made: bench.worker.prefill("me", scene(12, 2 * BAR)) if made == 3 else None
    bench.worker.begin(job)
    assert notes_of(bench.until(Ended), job.tag) == fixed_take(1, [0, 1], 1, BAR)
    while (0, "piece", 12) not in script.calls:
        bench.settle()
    last_decode = max(index for index, verb in enumerate(verbs(script)) if verb == "decode")
    assert verbs(script)[last_decode + 1 :] == ["piece"] * 4


def test_a_take_of_the_new_clip_follows_the_cancelled_one(bench: Bench, script: Script) -> None:
    old, new = bench.job(bars=64), bench.job(seed=2, scene=scene(12, 2 * BAR))

    def hook(made: int) -> None:
        if made == 3:
            bench.worker.prefill("me", new.scene)
            bench.worker.cancel(old.tag)
            bench.worker.begin(new)

    script.on_note = hook
    bench.worker.begin(old)
    events = bench.until(Ended)
    assert notes_of(events, old.tag) == fixed_take(64, [0, 1], 1, BAR)[:4]
    assert notes_of(events, new.tag) == fixed_take(1, [0, 1], 2, 2 * BAR)
    assert events[-1] == Ended(new.tag)


def test_a_long_absorption_before_a_take_can_be_cancelled(bench: Bench, script: Script) -> None:
    long, short = bench.job(scene=scene(400, 20 * BAR)), bench.job("other")

    def hook(absorbed: int) -> None:
        if absorbed == 40:
            bench.worker.cancel(long.tag)
            bench.worker.begin(short)

    script.on_piece = hook
    bench.worker.begin(long)
    events = bench.until(Ended)
    assert events[-1] == Ended(short.tag)
    assert notes_of(events, long.tag) == []


def test_players_are_bounded_and_the_busy_ones_stay(bench: Bench, script: Script) -> None:
    allowed = [BAR // 2]
    busy = bench.job("busy", limit_tick=lambda: allowed[0])
    bench.worker.begin(busy)
    events = [bench.next()]
    for number in range(2 * MAX_PLAYERS):
        bench.worker.prefill(number, scene())
    bench.settle()
    assert len(bench.worker._players) == MAX_PLAYERS
    allowed[0] = BAR
    events += bench.until(Ended)
    assert notes_of(events, busy.tag) == fixed_take(1, [0, 1], 1, BAR)


def test_a_forgotten_player_is_freed(bench: Bench) -> None:
    bench.worker.prefill("me", scene())
    bench.worker.forget("me")
    bench.settle()
    assert not bench.worker._players


def test_a_worker_that_was_never_started_can_be_stopped() -> None:
    Bench(lambda name, device: FixedModel()).worker.stop()
