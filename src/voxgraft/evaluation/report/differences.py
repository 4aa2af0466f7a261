"""Differences between what was said and what was heard, word by word, or letter by letter where no spaces part words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from voxgraft.evaluation.metrics.transcript import edits, normalise_transcript
from voxgraft.evaluation.report.markup import Html, join, tag

Kind = Literal["same", "wrong", "missing", "extra"]
# Words or letters of either text: what comes after them is left out.
MOST_TOKENS = 300


class Step(NamedTuple):
    """One step of an alignment: what was said, what was heard; None where there is nothing on that side."""

    kind: Kind
    said: str | None
    heard: str | None


def aligned(said: Sequence[str], heard: Sequence[str]) -> list[Step]:
    """The shortest way from one sequence to the other; tokens that score alike are the same."""
    wanted, got = [normalise_transcript(token) for token in said], [normalise_transcript(token) for token in heard]
    steps: list[Step] = []
    for kind, first, last, start, end in edits(wanted, got).as_opcodes():
        if kind in ("equal", "replace"):
            both = zip(said[first:last], heard[start:end], strict=True)
            steps += [Step("same" if kind == "equal" else "wrong", *pair) for pair in both]
        elif kind == "delete":
            steps += [Step("missing", word, None) for word in said[first:last]]
        else:
            steps += [Step("extra", None, word) for word in heard[start:end]]
    return steps


def marked(said: str, heard: str) -> Html:
    """What was heard, with what is wrong, missing and too much marked in it."""
    parted = " " in said.strip()
    both = [text.split() if parted else list("".join(text.split())) for text in (said, heard)]
    more = " …" if max(map(len, both)) > MOST_TOKENS else ""
    steps = aligned(*(tokens[:MOST_TOKENS] for tokens in both))
    pieces: list[object] = [_piece(step) for step in steps]
    if parted:
        pieces = [part for piece in pieces for part in (" ", piece)][1:]
    return join([*pieces, more])


def _piece(step: Step) -> Html:
    if step.kind == "missing":
        return tag("del", step.said)
    if step.kind == "extra":
        return tag("ins", step.heard)
    if step.kind == "wrong":
        return tag("mark", step.heard, attributes={"title": f"said: {step.said}"})
    return join([step.heard])
