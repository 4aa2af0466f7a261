"""EveryVoice's run folders: logs_and_checkpoints/NAME/VERSION/checkpoints/{last,epoch=E-step=S}.ckpt.

A run that begins again in the same folder leaves the old `last.ckpt` where it is and writes `last-v1.ckpt`: only what
is inside a file says which is the newest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from voxgraft.checkpoints.source import CheckpointSource
from voxgraft.errors import CheckpointError

_INNER = "checkpoints"


def saves(
    folder: CheckpointSource, is_save: Callable[[Mapping[str, Any]], bool], notes: list[str]
) -> list[CheckpointSource]:
    """The checkpoints in a run's folder, or in its folder `checkpoints`; damaged ones are noted."""
    found = []
    for member in _members(folder):
        try:
            if member.torch is not None and isinstance(member.torch.content, dict) and is_save(member.torch.content):
                found.append(member)
        except CheckpointError as fault:
            notes.append(f"{member.path.name} is passed over: {fault.problem}")
    return found


def newest(found: list[CheckpointSource], notes: list[str]) -> CheckpointSource:
    """The one that was trained for most steps, by what the files say; of equals the one that was written last."""
    chosen = max(found, key=lambda save: (_counter(save, "global_step"), _counter(save, "epoch"), _written(save)))
    if len(found) > 1:
        last = next((save for save in found if save.path.name == "last.ckpt"), None)
        step = _counter(chosen, "global_step")
        stale = last is not None and _counter(last, "global_step") < step
        notes.append(
            f"{len(found)} checkpoints are in the folder: {chosen.path.name} is the newest by the step inside ({step})"
            + ("; last.ckpt is an older one" if stale else "")
        )
    return chosen


def _members(folder: CheckpointSource) -> tuple[CheckpointSource, ...]:
    inner = (member for within in folder.folders if within.path.name == _INNER for member in within.members)
    return (*folder.members, *inner)


def _counter(save: CheckpointSource, name: str) -> int:
    content = save.torch.content if save.torch else {}
    value = content.get(name)
    return value if type(value) is int else -1


def _written(save: CheckpointSource) -> int:
    return save.path.stat().st_mtime_ns
