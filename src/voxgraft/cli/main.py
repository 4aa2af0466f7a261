"""The `voxgraft` command: one file a verb, each only parses and calls the public API."""

from __future__ import annotations

import os
import sys

import typer

from voxgraft.errors import VoxgraftError

app = typer.Typer(
    name="voxgraft",
    help="Bootstrap speech models from pre-trained checkpoints.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback(invoke_without_command=True)
def options(
    context: typer.Context,
    version: bool = typer.Option(False, "--version", help="Print the version and exit."),
) -> None:
    """Bootstrap speech models from pre-trained checkpoints."""
    if version:
        from voxgraft import __version__

        typer.echo(__version__)
        raise typer.Exit


def main() -> None:
    """Run the command; a user's mistake ends in one clear line and the remedy, never in a traceback."""
    try:
        app()
    except VoxgraftError as fault:
        print(f"error: {fault.summary}", file=sys.stderr)
        print(f"  {fault.remedy}", file=sys.stderr)
        if os.environ.get("VOXGRAFT_TRACEBACK"):
            raise
        sys.exit(1)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
