"""What the state of a torch optimizer records: how many steps it took and at which rate."""

from __future__ import annotations

from typing import Any

from voxgraft.checkpoints.containers.torch.tensor import TorchTensor


def steps_of(state: object) -> int | None:
    """Steps taken, as Adam and its kin count them for each parameter; None where nothing counted."""
    entries = state.get("state") if isinstance(state, dict) else None
    if not isinstance(entries, dict):
        return None
    counted = (_whole(entry.get("step")) for entry in entries.values() if isinstance(entry, dict))
    return max((steps for steps in counted if steps is not None), default=None)


def rate_of(state: object) -> float | None:
    """The learning rate in use, of the first group of parameters."""
    groups = state.get("param_groups") if isinstance(state, dict) else None
    first = groups[0] if isinstance(groups, list) and groups else None
    rate = first.get("lr") if isinstance(first, dict) else None
    return float(rate) if isinstance(rate, int | float) and 0 <= rate < 1e6 else None


def _whole(value: Any) -> int | None:
    """A count, stored as a number or, by newer versions of torch, as a tensor of one."""
    if isinstance(value, TorchTensor) and value.numel == 1:
        value = value.load().item()
    if isinstance(value, int | float) and 0 <= value < 2**53:
        return int(value)
    return None
