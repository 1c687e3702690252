"""Run as a process: tries to open our MIDI port, lists the others, and prints what it found as JSON.

A process of its own because MIDI libraries print to stderr, hang on a dead server, and may take Python down with them.
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable

from bridge.errors import PortError
from bridge.port_open import PortRequest, open_port

OURS = "Continuo"
PROBE_NAME = "Continuo doctor"
LISTING_S = 5.0


def main() -> None:
    """Print the findings."""
    found: dict[str, object] = {"problem": "", "backend": "", "inputs": [], "loops": find_loops(connections())}
    try:
        port = open_port(PortRequest(client=OURS if sys.platform == "win32" else PROBE_NAME))
    except PortError as error:
        found["problem"] = str(error)
    else:
        found["backend"] = port.backend
        found["inputs"] = instruments()
        port.close()
    sys.stdout.write(json.dumps(found) + "\n")


def instruments() -> list[str]:
    """Ports of other programs that a note could be sent to, on every MIDI system that answers."""
    import rtmidi

    names: set[str] = set()
    for api in rtmidi.get_compiled_api():
        with contextlib.suppress(OSError, RuntimeError):  # not there: open_port has told the cure
            names.update(rtmidi.MidiOut(api, name=PROBE_NAME).get_ports())
    return sorted(name for name in names if OURS not in name)


def find_loops(pairs: Iterable[tuple[str, str]]) -> list[str]:
    """Our outputs that are connected to an input of ours."""
    return sorted({source for source, target in pairs if OURS in source and OURS in target})


def connections() -> list[tuple[str, str]]:
    """Every (output, input) connected now, as far as the system's own tools tell."""
    return parse_jack(_listing("jack_lsp", "-c")) + parse_alsa(_listing("aconnect", "-l"))


def parse_jack(listing: str) -> list[tuple[str, str]]:
    """Connections in the output of `jack_lsp -c`: a port, then what it is connected to, indented."""
    pairs, port = [], ""
    for line in listing.splitlines():
        if line.startswith(" "):
            pairs.append((port, line.strip()))
        else:
            port = line.strip()
    return pairs


def parse_alsa(listing: str) -> list[tuple[str, str]]:
    """Connections in the output of `aconnect -l`, by the names of the clients."""
    names = dict(re.findall(r"^client (\d+): '([^']*)'", listing, re.MULTILINE))
    pairs, client = [], ""
    for line in listing.splitlines():
        if started := re.match(r"client (\d+):", line):
            client = started.group(1)
        elif "Connecting To:" in line:
            pairs += [(names[client], names.get(target, target)) for target in re.findall(r"(\d+):\d+", line)]
    return pairs


def _listing(program: str, flag: str) -> str:
    """What one of the system's tools prints; nothing where it is not installed or fails."""
    path = shutil.which(program)
    if path is None:
        return ""
    try:
        done = subprocess.run([path, flag], capture_output=True, text=True, timeout=LISTING_S, check=False)  # noqa: S603
    except subprocess.TimeoutExpired:
        return ""
    return done.stdout if done.returncode == 0 else ""


if __name__ == "__main__":
    main()
