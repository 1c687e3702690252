"""Opening a port on systems this machine is not: a python-rtmidi of our own plays them."""

from __future__ import annotations

import os
import socket
import sys
from types import SimpleNamespace

import pytest

from bridge import port_open
from bridge.errors import PortError
from bridge.port_open import PortRequest, RtMidiPort, open_port

JACK, ALSA, CORE, WINDOWS = 1, 2, 3, 4


class FakeRtMidi:
    """One MIDI system: which APIs are compiled in, which of them work, which ports are there."""

    API_UNIX_JACK, API_LINUX_ALSA, API_MACOSX_CORE, API_WINDOWS_MM = JACK, ALSA, CORE, WINDOWS

    def __init__(self, compiled: tuple[int, ...], working: tuple[int, ...], ports: tuple[str, ...] = ()) -> None:
        self.compiled = compiled
        self.working = working
        self.ports = list(ports)
        self.log: list[object] = []

    def get_compiled_api(self) -> list[int]:
        return list(self.compiled)

    def MidiOut(self, api: int, name: str) -> SimpleNamespace:  # noqa: N802 - python-rtmidi's name
        return self.client(api, name)

    def MidiIn(self, api: int, name: str) -> SimpleNamespace:  # noqa: N802 - python-rtmidi's name
        return self.client(api, name)

    def client(self, api: int, name: str) -> SimpleNamespace:
        if api not in self.working:
            raise RuntimeError("MidiOut::initialize: it is not running.")
        return SimpleNamespace(
            get_ports=lambda: list(self.ports),
            open_virtual_port=lambda port: self.ports.append(f"{name}:{port}"),
            open_port=lambda index, name: self.log.append(("open", index)),
            send_message=lambda message: self.log.append(message),
            close_port=lambda: self.log.append("close"),
            delete=lambda: self.log.append("delete"),
        )


def opened(monkeypatch: pytest.MonkeyPatch, platform: str, system: FakeRtMidi, request: PortRequest) -> RtMidiPort:
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setitem(sys.modules, "rtmidi", system)
    monkeypatch.setenv("JACK_NO_START_SERVER", "0")
    port = open_port(request)
    assert isinstance(port, RtMidiPort)
    return port


def test_linux_prefers_jack_and_never_starts_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    port = opened(monkeypatch, "linux", FakeRtMidi((ALSA, JACK), (ALSA, JACK)), PortRequest())
    assert (port.backend, port.name) == ("jack", "Continuo:Continuo")
    assert os.environ["JACK_NO_START_SERVER"] == "1"


def test_linux_without_jack_uses_alsa(monkeypatch: pytest.MonkeyPatch) -> None:
    port = opened(monkeypatch, "linux", FakeRtMidi((ALSA, JACK), (ALSA,)), PortRequest())
    assert port.backend == "alsa"


def test_the_name_is_the_one_others_see(monkeypatch: pytest.MonkeyPatch) -> None:
    system = FakeRtMidi((JACK,), (JACK,), ("synth:out", "Continuo:Continuo"))
    monkeypatch.setattr(system, "client", renamed(system.client, "Continuo-01"))
    assert opened(monkeypatch, "linux", system, PortRequest()).name == "Continuo-01:Continuo"


def renamed(client: object, name: str) -> object:
    """JACK gives the second client of a name another one."""
    return lambda api, _: client(api, name)  # type: ignore[operator]


def test_windows_opens_a_port_that_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    system = FakeRtMidi((WINDOWS,), (WINDOWS,), ("Microsoft GS Wavetable Synth 0", "continuo 1"))
    port = opened(monkeypatch, "win32", system, PortRequest())
    assert (port.backend, port.name) == ("winmm", "continuo 1")
    assert ("open", 1) in system.log


def test_a_port_can_be_chosen_by_a_part_of_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    system = FakeRtMidi((CORE,), (CORE,), ("Synth A", "Synth"))
    request = PortRequest(existing="synth a")
    assert opened(monkeypatch, "darwin", system, request).name == "Synth A"
    assert opened(monkeypatch, "darwin", system, PortRequest(existing="Synth")).name == "Synth", "the exact name wins"


def test_an_unknown_port_names_those_that_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    system = FakeRtMidi((WINDOWS,), (WINDOWS,), ("Synth A", "Synth B"))
    with pytest.raises(PortError, match=r"'Continuo' in its name \(there are: Synth A, Synth B\).*create"):
        opened(monkeypatch, "win32", system, PortRequest())


@pytest.mark.parametrize(
    ("platform", "cure"),
    [("linux", "snd-seq"), ("darwin", "Audio MIDI Setup"), ("win32", "loopMIDI"), ("plan9", "JACK")],
)
def test_no_midi_system_is_told_with_the_cure_of_the_platform(
    monkeypatch: pytest.MonkeyPatch, platform: str, cure: str
) -> None:
    with pytest.raises(PortError, match=f"it is not running.*{cure}"):
        opened(monkeypatch, platform, FakeRtMidi((JACK, ALSA, CORE, WINDOWS), ()), PortRequest())


def test_a_backend_that_was_not_compiled_in_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PortError, match="alsa: not in this build of python-rtmidi"):
        opened(monkeypatch, "linux", FakeRtMidi((JACK,), (JACK,)), PortRequest(backend="alsa"))


def test_a_missing_python_rtmidi_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rtmidi", None)
    with pytest.raises(PortError, match="pip install python-rtmidi"):
        open_port(PortRequest())


def test_messages_reach_the_port_and_closing_deletes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(port_open, "_DELIVERY_S", 0)
    system = FakeRtMidi((JACK,), (JACK,))
    port = opened(monkeypatch, "linux", system, PortRequest())
    port.send((0x90, 60, 90))
    port.close()
    assert system.log[-3:] == [(0x90, 60, 90), "close", "delete"]


def test_a_port_whose_socket_is_closed_behind_it_is_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    system = FakeRtMidi((JACK,), (JACK,))
    ours, theirs = socket.socketpair()
    with theirs:
        number = os.fstat(ours.fileno()).st_ino
        port = RtMidiPort(system.client(JACK, "x"), "jack", "x", {(ours.fileno(), number)}, existing=False)
        assert port.is_alive()
        ours.close()
        assert not port.is_alive()


def test_an_existing_port_that_is_unplugged_is_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    system = FakeRtMidi((WINDOWS,), (WINDOWS,), ("Continuo",))
    port = opened(monkeypatch, "win32", system, PortRequest())
    assert port.is_alive()
    system.ports.clear()
    assert not port.is_alive()
