"""`continuo models`: what can be played with, told without loading any of it."""

from __future__ import annotations

from dataclasses import asdict

import click

from bridge.commands import options


@click.command(short_help="list the models")
@options.as_json
def models(as_json: bool) -> None:
    """List the models by name, with size, paper and the controls they heed."""
    from models import registry

    entries = registry.entries()
