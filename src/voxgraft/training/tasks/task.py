"""What a run trains: a voice or a recogniser."""

from __future__ import annotations

from voxgraft.architectures.families import family_of
from voxgraft.config.own_settings import require_own_settings
from voxgraft.config.run import RunConfig
from voxgraft.errors import ConfigError
from voxgraft.library.pick import AUTO
from voxgraft.project.project import FROM_SCRATCH, open_base


def with_task(config: RunConfig) -> RunConfig:
    """The same settings with the task settled: what the base is; from scratch, what only recognisers have decides.

    ConfigError where the base is of the other kind.
    """
    asked = config.recogniser.model_fields_set or config.graft.alphabet is not None or config.graft.bytes
    if config.base == FROM_SCRATCH or (config.base in (None, AUTO) and config.task != "recogniser"):
        task = ("recogniser" if asked else "voice") if config.task == "auto" else config.task
        require_own_settings(config, task)
        return config.model_copy(update={"task": task})
    base = open_base(config)
    assert base is not None
    family = family_of(base.family)
    found = "recogniser" if family.task == "recogniser" else "voice"
    if config.task not in ("auto", found):
        raise ConfigError(
            "the base is of another kind",
            field="task",
            expected=found,
            got=config.task,
            remedy=f"{family.title} is a {found}: leave the setting out, or take another base",
        )
    require_own_settings(config, found)
    return config.model_copy(update={"task": found})
