from __future__ import annotations

import json
import socket
import struct
import sys
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from bridge import doctor
from bridge.doctor import Finding
from bridge.probes import ProbeFailed
from models.registry import ModelError
from tests.fake_daemon import FakeDaemon


def answering(monkeypatch: pytest.MonkeyPatch, answer: dict[str, Any] | str) -> None:
    """Let every probe answer this; a text makes it fail with these words."""

    def ask(module: str, *arguments: str) -> dict[str, Any]:
        if isinstance(answer, str):
            raise ProbeFailed(answer)
        return answer

    monkeypatch.setattr(doctor, "ask_probe", ask)


def test_the_python_that_runs_the_tests_is_fine() -> None:
    (finding,) = doctor.check_python()
    assert finding.verdict == "ok"


def test_an_old_python_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 10, 0))
    (finding,) = doctor.check_python()
    assert finding.verdict == "fault"
    assert "3.11" in finding.cure


def test_the_packages_that_are_needed_are_here() -> None:
    (finding,) = doctor.check_packages()
    assert finding.verdict == "ok"


def test_missing_and_old_packages_are_named_and_extras_are_not_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    needed = ["click>=999", "not-there-at-all>=1", "gone; extra == 'dev'", "elsewhere; sys_platform == 'nowhere'"]
    monkeypatch.setattr(metadata, "requires", lambda name: needed)
    (finding,) = doctor.check_packages()
    assert finding.verdict == "fault"
    assert f"click is {metadata.version('click')}, not >=999" in finding.text
    assert "not-there-at-all is missing" in finding.text
    assert "gone" not in finding.text
    assert "elsewhere" not in finding.text


def test_a_checkout_that_was_never_installed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> list[str]:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "requires", missing)
    (finding,) = doctor.check_packages()
    assert (finding.verdict, finding.text) == ("fault", "Continuo itself is not installed")


def test_a_free_port_is_fine() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (finding,) = doctor.check_udp(port)
    assert finding == Finding("UDP port", "ok", f"127.0.0.1:{port} is free")


def test_a_port_held_by_another_program_is_a_fault_with_the_next_port_as_cure() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as holder:
        holder.bind(("127.0.0.1", 0))
        port = holder.getsockname()[1]
        (finding,) = doctor.check_udp(port)
    assert finding.verdict == "fault"
    assert f"--osc-port {port + 1}" in finding.cure


def test_a_daemon_that_runs_already_is_fine() -> None:
    with FakeDaemon() as daemon:
        (finding,) = doctor.check_udp(daemon.address[1])
    assert finding.verdict == "ok"
    assert "with model echo is ready" in finding.text


def safetensors(entries: dict[str, object], data: bytes) -> bytes:
    header = json.dumps(entries).encode()
    return struct.pack("<Q", len(header)) + header + data


def test_weights_are_whole_when_header_and_length_agree(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    entries = {"__metadata__": {"a": "b"}, "x": {"dtype": "F16", "shape": [4], "data_offsets": [0, 8]}}
    whole = safetensors(entries, bytes(8))
    path.write_bytes(whole)
    assert doctor.check_whole(path) == len(whole)
    for length in (0, 4, 8, 20, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(ModelError, match="safetensors"):
            doctor.check_whole(path)


def test_weights_from_a_large_file_store_that_were_not_fetched_are_told(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    with pytest.raises(ModelError, match="no safetensors file"):
        doctor.check_whole(path)


def test_an_unknown_model_is_a_fault() -> None:
    (finding,) = doctor.check_model("no-such-model")
    assert finding.verdict == "fault"
    assert "no-such-model" in finding.text


def test_no_midi_system_is_a_note_with_its_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = "no MIDI port could be opened (jack: JACK server not running?; alsa: error): start JACK"
    answering(monkeypatch, {"problem": problem, "backend": "", "inputs": [], "loops": []})
    (finding,) = doctor.check_midi()
    assert finding.verdict == "note"
    assert "alsa: error" in finding.text
    assert finding.cure == "start JACK"


def test_ports_and_a_feedback_loop_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, {"problem": "", "backend": "jack", "inputs": ["synth:in"], "loops": ["Continuo:Continuo"]})
    ports, loop = doctor.check_midi()
    assert (ports.verdict, "synth:in" in ports.text) == ("ok", True)
    assert (loop.check, loop.verdict) == ("feedback", "fault")


def test_no_loop_is_told_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, {"problem": "", "backend": "jack", "inputs": [], "loops": []})
    assert [finding.verdict for finding in doctor.check_midi()] == ["ok", "ok"]


def test_a_midi_system_that_takes_its_process_down_is_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, "it ended with code -11")
    (finding,) = doctor.check_midi()
    assert (finding.verdict, "-11" in finding.text) == ("note", True)


@pytest.mark.parametrize(("device", "verdict"), [("auto", "ok"), ("cpu", "ok"), ("cuda", "fault")])
def test_a_device_that_is_not_here_is_a_fault(monkeypatch: pytest.MonkeyPatch, device: str, verdict: str) -> None:
    answering(monkeypatch, {"torch": "2.13.0", "threads": 2, "devices": ["cpu"]})
    (finding,) = doctor.check_device(device)
    assert finding.verdict == verdict


@pytest.mark.parametrize(("rate", "verdict"), [(500.0, "ok"), (5.0, "note")])
def test_too_slow_a_machine_is_a_note(monkeypatch: pytest.MonkeyPatch, rate: float, verdict: str) -> None:
    answering(monkeypatch, {"notes_per_second": rate, "first_note_ms": 10.0, "load_s": 1.0})
    (finding,) = doctor.check_speed("flagship", "cpu")
    assert finding.verdict == verdict


@pytest.mark.parametrize("check", [lambda: doctor.check_speed("flagship", "cpu"), lambda: doctor.check_device("auto")])
def test_a_probe_without_an_answer_is_a_fault_with_a_cure(
    monkeypatch: pytest.MonkeyPatch, check: Callable[[], Iterator[Finding]]
) -> None:
    answering(monkeypatch, "no memory left")
    (finding,) = check()
    assert finding.verdict == "fault"
    assert "no memory left" in finding.text
    assert finding.cure


def test_the_first_finding_comes_before_anything_slow_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, "must not be asked")
    assert next(doctor.examine(7401, "flagship", "auto")).check == "Python"


def test_torch_is_found_by_its_probe() -> None:
    (finding,) = doctor.check_device("cpu")
    assert finding.verdict == "ok"
