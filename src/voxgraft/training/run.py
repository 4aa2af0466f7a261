"""train: one run, from a project's settings to the best voice. Read it top down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from voxgraft.config.load import dump_config, load_config
from voxgraft.config.run import RunConfig
from voxgraft.errors import TrainingError
from voxgraft.progress import notice
from voxgraft.training.callbacks.keeping import Keeping
from voxgraft.training.callbacks.records import Records
from voxgraft.training.callbacks.showing import Showing
from voxgraft.training.callbacks.validation import Best, Validation
from voxgraft.training.processes import is_one_of_many, run_together, signals_handled
from voxgraft.training.state import checkpoint_name, full_disk_explained, newest, save

if TYPE_CHECKING:
    from voxgraft.training.setup import Started

CONFIG = "config.yaml"
CHECKPOINTS = "checkpoints"


@dataclass(frozen=True)
class RunResult:
    """What came out: the run's folder, its best validation (None before the first), and whether it is done."""

    folder: Path
    best: Best | None
    step: int
    steps: int
    finished: bool

    @property
    def voice(self) -> Path | None:
        """The best voice, exported."""
        return Path(self.best.voice) if self.best and self.best.voice else None


def train(config: RunConfig, *, resume: bool = False) -> RunResult:
    """Graft, recover what is missing, train, validate, export the best voice; or go on with the run that was stopped.

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
            return _begin(config, folder)
        _tell_what_differs(config, _config_of(folder))
        return go_on(folder)


def run_folder(config: RunConfig) -> Path:
    """Where a run lives: OUTPUT/runs/NAME."""
    return Path(config.output) / "runs" / config.name


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
    from voxgraft.training.setup import take_up

    if content["global_step"]:
        notice(f"going on from {path.name}")
    return _fit(take_up(config, path, content), folder, content)


def _begin(config: RunConfig, folder: Path) -> RunResult:
    from voxgraft.training.setup import begin

    started = begin(config)
    (folder / CHECKPOINTS).mkdir(parents=True, exist_ok=True)
    dump_config(started.config, folder / CONFIG)
    assert started.plan is not None
    started.plan.write(folder / "plan.json")
    if started.config.training.devices == 1:
        return _fit(started, folder, None)
    # What one process has prepared, all take up.
    content = started.checkpoint(Validation.fresh_state())
    save(folder / CHECKPOINTS / checkpoint_name(0, 0), content)
    return _by_processes(started.config, folder)


def _by_processes(config: RunConfig, folder: Path) -> RunResult:
    run_together(folder, config.training.devices)
    found = newest(folder / CHECKPOINTS)
    assert found is not None
    _, content = found
    state = content["voxgraft_run"]
    best = Best(**state["validation"]["best"]) if state["validation"]["best"] else None
    stopped = state["step"] < state["steps"] and state["validation"]["waited"] < config.training.patience
    return RunResult(folder, best, state["step"], state["steps"], finished=not stopped)


def _config_of(folder: Path) -> RunConfig:
    """As the run began; its folder is where it is now, should the project have been moved."""
    config = load_config(folder / CONFIG)
    return config.model_copy(update={"output": str(folder.parent.parent), "name": folder.name})


def _fit(started: Started, folder: Path, content: dict[str, Any] | None) -> RunResult:
    from voxgraft.training.feed import feed
    from voxgraft.training.trainer import make_trainer

    module, settings = started.module, started.config.training
    records = Records(folder)
    validation = Validation(
        folder,
        records,
        every=settings.validate_every,
        patience=settings.patience,
        assess=started.assess,
        keep_best=started.keep_best,
        sample_rate=module.spec.sample_rate,
    )
    if content is not None:
        validation.load_state_dict(content["voxgraft_run"]["validation"])
    keeping = Keeping(
        folder / CHECKPOINTS,
        lambda: started.checkpoint(validation.state_dict()),
        minutes=settings.checkpoint_minutes,
        keep=settings.keep,
        budget_gb=settings.disk_budget_gb,
    )
    if module.step < module.steps and not validation.exhausted:
        trainer = make_trainer(settings, folder, [records, validation, keeping, Showing()])
        trainer.fit(module, feed(started.examples, started.cutting, started.config, module.step, module.steps))
    if keeping.interrupted:
        notice(f"stopped at step {module.step} of {module.steps}; go on with `voxgraft train --resume`")
    elif validation.best is not None:
        _tell_of(validation.best)
    return RunResult(folder, validation.best, module.step, module.steps, finished=not keeping.interrupted)


def _tell_of(best: Best) -> None:
    if not best.eligible:
        notice(
            f"no voice was understood as well as the base on sentences unlike the recordings: the one exported comes nearest, "
            f"CER {100 * (best.cer or 0):.1f} %; more recordings help most, then longer training"
        )


def _tell_what_differs(asked: RunConfig, kept: RunConfig) -> None:
    """A run goes on as it began: settings that were asked for since are not used, and that is said."""
    now, was, default = (_flat(yaml.safe_load(dump_config(config))) for config in (asked, kept, RunConfig()))
    decided = {"output"} | ({"training.steps"} if asked.training.minutes is not None else set())
    differing = [
        f"{name} is {was[name]}, not {value}"
        for name, value in now.items()
        if value not in (was[name], default[name]) and name not in decided
    ]
    if differing:
        notice(f"the run goes on with the settings that it began with: {'; '.join(differing)}")


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in values.items():
        flat |= _flat(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {prefix + name: value}
    return flat
