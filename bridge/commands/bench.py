"""`continuo bench`: figures of this machine, for people and then for programs."""

from __future__ import annotations

import platform

import click

from bridge import __version__
from bridge.commands import options


@click.command(short_help="measure this machine")
@options.model
@options.device
@options.as_json
def bench(model: str, device: str, as_json: bool) -> None:
    """Measure model, MIDI port, daemon and command line; takes a minute or two.

    The last line is one JSON document, with --json the only one.
    """
    from bridge.bench import run_bench

    figures: dict[str, float] = {}
    for group, found in run_bench(model, device):
        if not as_json:
            click.echo(group)
            for name, value in found.items():
                click.echo(f"  {name:24} {value:>12,.1f}")
        prefix = "" if group in ("model", "port") else group.replace(" ", "_") + "_"
        figures |= {f"{prefix}{name}": value for name, value in found.items()}
    machine = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    options.echo_json({"version": __version__, "model": model, "device": device, "machine": machine, **figures})
