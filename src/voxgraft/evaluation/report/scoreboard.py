"""The table of scores, and the figures at the top of the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from voxgraft.evaluation.bootstrap import Interval
from voxgraft.evaluation.compare import Comparison
from voxgraft.evaluation.report.charts import whiskers
from voxgraft.evaluation.report.markup import Html, join, section, table, tag, text
from voxgraft.evaluation.scores import METRICS, Metric, Scores, change

ROLES = {"base": "Base", "result": "Result", "recordings": "Recordings"}
HEADLINES = ("mel_distance", "mr_stft", "speaker_similarity", "cer", "dnsmos")


def metrics_of(scores: Mapping[str, Scores]) -> tuple[Metric, ...]:
    """What the roles are measured with: all with the same."""
    return next((found.metrics for found in scores.values()), METRICS)


def amount(metric: Metric, value: float, *, signed: bool = False) -> str:
    """A value as people read it: `7.2 %`, `0.71`, `512 cents`."""
    number = f"{value * metric.factor:{'+' if signed else ''}.{metric.digits}f}"
    return f"{number} {metric.unit}".rstrip().replace("-", "−")


def interval_cell(metric: Metric, interval: Interval | None, *, signed: bool = False) -> Html:
    """The value, and its interval in small print."""
    if interval is None:
        return tag("span", "–", attributes={"class": "none", "title": "not measured"})
    value, low, high = interval
    form = f"{'+' if signed else ''}.{metric.digits}f"
    between = f"{low * metric.factor:{form}} … {high * metric.factor:{form}}".replace("-", "−")
    return join([tag("b", amount(metric, value, signed=signed)), " ", tag("small", between)])


def scoreboard(comparison: Comparison) -> Html:
    """Scores of every voice, side by side."""
    count, seeds = len(comparison.held_out), len(comparison.seeds)
    caption = f"{count} held-out {'text' if count == 1 else 'texts'}, {seeds} {'synthesis' if seeds == 1 else 'syntheses'} of each"
    measured = metrics_of(comparison.scores)
    titles = {metric.name: metric.title for metric in measured}
    absent = [
        tag("li", tag("b", titles.get(name, name)), " was not measured: ", reason)
        for name, reason in comparison.absent.items()
    ]
    notes = [tag("li", note) for note in comparison.notes]
    return section(
        "scores",
        "Scores",
        scores_table(caption, comparison.scores, measured),
        tag("ul", *absent, *notes, attributes={"class": "notes"}),
    )


def scores_table(caption: str, scores: Mapping[str, Scores], metrics: Sequence[Metric] = METRICS) -> Html:
    """A row a metric and a column a role; base and result are compared text by text."""
    roles = [role for role in ROLES if role in scores]
    roles += [role for role in scores if role not in ROLES]
    summaries = {role: scores[role].summary() for role in roles}
    changes = change(scores["base"], scores["result"]) if {"base", "result"} <= set(scores) else None
    rows = []
    for metric in metrics:
        intervals = {role: summaries[role][metric.name] for role in roles}
        cells: list[object] = [interval_cell(metric, interval) for interval in intervals.values()]
        if changes:
            cells.append(_change_cell(metric, changes[metric.name]))
        rows.append([_metric_head(metric), *cells, whiskers(intervals)])
    columns = ["Measure", *(_role_head(role) for role in roles), *(["Change"] if changes else []), "At a glance"]
    return table(caption, columns, rows)


def tiles(comparison: Comparison) -> Html:
    """The few numbers that matter most, from base to result."""
    before, after, real = (comparison.summary(role) for role in ("base", "result", "recordings"))
    if after is None:
        return Html("")
    by_name = {metric.name: metric for metric in metrics_of(comparison.scores)}
    made = []
    for metric in (by_name[name] for name in HEADLINES if name in by_name):
        value = after[metric.name]
        if value is None:
            continue
        was = before[metric.name] if before else None
        best = real[metric.name] if real else None
        made.append(
            tile(
                metric.title,
                amount(metric, value[0]),
                f"base {amount(metric, was[0])}" if was else "",
                f"recordings {amount(metric, best[0])}" if best else "",
            )
        )
    return tag("div", *made, attributes={"class": "tiles"})


def tile(what: str, value: str, *lines: str) -> Html:
    """One number, what it is above it and what it is held against below."""
    below = [tag("span", line) for line in lines]
    head = tag("span", what, attributes={"class": "what"})
    return tag("div", head, tag("strong", value), *below, attributes={"class": "tile"})


def _metric_head(metric: Metric) -> Html:
    arrow = "higher is better" if metric.better == "higher" else "lower is better"
    return join([text(metric.title), tag("small", f"{metric.meaning}; {arrow}")])


def _role_head(role: str) -> Html:
    return tag("span", ROLES.get(role, role), attributes={"class": f"role {role}"})


def _change_cell(metric: Metric, interval: Interval | None) -> Html:
    """Better or worse only where the interval leaves no change outside."""
    if interval is None:
        return interval_cell(metric, None)
    _, low, high = interval
    verdict = "unclear" if high > low or low else "none"
    if low > 0 or high < 0:
        verdict = "better" if (low > 0) == (metric.better == "higher") else "worse"
    return tag(
        "span",
        interval_cell(metric, interval, signed=True),
        " ",
        tag("em", "no change" if verdict == "none" else verdict),
        attributes={"class": verdict},
    )
