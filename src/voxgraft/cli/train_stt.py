"""`voxgraft train-stt`: train a recogniser with the flags of Coqui STT's trainer, and test what came out."""

from __future__ import annotations

from typing import Annotated

import typer

HELP = """Train a recogniser with the flags of Coqui STT's trainer; dashes or underscores both.

Fine-tune: --checkpoint_dir DIR --train_files A.csv --dev_files B.csv --test_files C.csv

Transfer: --drop_source_layers 1 --alphabet_config_path alphabet.txt --save_checkpoint_dir NEW --load_checkpoint_dir BASE
and the files.

More: --bytes_output_mode --n_hidden --epochs --learning_rate --dropout_rate --train_batch_size --augment --early_stop
--reduce_lr_on_plateau --automatic_mixed_precision --load_cudnn --train_cudnn. Whatever the folders, the new model is tested at
the end, greedily, next to its base; --source_test_files E.csv tests both in the base's language too, which shows what was
forgotten. What is loaded is never written to.
"""


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


@app.command("train-stt", help=HELP, context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def train_stt(
    context: typer.Context,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", "--skip_bad", help="Leave out recordings that can't be used, and say so.")
    ] = False,
    follow_links: Annotated[
        bool,
        typer.Option(
            "--follow-links/--no-follow-links",
            "--follow_links/--no_follow_links",
            help="Also read recordings outside of the folders of their CSV files.",
        ),
    ] = True,
    resume: Annotated[bool, typer.Option(help="Go on with the last run in the folder to save in.")] = False,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Change a setting: training.device=cpu.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print WER and CER as JSON.")] = False,
) -> None:
    """Train a recogniser with the flags of Coqui STT's trainer, test it and print WER and CER."""
    from voxgraft.cli.train import show_run
    from voxgraft.training.tasks.ctc.coqui_stt import train_stt as run

    told = {"corpus.skip_bad": skip_bad, "corpus.follow_links": follow_links}
    changes = [*(f"{name}={str(value).lower()}" for name, value in told.items()), *(settings or ())]
    show_run(run(context.args, changes, resume=resume), json)
