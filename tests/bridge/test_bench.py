from __future__ import annotations

import os
import sys
from functools import partial

import pytest

from bridge import bench, bench_midi
from bridge.daemon_process import DaemonProcess
from bridge.errors import ContinuoError
from bridge.probes import ProbeFailed
from tests.wire import ROOT

FAKE = (sys.executable, str(ROOT / "tests" / "fake_daemon.py"))


def test_the_daemon_is_measured_from_start_to_first_note(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "STARTS", 1)
    monkeypatch.setattr(bench, "DaemonProcess", partial(DaemonProcess, command=FAKE))
    figures = bench.daemon_figures("echo", "cpu")
    assert figures["ready_ms"] > 0
    assert figures["first_note_ms"] > 0


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
def test_memory_is_what_the_system_says() -> None:
    megabytes = bench.memory_mb(os.getpid())
    assert megabytes is not None
    assert 5 < megabytes < 100_000


def test_the_ports_lateness_is_told_idle_and_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    idle = {"p50_us": 1.4, "p99_us": 20.0, "max_us": 30.0}
    loaded = {"p50_us": 2.0, "p99_us": 40.0, "max_us": 60.0}
    monkeypatch.setattr(bench_midi, "bench_port", lambda seconds: {"idle": idle, "loaded": loaded})
    assert bench.port_figures() == {
        "late_p50_us": 1,
        "late_p99_us": 20,
        "late_max_us": 30,
        "loaded_late_p50_us": 2,
        "loaded_late_p99_us": 40,
        "loaded_late_max_us": 60,
    }


def test_the_command_line_is_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "MODEL_RUNS", 1)
    figures = bench.command_line_figures()
    assert set(figures) == {"help_ms", "doctor_first_line_ms"}


def test_a_model_that_does_not_play_is_told_with_the_way_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(module: str, *arguments: str) -> dict[str, float]:
        raise ProbeFailed("weights are missing")

    monkeypatch.setattr(bench, "ask_probe", fail)
    with pytest.raises(ContinuoError, match="weights are missing; see `continuo doctor`"):
        bench.model_figures("flagship", "cpu")


def test_groups_come_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "model_figures", lambda model, device: {"notes_per_second": 1.0})
    groups = bench.run_bench("flagship", "cpu")
    assert next(groups) == ("model", {"notes_per_second": 1.0})
