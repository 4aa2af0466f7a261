"""The graft plan on a page: by part, and every tensor."""

from __future__ import annotations

from voxgraft.evaluation.report.markup import Html, definitions, folded, section, table, tag
from voxgraft.graft.plan import GraftPlan


def planned(plan: GraftPlan, used: str = "speak") -> Html:
    """What became of the base; `used` is what its parameters do at inference."""
    actions = sorted({action for counts in plan.by_part.values() for action in counts})
    by_part = table(
        "Tensors by part and action",
        ["Part", *actions],
        [[part, *(counts.get(action, 0) for action in actions)] for part, counts in plan.by_part.items()],
    )
    carried = tag(
        "p",
        tag("b", f"{100 * plan.parameters_carried:.1f} %"),
        f" of the parameters that {used} come from the base. ",
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
