"""The `voxgraft` command: one file a verb, each only parses and calls the public API."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from importlib import import_module
from typing import NoReturn

import typer
from typer.core import TyperCommand, TyperGroup

from voxgraft.cli.output import prepare_streams, tell_replaced
from voxgraft.cli.system_errors import explained
from voxgraft.errors import VoxgraftError

# verb -> (module:function or module:Typer, its line in --help). Loaded only when it is called, so that help stays fast.
VERBS: dict[str, tuple[str, str]] = {
    "align": ("voxgraft.cli.align:align", "Find when each word is said, and texts that don't fit their recordings."),
    "corpus": ("voxgraft.cli.corpus:app", "Import, check and export recordings with their transcripts."),
    "demo": ("voxgraft.cli.demo:demo", "Graft a published voice onto five minutes of speech, and compare."),
    "evaluate": ("voxgraft.cli.evaluate:evaluate", "Judge a voice or a recogniser next to its base."),
    "export": (
        "voxgraft.cli.export:export",
        "Write a voice for Piper, a voice pack, or a checkpoint for Piper's trainer.",
    ),
    "library": (
        "voxgraft.cli.library:app",
        "Keep bases by language, voice type and quality; fetch, add and pick them.",
    ),
    "inspect": ("voxgraft.cli.inspect:inspect", "Say what a checkpoint is, what it holds and what it lacks."),
    "lm": ("voxgraft.cli.lm:lm", "Build a language model for a recogniser from text."),
    "match": ("voxgraft.cli.match:match", "Fit a vocoder to the spectrograms of a text-to-spec model."),
    "new": ("voxgraft.cli.new:new", "Make a project: a folder with its settings and corpus."),
    "plan": ("voxgraft.cli.plan:plan", "Say what becomes of every tensor of the base, without training."),
    "train": (
        "voxgraft.cli.train:app",
        "Train a voice or a recogniser from a base; the best so far is kept at once.",
    ),
    "train-stt": (
        "voxgraft.cli.train_stt:app",
        "Train a recogniser with the flags of Coqui STT's trainer, and test it.",
    ),
    "synthesize": (
        "voxgraft.cli.synthesize:app",
        "Synthesise many texts: sound, spectrograms, TextGrids, read-alongs.",
    ),
    "text": ("voxgraft.cli.text:text", "Show what becomes of a text: normalised, phonemes, ids."),
    "transcribe": ("voxgraft.cli.transcribe:transcribe", "Write down what is said in recordings, with subtitles."),
    "say": ("voxgraft.cli.say:say", "Speak a text with any voice, or with a text-to-spec model and its vocoder."),
}


class VerbGroup(TyperGroup):
    """A command group that imports a verb's module only when the verb is called."""

    def list_commands(self, ctx: typer.Context) -> list[str]:
        """All verbs, in the table's order."""
        return list(VERBS)

    def get_command(self, ctx: typer.Context, cmd_name: str) -> TyperCommand | TyperGroup | None:
        """Import one verb; None where there is no such verb."""
        return load_verb(cmd_name) if cmd_name in VERBS else None

    def resolve_command(self, ctx: typer.Context, args: list[str]):
        """As in the parent, whose suggestions for a misspelt verb come from `commands`."""
        for verb, (_, line) in VERBS.items():
            self.commands.setdefault(verb, TyperCommand(verb, short_help=line))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: typer.Context, formatter) -> None:
        """The list of verbs, from the table alone."""
        with formatter.section("Commands"):
            formatter.write_dl([(verb, line) for verb, (_, line) in VERBS.items()])


def load_verb(verb: str) -> TyperCommand | TyperGroup:
    """The command behind a verb, imported now."""
    module, _, name = VERBS[verb][0].partition(":")
    target = getattr(import_module(module), name)
    if not isinstance(target, typer.Typer):
        function = target
        target = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
        target.command(verb)(function)
    return typer.main.get_command(target)


app = typer.Typer(
    name="voxgraft",
    cls=VerbGroup,
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

        print(__version__)
        raise typer.Exit


def main() -> None:
    """Run the command; a user's mistake ends in one clear line and the remedy, never in a traceback."""
    prepare_streams()
    try:
        try:
            app()
        finally:
            # Here rather than when Python ends, where a full disk would end in a traceback.
            sys.stdout.flush()
            tell_replaced()
    except VoxgraftError as fault:
        _stop(fault, fault)
    except BrokenPipeError:
        # Whoever read our output has read enough, as `head` does.
        _stop(None, None)
    except MemoryError as fault:
        remedy = "Close other programs, or use a machine with more memory."
        _stop(VoxgraftError("there is not enough memory", remedy=remedy), fault)
    except OSError as fault:
        _stop(explained(fault) or _ours(fault), fault)
    except Exception as fault:
        _stop(_ours(fault), fault)


def _ours(fault: Exception) -> VoxgraftError:
    return VoxgraftError(
        f"a fault of voxgraft itself: {type(fault).__name__}: {str(fault)[:300]}",
        remedy="Please report it, with what VOXGRAFT_TRACEBACK=1 before the command prints.",
    )


def _stop(said: VoxgraftError | None, cause: Exception | None) -> NoReturn:
    """Say what is wrong and end with 1, whatever has become of the streams."""
    with suppress(OSError, ValueError):
        if said is not None:
            print(f"error: {said.summary}\n  {said.remedy}", file=sys.stderr, flush=True)
    if cause is not None and os.environ.get("VOXGRAFT_TRACEBACK"):
        raise cause
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            # What is still to be written can't be: Python shall not try again.
            with suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    sys.exit(1)
