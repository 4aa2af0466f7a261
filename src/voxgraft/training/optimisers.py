"""Optimisers that were saved, taken up again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from torch.optim import Optimizer

# A saved optimiser brings these along; those of the settings are the ones that count.
OF_THE_SETTINGS = ("rate", "from_step")


def take_up(optimisers: Iterable[Optimizer], states: Sequence[dict[str, Any]]) -> None:
    """Load what each optimiser had learned of its gradients; learning rates stay those of the settings."""
    for optimiser, state in zip(optimisers, states, strict=True):
        settled = [{name: group[name] for name in OF_THE_SETTINGS if name in group} for group in optimiser.param_groups]
        optimiser.load_state_dict(state)
        for group, own in zip(optimiser.param_groups, settled, strict=True):
            group |= own
