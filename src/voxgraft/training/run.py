"""train: one run, from a project's settings to the best voice. Read it top down."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voxgraft.config.load import dump_config, load_config
from voxgraft.config.run import RunConfig
from voxgraft.errors import TrainingError
from voxgraft.progress import notice
from voxgraft.training.callbacks.keeping import Keeping
from voxgraft.training.callbacks.records import Records
from voxgraft.training.callbacks.showing import Showing
from voxgraft.training.callbacks.validation import Best, Validation
from voxgraft.training.state import all_checkpoints, load

if TYPE_CHECKING:
    from voxgraft.training.setup import Started
    from voxgraft.training.vits import VitsTraining


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

    Raises:
        VoxgraftError: settings, corpus, base or disk are not in order; what is on disk stays as it was.
    """
    folder = run_folder(config)
    return _resumed(folder) if resume else _begun(config, folder)


def run_folder(config: RunConfig) -> Path:
    """Where a run lives: OUTPUT/runs/NAME."""
    return Path(config.output) / "runs" / config.name


def _begun(config: RunConfig, folder: Path) -> RunResult:
    from voxgraft.training.setup import begin

    if (folder / "config.yaml").exists():
        raise TrainingError(
            "there is a run of this name already",
            file=folder,
            remedy="go on with it (--resume), or give the new one another name (--set name=…)",
        )
    started = begin(config)
    (folder / "checkpoints").mkdir(parents=True, exist_ok=True)
    dump_config(started.config, folder / "config.yaml")
    assert started.plan is not None
    started.plan.write(folder / "plan.json")
    return _fit(started, folder, None)


def _resumed(folder: Path) -> RunResult:
    from voxgraft.training.setup import take_up

    if not (folder / "config.yaml").exists():
        raise TrainingError("there is no such run", file=folder, remedy="begin it without --resume")
    checkpoints = all_checkpoints(folder / "checkpoints")
    config = load_config(folder / "config.yaml")
    if not checkpoints:
        notice("the run was stopped before its first checkpoint: it begins again")
        (folder / "config.yaml").rename(folder / "config.before.yaml")
        return _begun(config, folder)
    content = load(checkpoints[-1])
    notice(f"going on from {checkpoints[-1].name}")
    return _fit(take_up(config, checkpoints[-1], content), folder, content)


def _fit(started: Started, folder: Path, content: dict[str, Any] | None) -> RunResult:
    from voxgraft.training.feed import feed
    from voxgraft.training.trainer import make_trainer

    module, settings = started.module, started.config.training
    records = Records(folder, module.step)
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
        folder / "checkpoints",
        lambda: started.checkpoint(validation.state_dict()),
        minutes=settings.checkpoint_minutes,
        keep=settings.keep,
        budget_gb=settings.disk_budget_gb,
    )
    trainer = make_trainer(settings, folder, [records, validation, keeping, Showing()])
    if module.step < module.steps:
        trainer.fit(module, feed(started.examples, started.cutting, started.config, module.step, module.steps))
    return _result(folder, module, validation, keeping)


def _result(folder: Path, module: VitsTraining, validation: Validation, keeping: Keeping) -> RunResult:
    best = validation.best
    if keeping.interrupted:
        notice(f"stopped at step {module.step} of {module.steps}; go on with `voxgraft train --resume`")
    elif best is not None and not best.eligible:
        notice(
            f"no voice was understood as well as the base: the one exported is the best understood, CER {100 * (best.cer or 0):.1f} %; "
            "train longer, with more recordings, or check their transcripts"
        )
    return RunResult(folder, best, module.step, module.steps, finished=not keeping.interrupted)
