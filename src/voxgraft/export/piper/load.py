"""load_vits: a checkpoint as the model that it is, ready to be exported."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from voxgraft.checkpoints.checkpoint import Checkpoint
from voxgraft.errors import ExportError, MissingExtra

if TYPE_CHECKING:
    import torch

    from voxgraft.models.vits import Vits


@dataclass(frozen=True)
class Loaded:
    """The model, and the names of its tensors that the checkpoint lacks: those hold nothing learned."""

    model: Vits
    absent: frozenset[str]

    @property
    def tensors(self) -> dict[str, torch.Tensor]:
        """What the checkpoint does hold, under canonical names."""
        return {name: tensor for name, tensor in self.model.state_dict().items() if name not in self.absent}


def load_vits(checkpoint: Checkpoint) -> Loaded:
    """Build the model of a checkpoint through a graft plan onto itself.

    Raises ExportError where anything that speaks is missing, or the family is no VITS.
    """
    try:
        import torch  # noqa: F401
    except ImportError as fault:
        raise MissingExtra("torch", "train", "exporting a voice") from fault
    from voxgraft.architectures.families.vits import FAMILY
    from voxgraft.graft.apply import apply_plan, build
    from voxgraft.graft.make import make_plan
    from voxgraft.graft.target import target_like

    path = checkpoint.provenance.path
    if checkpoint.family != "vits":
        raise ExportError(
            "only VITS voices can be exported to Piper",
            file=path,
            field="family",
            expected="vits",
            got=checkpoint.family,
            remedy="Give a checkpoint of Piper or of a voxgraft run.",
        )
    obstacle = checkpoint.network_obstacle
    if obstacle is not None:
        raise ExportError(
            obstacle.why,
            file=path,
            field=obstacle.field,
            remedy=obstacle.remedy,
        )
    target = target_like(checkpoint)
    plan = make_plan(checkpoint, target)
    absent = {row.target: row.part for row in plan.rows if row.action == "init" and row.target is not None}
    silent = sorted(name for name, part in absent.items() if part in FAMILY.speaking_parts)
    if silent:
        raise ExportError(
            f"{len(silent)} tensors that the voice speaks with are missing",
            file=path,
            field=silent[0],
            remedy="The file is incomplete: fetch it again or take another checkpoint.",
        )
    model = build(target, seed=0)
    apply_plan(plan, checkpoint, model)
    return Loaded(model.eval(), frozenset(absent))  # type: ignore[arg-type]
