"""An independent listener: records every MIDI message that Continuo's JACK port sends, as lines `frame hex`.

Run as a process of its own with the file to write. It connects to each port of that name that appears, for as long as
its stdin is open.
"""

from __future__ import annotations

import contextlib
import os
import select
import sys
from pathlib import Path

import jack

WANTED = "Continuo"


def record(path: Path) -> None:
    client = jack.Client("recorder", no_start_server=True)
    port = client.midi_inports.register("in")
    heard: list[tuple[int, bytes]] = []

    @client.set_process_callback
    def process(frames: int) -> None:
        start = client.last_frame_time
        heard.extend((start + offset, bytes(data)) for offset, data in port.incoming_midi_events())

    with client, path.open("w", buffering=1) as lines:
        while not select.select([sys.stdin], [], [], 0.05)[0]:
            for source in client.get_ports(WANTED, is_midi=True, is_output=True):
                if source not in port.connections:
                    with contextlib.suppress(jack.JackError):  # the port of a killed process is listed a moment longer
                        client.connect(source, port)
                        lines.write("connected\n")
            while heard:
                frame, data = heard.pop(0)
                lines.write(f"{frame} {data.hex()}\n")


if __name__ == "__main__":
    os.environ["JACK_NO_START_SERVER"] = "1"
    record(Path(sys.argv[1]))
