"""Measures this machine: the model alone, the MIDI port alone, and the daemon from start to first note."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path

from bridge.daemon_process import DaemonProcess
from bridge.errors import ContinuoError
from bridge.osc_client import OscClient, TakeReader, is_failure, reported
from bridge.probes import ProbeFailed, ask_probe
from models.music.midi_file import read_score
from models.music.seam import prompt_end_tick

MODEL_RUNS = 5
STARTS = 3
PORT_S = 5.0
BARS = 4
TAKE_S = 120.0

Figures = dict[str, float]


def run_bench(model: str, device: str) -> Iterator[tuple[str, Figures]]:
    """Groups of figures by name, each as soon as it is measured; names carry their unit.

    Raises:
        ContinuoError: a part of Continuo does not run here.
    """
    parts: dict[str, Callable[[], Figures]] = {
        "model": lambda: model_figures(model, device),
        "port": port_figures,
        "daemon": lambda: daemon_figures(model, device),
        "command line": command_line_figures,
    }
    for name, measure in parts.items():
        yield name, measure()


def model_figures(model: str, device: str) -> Figures:
    """Notes a second, milliseconds to prefill 512 notes and to the first note: medians."""
    try:
        return ask_probe("bridge.speed_probe", "--model", model, "--device", device, "--runs", str(MODEL_RUNS))
    except ProbeFailed as error:
        raise ContinuoError(f"the model does not play: {error}; see `continuo doctor`") from error


def port_figures() -> Figures:
    """How late messages leave the MIDI process, on the machine as it is and beside a busy one."""
    from bridge.bench_midi import bench_port

    found = bench_port(PORT_S)
    chosen = {"late_p50_us": "p50_us", "late_p99_us": "p99_us", "late_max_us": "max_us"}
    figures: Figures = {name: round(found["idle"][key]) for name, key in chosen.items()}
    return figures | {f"loaded_{name}": round(found["loaded"][key]) for name, key in chosen.items()}


def daemon_figures(model: str, device: str) -> Figures:
    """Start-up, first note over UDP and memory of the daemon in a process of its own: medians."""
    runs = [_one_daemon(["--model", model, "--device", device, "--midi", "none"]) for _ in range(STARTS)]
    return {name: round(statistics.median(run[name] for run in runs), 1) for name in runs[0]}


def _one_daemon(arguments: list[str]) -> Figures:
    score = read_score((files("bridge") / "clips" / "pop.mid").read_bytes())
    end_tick, bpm = prompt_end_tick(score), score.tempos[0].bpm
    began_s = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        log_path = Path(folder) / "daemon.log"
        with DaemonProcess(arguments, log_path) as daemon, OscClient(daemon.address, "bench") as client:
            daemon.wait_ready(client)
            ready_s = time.monotonic()
            clip = client.send_clip(score.parts, score.notes, end_tick, score.meters[0], bpm)
            asked_s = time.monotonic()
            reader = TakeReader(client.generate(clip, BARS, seed=1).integer("req"))
            first_s = _first_note_s(client, reader, daemon)
            figures = {"ready_ms": (ready_s - began_s) * 1000, "first_note_ms": (first_s - asked_s) * 1000}
            megabytes = memory_mb(daemon.pid)
            return figures if megabytes is None else figures | {"memory_mb": megabytes}


def _first_note_s(client: OscClient, reader: TakeReader, daemon: DaemonProcess) -> float:
    deadline_s = time.monotonic() + TAKE_S
    while time.monotonic() < deadline_s:
        daemon.check_alive()
        message = client.poll(0.05)
        if message is None:
            client.ask_again(reader)
        elif is_failure(message):
            raise reported(message)
        elif reader.take_in(message):
            return time.monotonic()
    raise ContinuoError(f"no note came from the daemon within {TAKE_S:.0f} s; see `continuo doctor`")


def memory_mb(pid: int) -> float | None:
    """Memory a process holds now; None where the system does not tell."""
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        return None
    held = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS:"))
    return int(held.split()[1]) / 1024


def command_line_figures() -> Figures:
    """Milliseconds until `continuo --help` is done and until `continuo doctor` says its first word: medians."""
    command = [sys.executable, "-P", "-m", "bridge"]
    helped, examined = [], []
    for _ in range(MODEL_RUNS):
        began_s = time.monotonic()
        subprocess.run([*command, "--help"], capture_output=True, check=True)  # noqa: S603 - our own command line
        helped.append(time.monotonic() - began_s)
        began_s = time.monotonic()
        with subprocess.Popen([*command, "doctor"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:  # noqa: S603
            assert process.stdout is not None
            process.stdout.readline()
            examined.append(time.monotonic() - began_s)
            process.kill()
    return {
        "help_ms": round(statistics.median(helped) * 1000),
        "doctor_first_line_ms": round(statistics.median(examined) * 1000),
    }
