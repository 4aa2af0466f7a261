"""train: one run of any task, from a project's settings to the best that came of it. Read it top down."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from voxgraft.config.run import RunConfig
from voxgraft.config.run_file import load_run_config, write_run_config
from voxgraft.errors import TrainingError
from voxgraft.progress import notice
from voxgraft.project.run_folder import RunFolder, checkpoint_name, run_folder
from voxgraft.training.loop.bests import Bests
from voxgraft.training.loop.checkpoints import content_of, full_disk_explained, newest, save
from voxgraft.training.loop.device import choose_device
from voxgraft.training.loop.fit import fit
from voxgraft.training.loop.optimisers import take_up
from voxgraft.training.loop.processes import Processes, counts, failures_told, launch
from voxgraft.training.loop.records import Records
from voxgraft.training.loop.resume import require_same_corpus, with_obeyed, write_asked
from voxgraft.training.loop.validation import Best, Validation
from voxgraft.training.tasks.settle import settled_task
from voxgraft.training.tasks.task import Outcome, Training, task_of


@dataclass(frozen=True)
class RunResult:
    """What came out: the run's folder, its best validation (None before the first), whether it is done, and the task's own.

    `speaks` is whether this process is the one that tells of it: of several, only the first.
    """

    folder: Path
    best: Best | None
    step: int
    steps: int
    finished: bool
    outcome: Outcome
    speaks: bool = True

    @property
    def voice(self) -> Path | None:
        """What was exported of the best: a voice, or a recogniser."""
        return self.outcome.files.get("exported")


def train(config: RunConfig, *, resume: bool = False) -> RunResult:
    """Graft, train, validate, keep and export the best; or go on with the run that was stopped, or for longer.

    With several devices or machines, each process runs this: Fabric starts those that are not there yet by running the
    program again. Ctrl-C and SIGTERM save and return early, with `finished` False.

    Raises:
        VoxgraftError: settings, corpus, base or disk are not in order; what is on disk stays as it was.
    """
    folder = run_folder(config)
    processes = launch(config.training)
    with failures_told(processes, folder.path), full_disk_explained(folder.path), _alone_in(folder, processes):
        if processes.is_first:
            _require(folder, exists=resume)
        if resume:
            processes.gather(None)
            return _go_on(folder, processes, config)
        return _begin(config, folder, processes)


def _require(folder: RunFolder, *, exists: bool) -> None:
    if folder.config.exists() and not exists:
        raise TrainingError(
            "there is a run of this name already",
            file=folder.path,
            remedy="Go on with it (--resume), or give the new one another name (--name).",
        )
    if exists and not folder.config.exists():
        raise TrainingError("there is no such run", file=folder.path, remedy="Begin it without --resume.")


@contextmanager
def _alone_in(folder: RunFolder, processes: Processes) -> Iterator[None]:
    """TrainingError where another program trains the run: both would write the same files."""
    if not processes.is_first:
        yield
        return
    made = [place for place in (folder.path, *folder.path.parents) if not place.exists()]
    folder.path.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder.path / ".lock")
    try:
        with lock.acquire(timeout=0):
            yield
    except Timeout as fault:
        raise TrainingError(
            "another program is training this run",
            file=folder.path,
            remedy="Wait until it is done or stop it, or give the new run another name (--name).",
        ) from fault
    finally:
        if made and not folder.config.exists():
            _forget(made, lock)


def _forget(made: Sequence[Path], lock: FileLock) -> None:
    """Leave nothing of a run that has not begun."""
    Path(lock.lock_file).unlink(missing_ok=True)
    for place in made:
        if any(place.iterdir()):
            return
        place.rmdir()


def _begin(config: RunConfig, folder: RunFolder, processes: Processes) -> RunResult:
    """The first process prepares; what it has prepared, all take up."""
    if processes.is_first:
        training, validation = _prepare(config, folder, processes)
        if processes.count == 1:
            return _run(training, validation, folder, processes)
        save(folder.checkpoints / checkpoint_name(0, 0), content_of(training, validation.state_dict()))
    processes.gather(None)
    return _go_on(folder, processes, None)


def _prepare(config: RunConfig, folder: RunFolder, processes: Processes) -> tuple[Training, Validation]:
    settled = _with_machines(settled_task(config))
    training = task_of(settled).begin(settled)
    folder.checkpoints.mkdir(parents=True, exist_ok=True)
    write_asked(config, folder.path)
    write_run_config(training.config, folder.config)
    assert training.plan is not None
    training.plan.write(folder.plan)
    validation = _validation(training, folder)
    if training.validates_graft:
        training.learner.to(processes.device(training.config.training.device))
        validation.validate(training.learner, 0)
    return training, validation


def _with_machines(config: RunConfig) -> RunConfig:
    """The settings with the device that `auto` means here, and as many processes as there are, whoever started them.

    TrainingError: the device that is asked for is not there.
    """
    devices, nodes = counts(config.training)
    found = {"device": choose_device(config.training.device), "devices": devices, "nodes": nodes}
    return config.model_copy(update={"training": config.training.model_copy(update=found)})


def _go_on(folder: RunFolder, processes: Processes, asked: RunConfig | None) -> RunResult:
    """From the last checkpoint that can be read; from the beginning where there is none."""
    config = _config_of(folder)
    if asked is not None:
        config = with_obeyed(config, asked, folder.path)
    found = newest(folder.checkpoints)
    if found is None:
        if processes.is_first:
            notice("the run was stopped before its first checkpoint: it begins again")
        return _begin(config, folder, processes)
    path, content = found
    if content["global_step"]:
        notice(f"going on from {path.name}")
    training = task_of(config).resume(config, path, content)
    state = content["voxgraft_run"]
    require_same_corpus(state.get("corpus"), training.corpus(), folder.path)
    training.position.load_state_dict(state.get("position", state))
    training.learner.to(processes.device(config.training.device))
    training.learner.load_state_dict(state)
    if content["optimizer_states"]:
        take_up(training.learner.optimisers, content["optimizer_states"])
    _keep_settings(training, config, folder, processes)
    validation = _validation(training, folder)
    validation.load_state_dict(state["validation"])
    return _run(training, validation, folder, processes)


def _keep_settings(training: Training, config: RunConfig, folder: RunFolder, processes: Processes) -> None:
    """What is obeyed from here on is what a later resume goes on with."""
    kept = _config_of(folder)
    if config.training.minutes is not None and config.training.minutes != kept.training.minutes:
        training.refit()
    # Each process measures other times: all take the first's steps. None writes the file before all have read it.
    training.position.steps = processes.gather(training.position.steps)[0]
    if processes.is_first and config != kept:
        write_run_config(training.config, folder.config)


def _validation(training: Training, folder: RunFolder) -> Validation:
    return Validation(
        folder.path, Records(folder.path), training.config.training, training.validate, training.keep_best
    )


def _run(training: Training, validation: Validation, folder: RunFolder, processes: Processes) -> RunResult:
    stopped = fit(training, validation, folder, processes)
    best, position = validation.best, training.position
    outcome = Outcome()
    if processes.is_first and not stopped:
        Bests(folder.best).finished(validation.state_dict())
        outcome = training.finish(best)
    elif processes.is_first:
        outcome = task_of(training.config).outcome(training.config, folder.path)
    return RunResult(folder.path, best, position.step, position.steps, not stopped, outcome, processes.is_first)


def _config_of(folder: RunFolder) -> RunConfig:
    """As the run began; its folder is where it is now, should the project have been moved."""
    config = load_run_config(folder.config)
    return config.model_copy(update={"output": str(folder.project.path), "name": folder.name})
