"""A graft plan as the rows of a table: by part with reasons, or tensor by tensor."""

from __future__ import annotations

import math
from collections.abc import Sequence

from voxgraft.graft.plan import GraftPlan, Row
from voxgraft.graft.rules import vits

SUMMARY_COLUMNS = ("part", "action", "tensors", "parameters", "why")
TENSOR_COLUMNS = ("tensor", "action", "from", "shape", "why")


def summary(plan: GraftPlan) -> list[tuple[str, ...]]:
    """One line for each part, action and reason, in the order of the parts; differing reasons of folds are joined."""
    groups: dict[tuple[str, str, str], list[Row]] = {}
    for part in plan.by_part:
        for row in plan.rows:
            if row.part == part:
                groups.setdefault((part, row.action, _short_reason(row)), []).append(row)
    return [
        (part, action, str(len(rows)), f"{sum(_size(row) for row in rows):,}", reason)
        for (part, action, reason), rows in groups.items()
    ]


def every_tensor(plan: GraftPlan) -> list[tuple[str, ...]]:
    """One line for each row of the plan."""
    return [
        (
            row.target or "-",
            row.action,
            "" if row.source == row.target else row.source or "",
            "×".join(map(str, row.target_shape or row.source_shape or ())),
            row.reason,
        )
        for row in plan.rows
    ]


def verdict(plan: GraftPlan) -> list[str]:
    """The plan in sentences: what is carried, symbols, speakers."""
    lines = [f"{plan.parameters_carried:.1%} of the parameters that speak come from the base"]
    symbols = plan.symbols
    if symbols.new or symbols.dropped:
        lines.append(
            f"symbols: {len(symbols.mapped)} keep their rows, {len(symbols.new)} new{_names(symbols.new)}, "
            f"{len(symbols.dropped)} dropped{_names(symbols.dropped)}"
        )
    else:
        lines.append(f"symbols: all {len(symbols.mapped)} keep their rows")
    if len(plan.speakers) > 1:
        starts = (f"{here} from {there}" if there and there != here else here for here, there in plan.speakers.items())
        lines.append(f"speakers: {', '.join(starts)}")
    return lines


def _short_reason(row: Row) -> str:
    # Each tensor names its own layer or shape; in a summary they are one reason.
    if row.action == "fold":
        return vits.WHY_FOLDED
    return vits.WHY_OTHER_SHAPE if row.reason.startswith(vits.WHY_OTHER_SHAPE) else row.reason


def _size(row: Row) -> int:
    return math.prod(row.target_shape or row.source_shape or ())


def _names(names: Sequence[str]) -> str:
    shown = " ".join(names[:12]) + (" …" if len(names) > 12 else "")
    return f" ({shown})" if names else ""
