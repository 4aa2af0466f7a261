"""Differences between what was said and what was heard, word by word, or letter by letter where no spaces part words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from voxgraft.evaluation.metrics.transcript import normalise_transcript
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
    costs = [list(range(len(got) + 1))]
    for row, one in enumerate(wanted, 1):
        above, line = costs[-1], [row]
        for column, other in enumerate(got, 1):
            line.append(min(above[column] + 1, line[-1] + 1, above[column - 1] + (one != other)))
        costs.append(line)
    steps: list[Step] = []
    row, column = len(wanted), len(got)
    while row or column:
        cost = costs[row][column]
        differ = bool(row and column) and wanted[row - 1] != got[column - 1]
        if row and column and cost == costs[row - 1][column - 1] + differ:
            row, column = row - 1, column - 1
            steps.append(Step("wrong" if differ else "same", said[row], heard[column]))
        elif row and cost == costs[row - 1][column] + 1:
            row -= 1
            steps.append(Step("missing", said[row], None))
        else:
            column -= 1
            steps.append(Step("extra", None, heard[column]))
    return steps[::-1]


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
