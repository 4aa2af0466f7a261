"""Optimisers: how far each tensor may go in a step, and what was saved of them, taken up again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch.optim import Optimizer

from voxgraft.errors import TrainingError

# The size (root mean square) of a tensor whose rate is its part's as it is; smaller ones go less far, larger ones further.
USUAL_SIZE = 0.03
LEAST_SIZE = 1e-3

# A saved optimiser brings these along; those of the settings are the ones that count.
OF_THE_SETTINGS = ("rate", "from_step")


def take_up(optimisers: Iterable[Optimizer], states: Sequence[dict[str, Any]]) -> None:
    """Load what each optimiser had learned of its gradients; learning rates stay those of the settings.

    TrainingError for a run that an older version began, whose groups are others.
    """
    for optimiser, state in zip(optimisers, states, strict=True):
        if _layout(state) != _layout(optimiser.state_dict()):
            raise TrainingError(
                "the run's optimiser has other groups of weights than this version makes",
                expected=f"{len(optimiser.param_groups)} groups",
                got=f"{len(state['param_groups'])} groups",
                remedy="Begin a new run with the last checkpoint as its base (--base FILE).",
            )
        settled = [{name: group[name] for name in OF_THE_SETTINGS if name in group} for group in optimiser.param_groups]
        optimiser.load_state_dict(state)
        for group, own in zip(optimiser.param_groups, settled, strict=True):
            # Runs of older versions call the size a share.
            if "share" in group:
                group["size"] = group.pop("share")
            group |= own


def _layout(state: dict[str, Any]) -> list[int]:
    return [len(group["params"]) for group in state["param_groups"]]


def relative_size(tensor: torch.Tensor) -> float:
    """What a tensor's rate is multiplied by, so that a step changes small and large weights by the same share of themselves.

    Adam moves every weight about as far, whatever its size: a small share of some layers of a trained voice and a large
    one of others (Adafactor, Shazeer and Stern 2018, section 8, scales steps the same way).
    """
    size = float(tensor.detach().float().square().mean().sqrt())
    return max(size, LEAST_SIZE) / USUAL_SIZE
