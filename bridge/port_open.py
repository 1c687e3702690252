"""Open one MIDI output on whatever MIDI system runs here. Used by the MIDI child only: it is the one door to rtmidi."""

from __future__ import annotations

import os
import stat
import sys
import time
from dataclasses import dataclass
from types import ModuleType
from typing import Protocol

from bridge.errors import PortError
from bridge.notes import Message

PLATFORM_BACKENDS = {"linux": ("jack", "alsa"), "darwin": ("coremidi", "jack"), "win32": ("winmm",)}
"""What `auto` tries, in this order. JACK first: where it runs, that is where the studio is."""
BACKENDS = ("auto", "jack", "alsa", "coremidi", "winmm")

_API_NAMES = {
    "jack": "API_UNIX_JACK",
    "alsa": "API_LINUX_ALSA",
    "coremidi": "API_MACOSX_CORE",
    "winmm": "API_WINDOWS_MM",
}
_CURES = {
    "linux": "start JACK (for example with QjackCtl) or load ALSA's sequencer with `sudo modprobe snd-seq`",
    "darwin": "open Audio MIDI Setup once, or restart the Core MIDI service by logging out and in",
    "win32": "create a port named 'Continuo' in loopMIDI or Windows MIDI Services, then choose it with --midi-port",
}
_DELIVERY_S = 0.1  # JACK takes messages once a period: two of the longest usual ones (2048 at 44.1 kHz)


@dataclass(frozen=True, slots=True)
class PortRequest:
    """Which port to open."""

    backend: str = "auto"
    client: str = "Continuo"
    """Name of the virtual port, and of the program in a patchbay."""
    existing: str = ""
    """Part of the name of a port that is there already; empty opens a virtual one."""


class OpenedPort(Protocol):
    """An open MIDI output. Used by one thread."""

    name: str
    backend: str

    def send(self, message: Message) -> None:
        """Put one message on the wire now."""

    def is_alive(self) -> bool:
        """Whether the MIDI system behind the port still stands."""

    def close(self) -> None:
        """Let the last messages out, then close."""


class _Output(Protocol):
    """What is used of `rtmidi.MidiOut`, which ships no types."""

    def send_message(self, message: Message) -> None: ...
    def get_ports(self) -> list[str]: ...
    def close_port(self) -> None: ...
    def delete(self) -> None: ...


class RtMidiPort:
    """A port of python-rtmidi. Once the system is gone, nothing but the end of the process is safe."""

    def __init__(self, output: _Output, backend: str, name: str, sockets: set[tuple[int, int]], existing: bool) -> None:
        self.name = name
        self.backend = backend
        self._output = output
        self._sockets = sockets
        self._existing = existing

    def send(self, message: Message) -> None:
        """Put one message on the wire now; hangs for ever on a dead JACK once its buffer is full."""
        self._output.send_message(message)

    def is_alive(self) -> bool:
        """Whether the sockets that opening the port made still stand, and an existing port is still listed.

        When a JACK server dies, its client library closes its socket and tells rtmidi nothing:
        decisions/0011-a-dead-midi-system-is-noticed-by-its-sockets.md.
        """
        if any(_inode(descriptor) != inode for descriptor, inode in self._sockets):
            return False
        return not self._existing or self.name in self._output.get_ports()

    def close(self) -> None:
        """Wait until the system has taken the last messages, then close."""
        time.sleep(_DELIVERY_S)
        self._output.close_port()
        self._output.delete()


def open_port(request: PortRequest) -> OpenedPort:
    """Open the port that was asked for.

    Raises:
        PortError: there is none, and this is why.
    """
    try:
        import rtmidi
    except ImportError as error:
        raise PortError("python-rtmidi is missing: install it with `pip install python-rtmidi`") from error
    os.environ["JACK_NO_START_SERVER"] = "1"
    auto = PLATFORM_BACKENDS.get(sys.platform, ("jack", "alsa"))
    compiled = rtmidi.get_compiled_api()
    reasons = []
    for backend in auto if request.backend == "auto" else (request.backend,):
        api = getattr(rtmidi, _API_NAMES[backend])
        if api not in compiled:
            reasons.append(f"{backend}: not in this build of python-rtmidi")
            continue
        try:
            return _open(rtmidi, api, backend, request)
        except (RuntimeError, OSError, ValueError, NotImplementedError) as error:
            reasons.append(f"{backend}: {str(error).rstrip('.')}")
    cure = _CURES.get(sys.platform, _CURES["linux"])
    raise PortError(f"no MIDI port could be opened ({'; '.join(reasons)}): {cure}")


def _open(rtmidi: ModuleType, api: int, backend: str, request: PortRequest) -> RtMidiPort:
    """One try with one backend; rtmidi raises RuntimeError, NotImplementedError and their like."""
    if request.existing or backend == "winmm":  # Windows knows no virtual ports
        before = _sockets()
        output = rtmidi.MidiOut(api, name=request.client)
        index, name = _find(output.get_ports(), request.existing or request.client)
        output.open_port(index, name=request.client)
        return RtMidiPort(output, backend, name, _sockets() - before, existing=True)
    listing = rtmidi.MidiIn(api, name=f"{request.client} lists ports")
    known = set(listing.get_ports())
    before = _sockets()
    output = rtmidi.MidiOut(api, name=request.client)
    output.open_virtual_port(request.client)
    sockets = _sockets() - before
    appeared = [name for name in listing.get_ports() if name not in known and request.client in name]
    listing.delete()
    name = appeared[0] if len(appeared) == 1 else f"{request.client}:{request.client}"
    return RtMidiPort(output, backend, name, sockets, existing=False)


def _find(names: list[str], fragment: str) -> tuple[int, str]:
    """The one port whose name contains `fragment`, upper or lower case."""
    found = [(index, name) for index, name in enumerate(names) if fragment.lower() in name.lower()]
    if not found:
        raise PortError(
            f"no MIDI port has '{fragment}' in its name (there are: {', '.join(names) or 'none'}): "
            f"give part of one of these names with --midi-port, or create the port"
        )
    exact = [(index, name) for index, name in found if name == fragment]
    return (exact or found)[0]


def _sockets() -> set[tuple[int, int]]:
    """Open sockets of this process as (descriptor, inode); none on Windows, where rtmidi uses no sockets."""
    if sys.platform == "win32":
        return set()
    found = ((descriptor, _inode(descriptor)) for descriptor in range(64))
    return {(descriptor, inode) for descriptor, inode in found if inode is not None}


def _inode(descriptor: int) -> int | None:
    """What tells an open socket from one opened later under the same number; None when it is closed or no socket."""
    try:
        status = os.fstat(descriptor)
    except OSError:
        return None
    return status.st_ino if stat.S_ISSOCK(status.st_mode) else None
