"""The page: sections in order, style and content in one file that loads nothing from anywhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from voxgraft.evaluation.report.charts import curve
from voxgraft.evaluation.report.contents import Report
from voxgraft.evaluation.report.history import curves
from voxgraft.evaluation.report.listening import listening
from voxgraft.evaluation.report.markup import Html, definitions, folded, join, section, table, tag
from voxgraft.evaluation.report.scoreboard import scoreboard, tiles
from voxgraft.evaluation.scores import METRICS
from voxgraft.files import write_atomically
from voxgraft.graft.plan import GraftPlan

# Nothing on the page may run or load, whatever a transcript says.
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; media-src data:; base-uri 'none'; form-action 'none'"
)
MOST_FINDINGS = 200


def write_report(path: str | Path, report: Report) -> Path:
    """Write the page whole or not at all; returns where it is."""
    path = Path(path)
    write_atomically(path, render(report))
    return path


def render(report: Report) -> str:
    """The page as one self-contained HTML document."""
    parts = [
        scoreboard(report.comparison),
        listening(report.comparison, report.language),
        _learning(report),
        _plan(report.plan) if report.plan else Html(""),
        _corpus(report),
        _settings(report),
        section("provenance", "Provenance and licences", definitions(report.provenance)),
        section("notes", "Notes", tag("ul", *(tag("li", note) for note in report.notes)) if report.notes else ""),
    ]
    body = tag(
        "body",
        tag("header", tag("h1", report.title), _lead(report.lead), tiles(report.comparison), definitions(report.facts)),
        tag("main", *parts),
        tag("footer", tag("p", report.made_by or _made_by())),
    )
    style = Html((files("voxgraft.evaluation.report") / "style.css").read_text("utf-8"))
    head = tag(
        "head",
        tag("meta", attributes={"charset": "utf-8"}),
        tag("meta", attributes={"http-equiv": "Content-Security-Policy", "content": POLICY}),
        tag("meta", attributes={"name": "viewport", "content": "width=device-width, initial-scale=1"}),
        tag("meta", attributes={"name": "color-scheme", "content": "light dark"}),
        tag("title", report.title),
        tag("style", style),
    )
    return "<!doctype html>\n" + tag("html", head, body, attributes={"lang": "en"}) + "\n"


def _made_by() -> str:
    from voxgraft import __version__

    return f"Made by voxgraft {__version__}."


def _lead(lead: str) -> Html:
    return join(tag("p", paragraph, attributes={"class": "lead"}) for paragraph in lead.split("\n\n") if paragraph)


def _learning(report: Report) -> Html:
    charts = [curve(_curve_title(name), lines) for name, lines in curves(report.history).items()]
    return section(
        "learning", "Learning curves", tag("div", *charts, attributes={"class": "charts"}) if any(charts) else ""
    )


def _curve_title(name: str) -> str:
    titles = {metric.name: metric.title for metric in METRICS}
    return titles.get(name, name.replace("_", " "))


def _plan(plan: GraftPlan) -> Html:
    actions = sorted({action for counts in plan.by_part.values() for action in counts})
    by_part = table(
        "Tensors by part and action",
        ["Part", *actions],
        [[part, *(counts.get(action, 0) for action in actions)] for part, counts in plan.by_part.items()],
    )
    carried = tag(
        "p",
        tag("b", f"{100 * plan.parameters_carried:.1f} %"),
        " of the parameters that speak come from the base. ",
        ", ".join(f"{count} {action}" for action, count in plan.counts.items()),
        ".",
    )
    symbols = {
        "Symbols kept": len(plan.symbols.mapped),
        "New symbols": " ".join(plan.symbols.new) or "none",
        "Symbols dropped": " ".join(plan.symbols.dropped) or "none",
    }
    rows = [
        [
            row.target or row.source,
            row.action,
            row.source,
            _shape(row.source_shape),
            _shape(row.target_shape),
            row.reason,
        ]
        for row in plan.rows
    ]
    every = folded(
        f"Every tensor ({len(rows)})",
        table("Every tensor", ["Tensor", "Action", "Source", "Was", "Is", "Reason"], rows),
    )
    warnings = tag("ul", *(tag("li", warning) for warning in (*plan.refusals, *plan.warnings)))
    return section("plan", "Graft plan", carried, by_part, definitions(symbols), warnings, every)


def _shape(shape: tuple[int, ...] | None) -> str | None:
    return None if shape is None else " × ".join(map(str, shape)) or "scalar"


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


def _settings(report: Report) -> Html:
    if not report.config:
        return Html("")
    import yaml

    written = yaml.safe_dump(_plain(report.config), sort_keys=False, allow_unicode=True)
    return section("settings", "Settings", folded("The resolved configuration", tag("pre", tag("code", written))))


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)
