"""Options that several commands share, each defined once."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import click

from bridge.controls import BY_NAME

Command = TypeVar("Command", bound=Callable[..., object])
DEFAULT_MODEL = "flagship"
DEVICES = ("auto", "cpu", "cuda", "mps")
MIDI_SYSTEMS = ("auto", "jack", "alsa", "coremidi", "none")

ReadableFile = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)
ReadableDir = click.Path(exists=True, file_okay=False, readable=True, path_type=Path)
WritableFile = click.Path(dir_okay=False, writable=True, path_type=Path)
WritableDir = click.Path(file_okay=False, writable=True, path_type=Path)

as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")
model = click.option(
    "--model",
    metavar="NAME|PATH",
    default=DEFAULT_MODEL,
    show_default=True,
    help="A model's name (see `continuo models`) or a .safetensors file with its card.",
)
device = click.option(
    "--device", type=click.Choice(DEVICES), default="auto", show_default=True, help="Where it computes."
)
midi = click.option(
    "--midi",
    type=click.Choice(MIDI_SYSTEMS),
    default="auto",
    show_default=True,
    help="MIDI system for the output port.",
)

SAMPLING = ("temperature", "top_p", "top_k", "density")
"""Controls of the wire that a command takes too, with the same range, default and meaning."""


def sampling(command: Command) -> Command:
    """Add an option for each of `SAMPLING`."""
    for name in reversed(SAMPLING):
        control = BY_NAME[name]
        kind = click.FloatRange if isinstance(control.default, float) else click.IntRange
        flag = "--" + name.replace("_", "-")
        reach = kind(control.low, control.high)  # type: ignore[arg-type]
        command = click.option(flag, type=reach, default=control.default, show_default=True, help=control.meaning)(
            command
        )
    return command


def echo_json(report: Mapping[str, object]) -> None:
    """One JSON document on one line, keys in the order they were made."""
    click.echo(json.dumps(report))
