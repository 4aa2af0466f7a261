"""Learning curves of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from voxgraft.evaluation.report.charts import curve
from voxgraft.evaluation.report.history import curves
from voxgraft.evaluation.report.markup import Html, section, tag
from voxgraft.evaluation.scores import METRICS

TITLES: Mapping[str, str] = {metric.name: metric.title for metric in METRICS}


def learning(history: Sequence[Mapping[str, object]], titles: Mapping[str, str] = TITLES) -> Html:
    """A chart for each number that was logged; nothing where there are none."""
    charts = [curve(titles.get(name, name.replace("_", " ")), lines) for name, lines in curves(history).items()]
    return section(
        "learning", "Learning curves", tag("div", *charts, attributes={"class": "charts"}) if any(charts) else ""
    )
