"""Which task a run is: what its base is, or what its settings ask for."""

from __future__ import annotations

from voxgraft.architectures.families import family_of
from voxgraft.config.own_settings import require_own_settings
from voxgraft.config.run import RunConfig
from voxgraft.errors import ConfigError
from voxgraft.library.pick import AUTO
from voxgraft.library.resolve import resolve
from voxgraft.project.project import FROM_SCRATCH, open_base, require_trainable

AUTO_TASK = "auto"
# Tasks that a base of one of our families decides.
BY_BASE = ("voice", "recogniser", "acoustic", "vocoder")


def settled_task(config: RunConfig) -> RunConfig:
    """The same settings with task and base settled: what `auto` picks now, and what that is.

    ConfigError where the base is of another task than the settings ask for, GraftError where nothing trains its family.
    """
    settled = _with_task(config)
    require_own_settings(settled, settled.task)
    return settled


def _with_task(config: RunConfig) -> RunConfig:
    if config.task not in (AUTO_TASK, *BY_BASE):
        return config
    asked = config.recogniser.model_fields_set or config.graft.alphabet is not None or config.graft.bytes
    if config.base == FROM_SCRATCH and config.task in ("acoustic", "vocoder"):
        return config
    if config.base == FROM_SCRATCH or (config.base in (None, AUTO) and config.task == "recogniser"):
        task = "recogniser" if asked or config.task == "recogniser" else "voice"
        return config.model_copy(update={"task": task if config.task == AUTO_TASK else config.task})
    config = with_picked_base(config)
    base = open_base(config)
    require_trainable(base)
    assert base is not None
    family = family_of(base.family)
    if config.task not in (AUTO_TASK, family.task):
        raise ConfigError(
            "the base is of another kind",
            field="task",
            expected=family.task,
            got=config.task,
            remedy=f"{family.title} is a {family.task}: leave the setting out, or take another base.",
        )
    return config.model_copy(update={"task": family.task})


def with_picked_base(config: RunConfig) -> RunConfig:
    """The same settings with the base that `auto` picks now, so that the run's own settings name it."""
    if config.base not in (None, AUTO):
        return config
    return config.model_copy(update={"base": str(resolve(AUTO, config))})
