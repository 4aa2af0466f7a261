"""Bins of pitch and energy that follow the new corpus: the vectors of the base's bins move along with their values."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from voxgraft.checkpoints import Checkpoint
from voxgraft.graft.plan import GraftPlan, Row
from voxgraft.graft.rules import rules_of


def with_bins(plan: GraftPlan, vectors: str, old: np.ndarray, new: np.ndarray) -> GraftPlan:
    """The plan in which each bin starts with the vector that the base has for the values in it.

    `vectors` names the table, a row a bin; `old` and `new` are the bounds between the bins of the base and of the target, a
    row fewer, ascending. What was learned of a pitch stays with that pitch, whatever its bin is called now.
    """
    rows = tuple(_moved(row, old, new) if row.target == vectors and row.action == "copy" else row for row in plan.rows)
    return replace(plan, rows=rows)


def as_the_base_has_them(plan: GraftPlan, base: Checkpoint | None) -> GraftPlan:
    """The plan for a network whose corpus is not known yet: what follows its statistics is copied from the base."""
    names = rules_of(plan.family).of_the_corpus
    if base is None:
        return plan
    return replace(plan, rows=tuple(_copied(row, base) if row.target in names else row for row in plan.rows))


def _copied(row: Row, base: Checkpoint) -> Row:
    name = str(row.target)
    if base.shapes.get(name) != row.target_shape:
        return row
    return Row("copy", name, name, row.target_shape, row.target_shape, row.part, "as the base has it: no corpus yet")


def _moved(row: Row, old: np.ndarray, new: np.ndarray) -> Row:
    if np.allclose(old, new):
        return row
    middle = np.concatenate([new[:1], (new[:-1] + new[1:]) / 2, [np.nextafter(new[-1], np.inf)]])
    found = {here: int(there) for here, there in enumerate(np.searchsorted(old, middle, side="left"))}
    reason = f"rows follow the bins' values, which follow the new corpus' statistics ({new[0]:.2f} to {new[-1]:.2f})"
    return replace(row, action="remap", rows=found, near={}, fill="mean", axis=0, reason=reason)
