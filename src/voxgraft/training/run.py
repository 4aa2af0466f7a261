"""train: one run, from a project's settings to the best voice or recogniser. Read it top down."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from voxgraft.config.run import RunConfig
from voxgraft.config.run_file import load_run_config, write_run_config
from voxgraft.errors import TrainingError
from voxgraft.progress import notice
from voxgraft.training.loop.callbacks.keeping import Keeping
from voxgraft.training.loop.callbacks.records import Records
from voxgraft.training.loop.callbacks.showing import Showing
from voxgraft.training.loop.callbacks.validation import Best, Validation
from voxgraft.training.loop.checkpoints import checkpoint_name, full_disk_explained, newest, run_folder, save
from voxgraft.training.loop.processes import is_one_of_many, run_together, signals_handled
from voxgraft.training.tasks.task import with_task

if TYPE_CHECKING:
    from voxgraft.training.tasks.ctc.setup import Started as StartedRecogniser
    from voxgraft.training.tasks.ctc.testing import Tested
    from voxgraft.training.tasks.vits.setup import Started

CONFIG = "config.yaml"
CHECKPOINTS = "checkpoints"


@dataclass(frozen=True)
class RunResult:
    """What came out: the run's folder, its best validation (None before the first), and whether it is done.

    `tested` is how a recogniser did on recordings set aside for that.
    """

    folder: Path
    best: Best | None
    step: int
    steps: int
    finished: bool
    tested: Tested | None = None

    @property
    def voice(self) -> Path | None:
        """The best voice, exported; of a recogniser its weights."""
        return Path(self.best.voice) if self.best and self.best.voice else None


def train(config: RunConfig, *, resume: bool = False) -> RunResult:
    """Graft, recover what is missing, train, validate, keep the best; or go on with the run that was stopped.

    The best voice is exported at once; the best recogniser is tested at the end.

    Ctrl-C and SIGTERM save and return early, with `finished` False. A run that goes on has the settings that it began with.

    Raises:
        VoxgraftError: settings, corpus, base or disk are not in order; what is on disk stays as it was.
    """
    folder = run_folder(config)
    exists = (folder / CONFIG).exists()
    if exists and not resume:
        raise TrainingError(
            "there is a run of this name already",
            file=folder,
            remedy="go on with it (--resume), or give the new one another name (--set name=…)",
        )
    if resume and not exists:
        raise TrainingError("there is no such run", file=folder, remedy="begin it without --resume")
    with full_disk_explained(folder), signals_handled():
        if not resume:
            return _begin(with_task(config), folder)
        _tell_what_differs(config, _config_of(folder))
        return go_on(folder)


def go_on(folder: Path) -> RunResult:
    """Go on with the run in a folder from its last checkpoint that can be read; from its beginning where there is none."""
    config = _config_of(folder)
    found = newest(folder / CHECKPOINTS)
    if found is None:
        notice("the run was stopped before its first checkpoint: it begins again")
        return _begin(config, folder)
    path, content = found
    if config.training.devices > 1 and not is_one_of_many():
        return _by_processes(config, folder)
    if content["global_step"]:
        notice(f"going on from {path.name}")
    return _fit(_setup(config).take_up(config, path, content), folder, content["voxgraft_run"]["validation"])


def _setup(config: RunConfig) -> ModuleType:
    """How a run of this task is set up; a run from before there were recognisers is a voice's."""
    if config.task == "recogniser":
        from voxgraft.training.tasks.ctc import setup as recogniser

        return recogniser
    from voxgraft.training.tasks.vits import setup as voice

    return voice


def _begin(config: RunConfig, folder: Path) -> RunResult:
    started = _setup(config).begin(config)
    (folder / CHECKPOINTS).mkdir(parents=True, exist_ok=True)
    write_run_config(started.config, folder / CONFIG)
    assert started.plan is not None
    started.plan.write(folder / "plan.json")
    state = Validation.fresh_state()
    if started.config.task == "recogniser":
        # The best is never worse than the graft that the run begins with.
        validation = _validation(started, folder, Records(folder), state)
        validation.validate(started.module)
        state = validation.state_dict()
    if started.config.training.devices == 1:
        return _fit(started, folder, state)
    # What one process has prepared, all take up.
    save(folder / CHECKPOINTS / checkpoint_name(0, 0), started.checkpoint(state))
    return _by_processes(started.config, folder)


def _by_processes(config: RunConfig, folder: Path) -> RunResult:
    run_together(folder, config.training.devices)
    found = newest(folder / CHECKPOINTS)
    assert found is not None
    _, content = found
    state = content["voxgraft_run"]
    best = Best(**state["validation"]["best"]) if state["validation"]["best"] else None
    stopped = state["step"] < state["steps"] and state["validation"]["waited"] < config.training.patience
    return RunResult(
        folder, best, state["step"], state["steps"], finished=not stopped, tested=_read_test(config, folder)
    )


def _read_test(config: RunConfig, folder: Path) -> Tested | None:
    if config.task != "recogniser":
        return None
    from voxgraft.training.tasks.ctc.testing import read_test

    return read_test(folder)


def _config_of(folder: Path) -> RunConfig:
    """As the run began; its folder is where it is now, should the project have been moved."""
    config = load_run_config(folder / CONFIG)
    return config.model_copy(update={"output": str(folder.parent.parent), "name": folder.name})


def _validation(
    started: Started | StartedRecogniser, folder: Path, records: Records, state: dict[str, Any]
) -> Validation:
    settings = started.config.training
    validation = Validation(
        folder,
        records,
        started.network,
        every=settings.validate_every,
        patience=settings.patience,
        assess=started.assess,
        keep_best=started.keep_best,
        sample_rate=started.sample_rate,
        heed=started.heed,
    )
    validation.load_state_dict(state)
    return validation


def _fit(started: Started | StartedRecogniser, folder: Path, state: dict[str, Any]) -> RunResult:
    from voxgraft.training.loop.trainer import make_trainer

    module, settings = started.module, started.config.training
    records = Records(folder)
    validation = _validation(started, folder, records, state)
    keeping = Keeping(
        folder / CHECKPOINTS,
        lambda: started.checkpoint(validation.state_dict()),
        minutes=settings.checkpoint_minutes,
        keep=settings.keep,
        budget_gb=settings.disk_budget_gb,
    )
    if module.step < module.steps and not validation.exhausted:
        trainer = make_trainer(settings, folder, [records, validation, keeping, Showing()])
        trainer.fit(module, started.feed())
    tested = None
    if keeping.interrupted:
        notice(f"stopped at step {module.step} of {module.steps}; go on with `voxgraft train --resume`")
    elif os.environ.get("VOXGRAFT_PROCESS", "0") == "0":
        tested = started.finish(validation.best)
    return RunResult(folder, validation.best, module.step, module.steps, not keeping.interrupted, tested)


def _tell_what_differs(asked: RunConfig, kept: RunConfig) -> None:
    """A run goes on as it began: settings that were asked for since are not used, and that is said."""
    now, was, default = (_flat(config.model_dump(mode="json")) for config in (asked, kept, RunConfig()))
    decided = {"output"} | ({"training.steps"} if asked.training.minutes is not None else set())
    differing = [
        f"{name} is {was.get(name)}, not {value}"
        for name, value in now.items()
        if value not in (was.get(name), default.get(name)) and name not in decided
    ]
    if differing:
        notice(f"the run goes on with the settings that it began with: {'; '.join(differing)}")


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in values.items():
        flat |= _flat(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {prefix + name: value}
    return flat
