"""What is wrong on this machine, one finding at a time, each with its cure. It repairs nothing.

Whatever may crash, print or take seconds (torch, the MIDI system) is asked in a process of its own; see `probes`.
"""

from __future__ import annotations

import json
import platform
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from bridge.errors import ContinuoError
from bridge.probes import ProbeFailed, ask_probe

Verdict = Literal["ok", "note", "fault"]
DISTRIBUTION = "continuo"
OLDEST_PYTHON = (3, 11)
PACKAGES = Path(__file__).parent.parent
HOST = "127.0.0.1"
PLAYABLE_NOTES_PER_S = 30.0  # four busy parts at 120 bpm; below it a dense piece comes late


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report; a fault keeps Continuo from running, a note keeps it from doing all it could."""

    check: str
    verdict: Verdict
    text: str
    cure: str = ""


def examine(osc_port: int, model: str, device: str) -> Iterator[Finding]:
    """Every finding, as soon as it is known; the quick ones first."""
    checks: list[Callable[[], Iterator[Finding]]] = [
        check_python,
        check_packages,
        lambda: check_model(model),
        check_sounds,
        lambda: check_udp(osc_port),
        check_midi,
        lambda: check_device(device),
        lambda: check_speed(model, device),
    ]
    for check in checks:
        yield from check()


def check_python() -> Iterator[Finding]:
    """Old enough a Python fails at the first import of ours, so this is told first."""
    where = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    if sys.version_info < OLDEST_PYTHON:
        yield Finding("Python", "fault", where, "install Python 3.11 or newer")
    else:
        yield Finding("Python", "ok", where)


def check_packages() -> Iterator[Finding]:
    """Every package the distribution asks for, against what is installed."""
    from packaging.requirements import Requirement

    try:
        wanted = [Requirement(line) for line in metadata.requires(DISTRIBUTION) or []]
    except metadata.PackageNotFoundError:
        yield Finding("packages", "fault", "Continuo itself is not installed", "pip install -c constraints.txt -e .")
        return
    wrong = []
    needed = [each for each in wanted if each.marker is None or each.marker.evaluate({"extra": ""})]
    for each in needed:
        try:
            version = metadata.version(each.name)
        except metadata.PackageNotFoundError:
            wrong.append(f"{each.name} is missing")
            continue
        if not each.specifier.contains(version, prereleases=True):
            wrong.append(f"{each.name} is {version}, not {each.specifier}")
    if wrong:
        yield Finding("packages", "fault", "; ".join(wrong), "pip install -c constraints.txt -e .")
    else:
        yield Finding("packages", "ok", f"{len(needed)} packages as needed")


def check_sounds() -> Iterator[Finding]:
    """The instruments the demo renders with."""
    path = PACKAGES / "models" / "sounds" / "band"
    if instruments := list(path.glob("*.sfz")):
        yield Finding("sounds", "ok", f"{len(instruments)} instruments")
    else:
        yield Finding("sounds", "note", f"{path} is missing: no sound can be rendered", "install Continuo again")


def check_udp(port: int) -> Iterator[Finding]:
    """Whether the daemon could listen, or listens already."""
    from bridge.osc_client import NoAnswer, OscClient

    try:
        with OscClient((HOST, port), "doctor") as client:
            state, seconds = client.ping(tries=1)
            welcome = client.hello(tries=2)
    except NoAnswer:
        yield _bindable(port)
    except ContinuoError as error:
        yield Finding("UDP port", "fault", str(error))
    else:
        who = f"Continuo {welcome.text('version')} with model {welcome.text('model')} is {state.name.lower()}"
        yield Finding("UDP port", "ok", f"{who} at {HOST}:{port}, answers in {seconds * 1000:.1f} ms")


def _bindable(port: int) -> Finding:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((HOST, port))
        except OSError as error:
            cure = f"end the program that holds it, or choose another: continuo serve --osc-port {port + 1}"
            return Finding("UDP port", "fault", f"{HOST}:{port} cannot be used ({error.strerror})", cure)
    return Finding("UDP port", "ok", f"{HOST}:{port} is free")


def check_model(model: str) -> Iterator[Finding]:
    """The weights of the model the daemon would load, read without torch."""
    from models import registry

    try:
        name, weights = registry.find(model)
        card = registry.card(weights)
        size = check_whole(weights)
    except (registry.ModelError, OSError) as error:
        yield Finding("model", "fault", str(error), "choose one of `continuo models` with --model, or install again")
    else:
        millions = card.get("parameters", 0) / 1e6
        yield Finding("model", "ok", f"{name}, {millions:.1f} million parameters, {size / 1e6:.1f} MB")


def check_whole(weights: Path) -> int:
    """Size of a safetensors file whose header and length agree.

    Raises:
        ModelError: it was cut short or is no such file.
        OSError: it cannot be read.
    """
    from models.registry import ModelError

    size = weights.stat().st_size
    with weights.open("rb") as file:
        header_length = int.from_bytes(file.read(8), "little")
        header = file.read(min(header_length, size))
    try:
        entries = json.loads(header)
        stated = 8 + header_length + max(entry["data_offsets"][1] for entry in entries.values() if "dtype" in entry)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{weights} is no safetensors file") from error
    if stated != size:
        raise ModelError(f"{weights} has {size} bytes, not the {stated} it should have")
    return size


def check_midi() -> Iterator[Finding]:
    """The MIDI system, its ports, and whether our own output runs back into ourselves."""
    try:
        found = ask_probe("bridge.midi_probe")
    except ProbeFailed as error:
        yield Finding("MIDI", "note", f"the MIDI system could not be asked: {error}", "restart it; OSC works without")
        return
    if found["problem"]:
        problem, _, cure = found["problem"].rpartition(": ")
        yield Finding("MIDI", "note", f"{problem}; notes go out over OSC only", cure)
    else:
        others = ", ".join(found["inputs"]) or "none"
        yield Finding("MIDI", "ok", f"{found['backend']} can open our port; instruments to play: {others}")
    for loop in found["loops"]:
        yield Finding("feedback", "fault", f"{loop} plays back into Continuo", "disconnect the two in your patchbay")
    if not found["loops"] and not found["problem"]:
        yield Finding("feedback", "ok", "no output of ours is connected to an input of ours")


def check_device(device: str) -> Iterator[Finding]:
    """What torch can compute on."""
    try:
        found = ask_probe("models.device_probe")
    except ProbeFailed as error:
        yield Finding("device", "fault", f"torch does not load: {error}", "pip install -c constraints.txt -e .")
        return
    there = found["devices"]
    if device not in ("auto", *there):
        yield Finding("device", "fault", f"{device} is not here, only {', '.join(there)}", "choose --device auto")
    else:
        yield Finding("device", "ok", f"torch {found['torch']}, {found['threads']} threads: {', '.join(there)}")


def check_speed(model: str, device: str) -> Iterator[Finding]:
    """Notes a second of the real model on this machine."""
    try:
        found = ask_probe("bridge.speed_probe", "--model", model, "--device", device)
    except ProbeFailed as error:
        yield Finding("speed", "fault", f"the model does not play: {error}", "see `continuo models`, or reinstall")
        return
    rate, first_ms = found["notes_per_second"], found["first_note_ms"]
    text = f"{rate:.0f} notes/s, first note after {first_ms:.0f} ms, loaded in {found['load_s']:.1f} s"
    if rate < PLAYABLE_NOTES_PER_S:
        cure = "close other programs, choose a smaller model, or continue in fewer parts"
        yield Finding("speed", "note", f"{text}; dense music will come late", cure)
    else:
        yield Finding("speed", "ok", text)
