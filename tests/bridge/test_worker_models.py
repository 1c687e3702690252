"""Models that fail, and models that are changed for others, on the generator thread."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bridge.jobs import Ended, Failed, ModelFailed, ModelReady
from models.generator import Model
from models.registry import ModelError
from tests.bridge.workbench import BAR, Bench, notes_of, scene, verbs
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


@pytest.mark.parametrize("where", ["on_piece", "on_note", "on_open"])
def test_a_model_that_fails_fails_the_take_and_the_next_one_works(bench: Bench, script: Script, where: str) -> None:
    def fail(*_: int) -> None:
        raise RuntimeError("out of tubes")

    setattr(script, where, fail)
    broken, whole = bench.job(), bench.job()
    bench.worker.begin(broken)
    failed = bench.until(Failed)[-1]
    assert failed == Failed(broken.tag, "the model failed (out of tubes): generate again, or choose another model")
    setattr(script, where, lambda *_: None)
    bench.worker.begin(whole)
    assert notes_of(bench.until(Ended), whole.tag) == fixed_take(1, [0, 1], 1, BAR)


@pytest.mark.parametrize("where", ["on_piece", "on_open"])
def test_an_absorption_that_fails_is_tried_again_for_the_take(bench: Bench, script: Script, where: str) -> None:
    failures: list[None] = []

    def fail_once(*_: int) -> None:
        if not failures:
            failures.append(None)
            raise RuntimeError("out of tubes")

    setattr(script, where, fail_once)
    bench.worker.prefill("me", scene())
    job = bench.job()
    while not failures:
        bench.settle()
    bench.worker.begin(job)
    assert notes_of(bench.until(Ended, Failed), job.tag) == fixed_take(1, [0, 1], 1, BAR)


def test_a_limit_that_cannot_be_told_fails_only_its_take(bench: Bench) -> None:
    def fail() -> int:
        raise RuntimeError("no clock")

    broken, whole = bench.job("one", limit_tick=fail), bench.job("two")
    bench.worker.begin(broken)
    bench.worker.begin(whole)
    events = bench.until(Ended)
    assert [event.tag for event in events if isinstance(event, Failed)] == [broken.tag]


def test_another_model_fails_takes_under_way_and_absorbs_clips_anew(bench: Bench, script: Script) -> None:
    job = bench.job(bars=64)
    script.on_note = lambda made: bench.worker.load("second") if made == 3 else None
    bench.worker.begin(job)
    events = bench.until(ModelReady)
    assert [event for event in events if isinstance(event, Failed)] == [
        Failed(job.tag, "the model was changed: generate again")
    ]
    script.on_note = lambda made: None
    again = bench.job()
    bench.worker.begin(again)
    assert notes_of(bench.until(Ended), again.tag) == fixed_take(1, [0, 1], 1, BAR)
    assert verbs(script, 0).count("piece") == 6, "the new model's first player heard the clip as the old one's had"


def test_a_clip_that_came_before_the_model_is_absorbed_by_it(script: Script) -> None:
    bench = Bench(lambda name, device: FixedModel(name, script))
    bench.worker.prefill("me", scene())
    bench.worker.load("fixed")
    bench.worker.start()
    assert isinstance(bench.next(), ModelReady)
    while verbs(script) != ["piece"] * 3:
        bench.settle()
    bench.worker.stop()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ModelError("the file is missing: restore it"), "the file is missing: restore it"),
        (MemoryError("tubes"), "model second could not be loaded (tubes): choose another, or see the daemon's log"),
    ],
)
def test_a_model_that_cannot_be_loaded_leaves_the_one_that_plays(script: Script, error: Exception, said: str) -> None:
    def load(name: str, device: str) -> Model:
        if name == "second":
            raise error
        return FixedModel(name, script)

    bench = Bench(load)
    bench.worker.start()
    bench.worker.load("second")
    assert bench.next() == ModelFailed("second", said, has_model=False)
    bench.worker.load("first")
    assert isinstance(bench.next(), ModelReady)
    job = bench.job(bars=2)
    script.on_note = lambda made: bench.worker.load("second") if made == 3 else None
    bench.worker.begin(job)
    events = bench.until(Ended)
    assert ModelFailed("second", said, has_model=True) in events
    assert notes_of(events, job.tag) == fixed_take(2, [0, 1], 1, BAR)
    bench.worker.stop()
