"""What a project trains: what its base is; from scratch, what its settings ask for."""

from __future__ import annotations

from voxgraft.architectures.families import family_of
from voxgraft.checkpoints import Checkpoint
from voxgraft.config.run import RunConfig


def task_name(config: RunConfig, base: Checkpoint | None) -> str:
    """The task of the base's family (`voice`, `recogniser`, `text-to-spec` or `spec-to-wav`); from scratch (None) what
    the settings name, else a recogniser where they hold what only recognisers have."""
    if base is not None:
        return family_of(base.family).task
    if config.task != "auto":
        return config.task
    asked = config.recogniser.model_fields_set or config.graft.alphabet is not None or config.graft.bytes
    return "recogniser" if asked else "voice"
