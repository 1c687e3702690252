"""The command `continuo`: which commands there are, and what their failures look like.

Each command lives in a module of its own in `bridge.commands`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from bridge import __version__
from bridge.errors import ContinuoError
from bridge.importer import load_object

CANNOT_START = 3  # exit code; 2 is wrong usage, and click's own
INTERRUPTED = 130

COMMANDS = {
    "demo": "hear it: continue a clip through the real daemon",
    "serve": "run the daemon",
    "generate": "continue a MIDI file",
    "doctor": "find what is wrong on this machine, with the cure",
    "models": "list the models",
    "bench": "measure this machine",
    "train": "train a model",
    "evaluate": "bits per note on music a model has not seen, beside a baseline",
}


class CommandTable(click.Group):
    """Loads a command's module only when that command runs: `continuo doctor` must answer at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order a newcomer needs them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, or None where there is no such name."""
        if cmd_name not in COMMANDS:
            return None
        command = load_object(f"bridge.commands.{cmd_name}:{cmd_name}")
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list in `continuo --help`, from the table alone."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(cls=CommandTable, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="continuo")
def cli() -> None:
    """Continue your clip: a music generator that stays in memory and answers in time.

    Exit codes: 0 done, 2 wrong usage, 3 cannot start, 130 interrupted.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and leave the process with its exit code."""
    try:
        code = cli.main(arguments, prog_name="continuo", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except (KeyboardInterrupt, click.Abort):
        code = INTERRUPTED
    except ContinuoError as error:
        click.echo(f"continuo: {error}", err=True)
        code = CANNOT_START
    except OSError as error:
        click.echo(
            f"continuo: {error.strerror or error}: {error.filename or 'a file'}; check the path and try again", err=True
        )
        code = CANNOT_START
    sys.exit(code)
