"""Charts as inline SVG: intervals side by side, and curves over steps."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from voxgraft.evaluation.bootstrap import Interval
from voxgraft.evaluation.report.markup import Html, tag

WIDTH, HEIGHT = 320, 150
LEFT, RIGHT, TOP, BOTTOM = 46, 8, 8, 22
MOST_POINTS = 400


def whiskers(intervals: Mapping[str, Interval | None]) -> Html:
    """One line a voice: a dot at the value, a bar over its interval, all on one scale. For the eye only."""
    known = [interval for interval in intervals.values() if interval is not None]
    if not known:
        return Html("")
    low, high = min(i[1] for i in known), max(i[2] for i in known)
    span = (high - low) or 1.0
    marks = []
    for row, (role, interval) in enumerate(intervals.items()):
        if interval is None:
            continue
        value, left, right = (4 + 112 * (x - low) / span for x in interval)
        line = {"x1": f"{left:.1f}", "x2": f"{right:.1f}", "y1": 6 + 9 * row, "y2": 6 + 9 * row}
        marks.append(tag("line", attributes={**line, "class": f"bar {role}"}))
        marks.append(
            tag("circle", attributes={"cx": f"{value:.1f}", "cy": 6 + 9 * row, "r": 3.2, "class": f"dot {role}"})
        )
    height = 3 + 9 * len(intervals)
    return tag(
        "svg",
        *marks,
        attributes={"viewBox": f"0 0 120 {height}", "width": 120, "height": height, "aria-hidden": "true"},
    )


def curve(name: str, lines: Mapping[str, Sequence[tuple[float, float]]]) -> Html:
    """Lines of (step, value), each named; empty where nothing can be drawn."""
    lines = {label: _thinned(_finite(points)) for label, points in lines.items() if _finite(points)}
    if not lines:
        return Html("")
    steps = [step for points in lines.values() for step, _ in points]
    values = [value for points in lines.values() for _, value in points]
    first, last = min(steps), max(steps)
    ticks = nice_ticks(min(values), max(values))
    low, high = min(ticks[0], min(values)), max(ticks[-1], max(values))

    def across(step: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * ((step - first) / (last - first) if last > first else 0.5)

    def down(value: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (1 - (value - low) / (high - low))

    marks = [_grid(down(tick), f"{tick:.6g}") for tick in ticks]
    marks += [_step_label(across(step), step, anchor) for step, anchor in ((first, "start"), (last, "end"))]
    for number, points in enumerate(lines.values()):
        marks.append(_line([(across(step), down(value)) for step, value in points], number))
    ends = "; ".join(
        f"{label or name} from {points[0][1]:.4g} to {points[-1][1]:.4g}" for label, points in lines.items()
    )
    picture = tag(
        "svg",
        *marks,
        attributes={
            "viewBox": f"0 0 {WIDTH} {HEIGHT}",
            "role": "img",
            "aria-label": f"{name} over steps {first:g} to {last:g}: {ends}",
        },
    )
    return tag("figure", tag("figcaption", name, _legend(lines)), picture, attributes={"class": "chart"})


def nice_ticks(low: float, high: float) -> list[float]:
    """Three to six round numbers that span low to high."""
    if high <= low:
        margin = abs(low) * 0.1 or 1.0
        low, high = low - margin, high + margin
    rough = (high - low) / 4
    power = 10 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= rough)
    start = math.floor(low / step)
    return [round(step * (start + i), 12) for i in range(math.ceil(high / step) - start + 1)]


def _finite(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    return [(step, value) for step, value in points if math.isfinite(step) and math.isfinite(value)]


def _thinned(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """At most MOST_POINTS: means of neighbours, so that a long run's curve stays small."""
    if len(points) <= MOST_POINTS:
        return points
    size = math.ceil(len(points) / MOST_POINTS)
    groups = [points[start : start + size] for start in range(0, len(points), size)]
    return [(sum(s for s, _ in group) / len(group), sum(v for _, v in group) / len(group)) for group in groups]


def _grid(y: float, label: str) -> Html:
    line = tag(
        "line",
        attributes={"x1": LEFT, "x2": WIDTH - RIGHT, "y1": f"{y:.1f}", "y2": f"{y:.1f}", "class": "grid"},
    )
    written = tag("text", label, attributes={"x": LEFT - 5, "y": f"{y + 3:.1f}", "text-anchor": "end"})
    return Html(line + written)


def _step_label(x: float, step: float, anchor: str) -> Html:
    return tag("text", f"{step:g}", attributes={"x": f"{x:.1f}", "y": HEIGHT - 6, "text-anchor": anchor})


def _line(points: Sequence[tuple[float, float]], number: int) -> Html:
    style = f"series s{number % 4}"
    if len(points) == 1:
        (x, y) = points[0]
        return tag("circle", attributes={"cx": f"{x:.1f}", "cy": f"{y:.1f}", "r": 3, "class": style + " point"})
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return tag("polyline", attributes={"points": path, "class": style})


def _legend(lines: Mapping[str, object]) -> Html:
    if len(lines) < 2:
        return Html("")
    keys = [tag("span", label, attributes={"class": f"key s{number % 4}"}) for number, label in enumerate(lines)]
    return tag("span", *keys, attributes={"class": "keys"})
