"""`continuo models`: what can be played with, told without loading any of it."""

from __future__ import annotations

from typing import Any

import click

from bridge.commands import options


@click.command(short_help="list the models")
@options.as_json
def models(as_json: bool) -> None:
    """List the models that ship with weights, with size, what they are and the controls they heed."""
    from models import registry

    listed: list[dict[str, Any]] = []
    for name in registry.names():
        entry, weights = registry.ENTRIES[name], registry.weights_of(name)
        listed.append(
            {
                "name": name,
                "summary": entry.summary,
                "parameters": registry.card(weights).get("parameters"),
                "megabytes": round(weights.stat().st_size / 1e6, 1),
                "controls": sorted(entry.controls),
            }
        )
    if as_json:
        options.echo_json({"models": listed, "default": options.DEFAULT_MODEL})
        return
    for each in listed:
        click.echo(f"{each['name']}  {each['parameters']:,} parameters, {each['megabytes']} MB: {each['summary']}")
        click.echo(f"  heeds {', '.join(each['controls'])}")
    if not listed:
        click.echo(f"No model is installed: {registry.WEIGHTS} holds no weights; install Continuo again, or train one.")
