"""`voxgraft lm`: a language model for `transcribe`, from text."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from voxgraft.cli.output import print_json
from voxgraft.progress import notice


def lm(
    texts: Annotated[list[Path], typer.Argument(help="Text files, a sentence a line; gzipped ones too.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="The ARPA file to write.")] = Path("lm.arpa"),
    order: Annotated[int, typer.Option(help="Words of the longest n-grams.")] = 3,
    prune: Annotated[
        str, typer.Option(help="Drop n-grams seen so often or less, a number an order: `0 0 1` drops single trigrams.")
    ] = "0",
    as_is: Annotated[
        bool, typer.Option("--as-is", help="Take words as they stand; by default small letters without punctuation.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Build an n-gram language model (modified Kneser–Ney) from text."""
    from voxgraft.lm.arpa import write_arpa
    from voxgraft.lm.estimate import estimate
    from voxgraft.lm.running_text import read_sentences
    from voxgraft.progress import track

    thresholds = _thresholds(prune)
    model = estimate(track(read_sentences(texts, as_is=as_is), "Reading"), order, thresholds)
    write_arpa(model, out)
    counts = [len(keys) for keys in model.trie.keys]
    each = ", ".join(f"{count} of {size}" for size, count in enumerate(counts, 1))
    notice(f"{out}: n-grams of {order} words at most ({each})")
    if as_json:
        print_json({"lm": str(out), "order": order, "ngrams": counts, "words": len(model.vocabulary)})


def _thresholds(prune: str) -> tuple[int, ...]:
    parts = prune.replace(",", " ").split()
    if not all(part.isdecimal() for part in parts):
        raise typer.BadParameter(f"expected numbers such as `0 0 1`, got {prune!r}", param_hint="--prune")
    return tuple(map(int, parts))
