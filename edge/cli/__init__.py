"""The front door: commands, exit codes, tables, progress."""

from __future__ import annotations

import importlib
import logging
import sys
from collections.abc import Sequence
from typing import Any

import click

from edge import __version__
from edge.core.errors import EdgeError
from edge.core.fitness import refuse_unfit_system

# command -> (module, function): imported when it is called, so that each command starts with what it needs alone.
_COMMANDS = {
    "run": ("edge.cli.run", "run"),
    "publish": ("edge.cli.publish", "publish"),
    "check": ("edge.cli.check", "check"),
    "doctor": ("edge.cli.doctor", "doctor"),
    "install": ("edge.cli.install", "install"),
    "uninstall": ("edge.cli.install", "uninstall"),
    "detect": ("edge.cli.detect", "detect"),
    "bench": ("edge.cli.bench", "bench"),
    "eval": ("edge.cli.evaluate", "evaluate"),
    "models": ("edge.cli.models", "models"),
    "provision": ("edge.cli.provision", "provision"),
    "track": ("edge.cli.track", "track"),
    "replay": ("edge.cli.replay", "replay"),
    "watch": ("edge.cli.watch", "watch"),
}


class _Commands(click.Group):
    """A group that imports a command when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        module, function = _COMMANDS[cmd_name]
        command: click.Command = getattr(importlib.import_module(module), function)
        return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="edge")
@click.option("-v", "--verbose", count=True, help="Tell more on standard error; -vv tells all.")
def cli(verbose: int) -> None:
    """Detect objects on the camera itself and tell an MQTT broker."""
    level = [logging.WARNING, logging.INFO, logging.DEBUG][min(verbose, 2)]
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command; end with its exit code. An error a person can mend is one line, never a traceback."""
    refuse_unfit_system()
    try:
        result: Any = cli.main(args=arguments, prog_name="edge", standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("edge: interrupted", err=True)
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except EdgeError as error:
        click.echo(f"edge: {error}", err=True)
        sys.exit(error.exit_code)
    sys.exit(result if isinstance(result, int) else 0)
