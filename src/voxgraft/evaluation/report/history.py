"""History: the numbers that a run logged, grouped into curves."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

Points = list[tuple[float, float]]
NOT_CURVES = frozenset({"step", "epoch", "time", "seconds", "minutes", "timestamp", "elapsed"})


def read_history(path: Path) -> list[dict[str, object]]:
    """Rows of a metrics.jsonl; none where the file is missing. A line that a kill left half written is passed over."""
    if not path.is_file():
        return []
    rows = []
    for line in path.read_text("utf-8", errors="replace").splitlines():
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict):
            rows.append(row)
    return rows


def curves(history: Sequence[Mapping[str, object]]) -> dict[str, dict[str, Points]]:
    """Chart -> line -> (step, value). `train/mel` and `validation/mel` are two lines of the chart `mel`.

    Rows without a step, and numbers that don't change over the whole run, are left out.
    """
    charts: dict[str, dict[str, Points]] = {}
    for row in history:
        step = row.get("step")
        if isinstance(step, bool) or not isinstance(step, int | float):
            continue
        phase = next((str(row[key]) for key in ("phase", "stage", "kind") if isinstance(row.get(key), str)), "")
        for name, value in row.items():
            if name in NOT_CURVES or isinstance(value, bool) or not isinstance(value, int | float):
                continue
            line, _, chart = name.rpartition("/")
            points = charts.setdefault(chart, {}).setdefault(line or phase, [])
            points.append((float(step), float(value)))
    return {chart: lines for chart, lines in charts.items() if any(_moves(points) for points in lines.values())}


def _moves(points: Points) -> bool:
    return len({value for _, value in points if math.isfinite(value)}) > 1
