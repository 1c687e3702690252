"""The demo: a real daemon in a process of its own, a clip over real UDP, and what came of it as files to keep.

It speaks to the daemon as any client would and knows nothing of models.
"""

from __future__ import annotations

import json
import re
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from bridge.daemon_process import SERVE, DaemonProcess
from bridge.offline import tempo_at
from bridge.osc_client import OscClient
from bridge.take_follower import TakeFollower
from bridge.terminal_roll import LiveRoll, Window
from models.music.score import Note, Score
from models.music.seam import prompt_end_tick
from models.music.timebase import MeterMap

PINGS = 21
SHOWN_PROMPT_BARS = 4


@dataclass(frozen=True, slots=True)
class DemoOrder:
    """What to play and where to leave it."""

    clip_name: str
    score: Score
    source: bytes
    """The clip's MIDI file."""
    bars: int
    out_dir: Path
    seed: int = -1
    serve_arguments: Sequence[str] = ()
    serve_command: Sequence[str] = SERVE


@dataclass(frozen=True, slots=True)
class Performance:
    """What came back, in the clip's own ticks, and how long it took."""

    notes: tuple[Note, ...]
    start_tick: int
    end_tick: int
    seed: int
    latency: dict[str, float]


def run_demo(order: DemoOrder, console: Console) -> dict[str, object]:
    """Play the whole demo; returns the report that is also left as demo.json.

    Raises:
        ContinuoError: the daemon could not start or failed; the sentence says why.
        OSError: `out_dir` cannot be written.
    """
    order.out_dir.mkdir(parents=True, exist_ok=True)
    began_s = time.monotonic()
    log_path = order.out_dir / "daemon.log"
    process = DaemonProcess(order.serve_arguments, log_path, order.serve_command)
    with process as daemon, OscClient(daemon.address, "demo") as client:
        with console.status("starting the daemon and loading the model"):
            daemon.wait_ready(client)
        ready_s = time.monotonic() - began_s
        welcome = client.hello()
        console.print(
            f"The daemon is ready after {ready_s:.1f} s: model {welcome.text('model')} on {welcome.text('device')}."
        )
        port = midi_port(daemon)
        console.print(port.sentence, soft_wrap=True)
        performance = _perform(order, client, daemon, console, is_heard=port.is_open)
    console.print("Rendering sound and picture ...")
    files = _write_files(order, performance)
    report: dict[str, object] = {
        "model": welcome.text("model"),
        "device": welcome.text("device"),
        "clip": order.clip_name,
        "bars": order.bars,
        "notes": len(performance.notes),
        "seed": performance.seed,
        "midi_port": port.name,
        "latency": {"daemon_ready_ms": round(ready_s * 1000)} | performance.latency,
        "files": {kind: str(path) for kind, path in files.items()},
    }
    (order.out_dir / "demo.json").write_text(json.dumps(report, indent=2) + "\n")
    return report


@dataclass(frozen=True, slots=True)
class PortNews:
    """What the daemon said of its MIDI port; an empty name means that none is open."""

    name: str
    sentence: str

    @property
    def is_open(self) -> bool:
        """Whether somebody could be listening."""
        return bool(self.name)


def midi_port(daemon: DaemonProcess, wait_s: float = 2.0) -> PortNews:
    """The port as the daemon's log tells of it; it may open a moment after the model is there."""
    deadline_s = time.monotonic() + wait_s
    while time.monotonic() < deadline_s:
        if news := read_port_news(daemon.log()):
            return news
        time.sleep(0.05)
    return PortNews(
        "", "No MIDI port is open: the notes come over OSC only, and you will find them in the files below."
    )


def read_port_news(log: str) -> PortNews | None:
    """The last word of a log on the MIDI port, or None where there is none yet."""
    for line in reversed(log.splitlines()):
        if opened := re.search(r"MIDI port (.+) open \(", line):
            name = opened.group(1)
            return PortNews(
                name, f"The MIDI port “{name}” is open: connect an instrument to it and you hear this live."
            )
        if absent := re.search(r"bridge\.midi: MIDI: (.+)", line):
            return PortNews("", f"No MIDI port is open, the notes come over OSC only: {absent.group(1)}")
    return None


def _perform(
    order: DemoOrder, client: OscClient, daemon: DaemonProcess, console: Console, *, is_heard: bool
) -> Performance:
    """Send the clip, ask for its continuation, and show it arriving."""
    score, meters = order.score, MeterMap(order.score.meters)
    start_tick = prompt_end_tick(score)
    start_bar = meters.tick_to_bar(start_tick)[0]
    window = Window(score.meters, max(0, start_bar - SHOWN_PROMPT_BARS), start_bar, start_bar + order.bars)
    ping_ms = statistics.median(client.ping()[1] * 1000 for _ in range(PINGS))
    sent_s = time.monotonic()
    bpm = tempo_at(score, start_tick).bpm
    clip = client.send_clip(score.parts, score.notes, start_tick, meters.meter_at(start_tick), bpm)
    held_s = time.monotonic()
    begin = client.generate(clip, order.bars, seed=order.seed)
    roll = LiveRoll(console, score.parts, window)
    follower = TakeFollower(begin.integer("req"), start_tick, window.bar_lines[-1], bpm, held_s)
    roll.start()
    try:
        for view in follower.follow(client, daemon, is_heard=is_heard):
            roll.show([*score.notes, *view.notes], view.playhead_tick, view.horizon_tick)
    finally:
        roll.stop()
    latency = {"ping_ms": round(ping_ms, 3), "clip_ready_ms": round((held_s - sent_s) * 1000, 1)} | follower.latency()
    return Performance(tuple(follower.notes()), start_tick, window.bar_lines[-1], begin.integer("seed"), latency)


def _write_files(order: DemoOrder, performance: Performance) -> dict[str, Path]:
    """Leave the continuation as MIDI, sound and picture."""
    from bridge.picture import draw_pianoroll
    from bridge.render import render_wav
    from models.music.midi_extend import extend_midi

    score = order.score
    notes = (*score.notes, *performance.notes)
    whole = Score.build(score.parts, notes, score.tempos, score.meters, performance.end_tick)
    names = {"midi": "continuation.mid", "sound": "continuation.wav", "picture": "continuation.png"}
    files = {kind: order.out_dir / name for kind, name in names.items()}
    extend_midi(order.source, whole, performance.start_tick, files["midi"])
    render_wav(whole, files["sound"])
    title = f"{order.clip_name}, continued by {order.bars} bars"
    draw_pianoroll(whole, files["picture"], performance.start_tick, title)
    return files
