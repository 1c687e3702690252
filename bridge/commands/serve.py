"""`continuo serve`: settings from a file and from flags, then the daemon."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from threading import Thread

import click

from bridge.commands import options


@click.command(short_help="run the daemon")
@click.option("--config", "config_path", type=options.ReadableFile, help="Settings as YAML; flags override them.")
@click.option("--model", metavar="NAME|PATH", help="A name (see `continuo models`) or a .safetensors file.")
@click.option("--device", type=click.Choice(options.DEVICES), help="Where it computes.  [default: auto]")
@click.option("--osc-host", metavar="ADDRESS", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--osc-port", type=click.IntRange(0, 65535), help="UDP port to listen on.  [default: 7401]")
@click.option(
    "--midi", type=click.Choice(options.MIDI_SYSTEMS), help="MIDI system of the output port.  [default: auto]"
)
@click.option("--midi-port", "existing_port", metavar="NAME", help="Open this existing port instead of a virtual one.")
@click.option("--record", type=options.WritableFile, metavar="F.mid", help="Keep what is played in this MIDI file.")
@click.option("--stop-at-eof", is_flag=True, hidden=True, help="End when standard input does.")
def serve(config_path: Path | None, stop_at_eof: bool, **flags: object) -> None:
    """Run the daemon until Ctrl-C or SIGTERM.

    It listens for OSC on UDP and plays into a virtual MIDI port named Continuo.
    """
    from bridge import config
    from bridge.daemon import Daemon

    given = {name: value for name, value in flags.items() if value is not None}
    settings = config.load(config_path, given) if config_path else config.from_mapping(given, "the command line")
    if stop_at_eof:
        Thread(target=_stop_at_eof, name="stop-at-eof", daemon=True).start()
    Daemon(settings).run()


def _stop_at_eof() -> None:
    """Wait until whoever started this process is gone, then end it in order."""
    while os.read(sys.stdin.fileno(), 4096):  # not sys.stdin.read: its lock, held here, would abort the shutdown
        pass
    signal.raise_signal(signal.SIGTERM)
