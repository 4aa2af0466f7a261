"""Graft: a base, what is to become of it, and the plan that leads there."""

from __future__ import annotations

from dataclasses import dataclass

from voxgraft.checkpoints import Checkpoint
from voxgraft.graft.plan import GraftPlan
from voxgraft.graft.target import Target


@dataclass(frozen=True)
class Graft:
    """What a run starts from; `base` is None where it starts from scratch."""

    base: Checkpoint | None
    target: Target
    plan: GraftPlan
