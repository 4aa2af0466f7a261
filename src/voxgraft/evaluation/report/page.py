"""The page of a voice: its sections in order."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from voxgraft.evaluation.report.contents import Report
from voxgraft.evaluation.report.document import document
from voxgraft.evaluation.report.learning import learning
from voxgraft.evaluation.report.listening import listening
from voxgraft.evaluation.report.markup import Html, definitions, folded, section, table, tag
from voxgraft.evaluation.report.planned import planned
from voxgraft.evaluation.report.scoreboard import scoreboard, tiles
from voxgraft.evaluation.report.settings import settings
from voxgraft.files import write_atomically

MOST_FINDINGS = 200


def write_report(path: str | Path, report: Report) -> Path:
    """Write the page whole or not at all; returns where it is."""
    path = Path(path)
    write_atomically(path, render(report))
    return path


def render(report: Report) -> str:
    """The page as one self-contained HTML document."""
    sections = [
        scoreboard(report.comparison),
        listening(report.comparison, report.language),
        learning(report.history),
        planned(report.plan) if report.plan else Html(""),
        _corpus(report),
        settings(report.config),
        section("provenance", "Provenance and licences", definitions(report.provenance)),
        section("notes", "Notes", tag("ul", *(tag("li", note) for note in report.notes)) if report.notes else ""),
    ]
    header = [tiles(report.comparison), definitions(report.facts)]
    return document(report.title, report.lead, header, sections, report.made_by)


def _corpus(report: Report) -> Html:
    if not report.corpus and not report.findings:
        return Html("")
    kinds = Counter(finding.kind for finding in report.findings)
    found = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common()) or "nothing to mend"
    rows = [[f.clip, f.kind, f.detail, f.remedy] for f in report.findings[:MOST_FINDINGS]]
    listed = (
        folded(f"Findings ({len(report.findings)})", table("Findings", ["Clip", "Kind", "Detail", "Remedy"], rows))
        if rows
        else Html("")
    )
    return section("corpus", "Corpus", definitions(report.corpus), tag("p", "The check found: ", found, "."), listed)
