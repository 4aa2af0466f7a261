"""The page of a recogniser: scores on every set of recordings, what was misheard, and how it learned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from voxgraft.evaluation.bootstrap import Interval
from voxgraft.evaluation.report.document import document
from voxgraft.evaluation.report.learning import TITLES, learning
from voxgraft.evaluation.report.markup import Html, definitions, join, section, tag
from voxgraft.evaluation.report.planned import planned
from voxgraft.evaluation.report.scoreboard import scores_table, tile
from voxgraft.evaluation.report.settings import settings
from voxgraft.evaluation.report.transcripts import MOST_UTTERANCES, HeardSet, worst_utterances
from voxgraft.evaluation.scores import METRICS
from voxgraft.files import write_atomically
from voxgraft.graft.plan import GraftPlan

ERRORS = tuple(metric for metric in METRICS if metric.name in ("cer", "wer"))
# What a recogniser's run logs, by the names that a reader knows; both losses are nats a label.
SHOWN = {"ctc": "loss", "loss": "loss", "cer": "cer", "wer": "wer"}
STEPPED = {"learning_rate": "learning_rate", "gradient_norm": "gradient_norm"}


@dataclass(frozen=True)
class RecogniserReport:
    """One page. `sets` are the recordings that base and result were tested on; `history` are rows of metrics.jsonl.

    `found` is what was said to be wrong while it learned; None where nothing was watched, as in an evaluation.
    """

    title: str
    sets: Sequence[HeardSet]
    lead: str = ""
    facts: Mapping[str, object] = field(default_factory=dict)
    history: Sequence[Mapping[str, object]] = ()
    found: Sequence[str] | None = None
    plan: GraftPlan | None = None
    config: Mapping[str, Any] = field(default_factory=dict)
    provenance: Mapping[str, object] = field(default_factory=dict)


def write_recogniser_report(path: str | Path, report: RecogniserReport) -> Path:
    """Write the page whole or not at all; returns where it is."""
    path = Path(path)
    write_atomically(path, render_recogniser(report))
    return path


def render_recogniser(report: RecogniserReport) -> str:
    """The page as one self-contained HTML document; of the second set and on half as many utterances are shown."""
    shown = [MOST_UTTERANCES // (1 if place == 0 else 2) for place in range(len(report.sets))]
    sections = [
        section("scores", "Scores", *(_scores(heard) for heard in report.sets)),
        _found(report.found),
        *(worst_utterances(heard, most) for heard, most in zip(report.sets, shown, strict=True)),
        learning(readable(report.history), TITLES | {"loss": "Loss, nats a label"}),
        planned(report.plan, "listen") if report.plan else Html(""),
        settings(report.config),
        section("provenance", "Provenance and licences", definitions(report.provenance)),
    ]
    return document(report.title, report.lead, [_tiles(report.sets), definitions(report.facts)], sections)


def readable(history: Sequence[Mapping[str, object]]) -> list[dict[str, object]]:
    """Rows of metrics.jsonl with what a reader can use, the loss of training and of dev under one name."""
    rows = []
    for row in history:
        names = SHOWN | (STEPPED if row.get("kind") == "train" else {})
        kept = {names[name]: value for name, value in row.items() if name in names}
        rows.append({"step": row.get("step"), "kind": "dev" if row.get("kind") == "validation" else "train"} | kept)
    return rows


def _scores(heard: HeardSet) -> Html:
    count = len(heard.judged.rows)
    scores = {role: hearing.scores for role, hearing in heard.hearings.items()}
    notes = tag("ul", *(tag("li", note) for note in heard.notes), attributes={"class": "notes"})
    caption = f"{count} {'utterance' if count == 1 else 'utterances'}; intervals: 95 % bootstrap over utterances"
    return join(
        [
            tag("h3", heard.title),
            tag("p", heard.about),
            scores_table(caption, scores, ERRORS),
            notes if heard.notes else "",
        ]
    )


def _tiles(sets: Sequence[HeardSet]) -> Html:
    made = []
    for heard in sets:
        before = heard.hearings.get("base")
        for name, title in (("wer", "WER"), ("cer", "CER")):
            value, was = heard.judged.interval(name), before.interval(name) if before is not None else None
            if value is not None:
                made.append(tile(f"{title}, {heard.title}", _percent(value), f"base {_percent(was)}" if was else ""))
    return tag("div", *made, attributes={"class": "tiles"}) if made else Html("")


def _found(found: Sequence[str] | None) -> Html:
    if found is None:
        return Html("")
    nothing = tag("p", "Nothing: neither blank collapse, plateau, exploding loss nor too long a warm-up.")
    return section(
        "diagnosis",
        "What went wrong while it learned",
        tag("ul", *(tag("li", line) for line in found)) if found else nothing,
    )


def _percent(interval: Interval) -> str:
    return f"{100 * interval[0]:.1f} %"
