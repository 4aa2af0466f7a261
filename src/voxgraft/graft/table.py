"""A graft plan as the rows of a table: by part with reasons, or tensor by tensor."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from voxgraft.architectures.families import family_of
from voxgraft.graft.plan import GraftPlan, Row
from voxgraft.graft.rules.rules import WHY_FOLDED, WHY_OTHER_SHAPE
from voxgraft.graft.state import told_state

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
    """The plan in sentences: what is carried, what is counted apart, symbols, speakers, state, frozen parts."""
    lines = [f"{plan.parameters_carried:.1%} of the parameters that {_used(plan)} come from the base"]
    lines += [f"apart from these: {told}" for told in [", ".join(_apart(plan))] if told]
    symbols = plan.symbols
    if symbols.new or symbols.dropped:
        lines.append(
            f"symbols: {len(symbols.mapped)} keep their rows, {len(symbols.new)} new{_names(symbols.new)}, "
            f"{len(symbols.dropped)} dropped{_names(symbols.dropped)}"
        )
    elif symbols.mapped:
        lines.append(f"symbols: all {len(symbols.mapped)} keep their rows")
    if symbols.near:
        lines.append(f"starting from neighbours: {_neighbours(symbols.near)}")
    for what, names in (("speakers", plan.speakers), ("languages", plan.languages)):
        if len(names) > 1:
            starts = (f"{here} from {there}" if there and there != here else here for here, there in names.items())
            lines.append(f"{what}: {', '.join(starts)}")
    if plan.frozen:
        lines.append(f"frozen: {', '.join(plan.frozen)}")
    lines.append(told_state(plan.state))
    return lines


def _used(plan: GraftPlan) -> str:
    return {"voice": "speak", "recogniser": "listen"}.get(family_of(plan.family).task, "work at inference")


def _apart(plan: GraftPlan) -> list[str]:
    """Parts that are not used at inference, with their sizes."""
    family = family_of(plan.family)
    told = [f"{family.title_of(part)} {size:,} recovered" for part, size in plan.recovered.items()]
    sizes = {word: size for word, size in plan.discriminators.items() if size}
    if sizes:
        told.append("discriminators " + " and ".join(f"{size:,} {word}" for word, size in sizes.items()))
    return told


def _neighbours(near: Mapping[str, Mapping[str, float]]) -> str:
    shown = [f"{symbol} ← {' '.join(found)}" for symbol, found in list(near.items())[:8]]
    return "; ".join(shown) + (f"; and {len(near) - 8} more" if len(near) > 8 else "")


def _short_reason(row: Row) -> str:
    # Each tensor names its own layer or shape; in a summary they are one reason.
    if row.action == "fold":
        return WHY_FOLDED
    return WHY_OTHER_SHAPE if row.reason.startswith(WHY_OTHER_SHAPE) else row.reason


def _size(row: Row) -> int:
    return math.prod(row.target_shape or row.source_shape or ())


def _names(names: Sequence[str]) -> str:
    shown = " ".join(name if name.isprintable() else ascii(name) for name in names[:12]) + (
        " …" if len(names) > 12 else ""
    )
    return f" ({shown})" if names else ""
