"""What is said of a graft before a run begins with it, whatever the task."""

from __future__ import annotations

from voxgraft.checkpoints import Checkpoint
from voxgraft.graft.plan import GraftPlan
from voxgraft.graft.table import summary, verdict
from voxgraft.progress import notice


def notice_plan(plan: GraftPlan, base: Checkpoint | None) -> None:
    """The plan's summary, a line a part and action, and what it comes to."""
    notice(f"graft plan, from {base.provenance.path.name if base is not None else 'nothing (from scratch)'}:")
    for part, action, tensors, parameters, why in summary(plan):
        notice(f"  {part:<17} {action:<9} {tensors:>4} tensors {parameters:>11} parameters  {why}")
    for line in [*verdict(plan), *(f"warning: {warning}" for warning in plan.warnings)]:
        notice(f"  {line}")
