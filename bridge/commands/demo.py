"""`continuo demo`: hear, see and measure a continuation without any other program."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import click

from bridge.commands import options

CLIPS = ("pop", "waltz")


@click.command(short_help="hear it: continue a clip through the real daemon")
@click.option(
    "--clip", metavar="NAME|F.mid", default=CLIPS[0], show_default=True, help=f"One of {', '.join(CLIPS)}, or a file."
)
@click.option("--bars", type=click.IntRange(1, 64), default=8, show_default=True, help="How many bars to add.")
@click.option(
    "--out", "out_dir", type=options.WritableDir, default="demo-out", show_default=True, help="Where files go."
)
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), help="Same seed, same music.  [default: a new one]")
@options.model
@options.device
@options.midi
@options.as_json
def demo(
    clip: str, bars: int, out_dir: Path, seed: int | None, model: str, device: str, midi: str, as_json: bool
) -> None:
    """Start the daemon, send it a clip over UDP and show its continuation arriving.

    Leaves continuation.mid (prompt and continuation), .wav, .png, demo.json and daemon.log in --out.
    """
    from rich.console import Console

    from bridge.commands.generate import read_prompt
    from bridge.demo import DemoOrder, run_demo

    path = find_clip(clip)
    arguments = ["--model", model, "--device", device, "--midi", midi]
    order = DemoOrder(
        path.stem, read_prompt(path), path.read_bytes(), bars, out_dir, -1 if seed is None else seed, arguments
    )
    report = run_demo(order, Console(stderr=as_json, highlight=False))
    if as_json:
        options.echo_json(report)
    else:
        _echo_report(report)


def find_clip(name: str) -> Path:
    """The file of a shipped clip, or the file named.

    Raises:
        click.BadParameter: neither is there.
    """
    shipped = Path(str(files("bridge"))) / "clips" / f"{name}.mid"
    path = shipped if name in CLIPS else Path(name)
    if not path.is_file():
        raise click.BadParameter(f"“{name}” is neither {' nor '.join(CLIPS)} nor a file.", param_hint="--clip")
    return path


def _echo_report(report: dict[str, object]) -> None:
    latency, paths = report["latency"], report["files"]
    assert isinstance(latency, dict) and isinstance(paths, dict)
    click.echo(f"{report['notes']} notes in {report['bars']} bars, seed {report['seed']}.")
    click.echo("  ".join(f"{name} {value:g}" for name, value in latency.items()))
    for kind, path in paths.items():
        click.echo(f"{kind:8} {path}")
