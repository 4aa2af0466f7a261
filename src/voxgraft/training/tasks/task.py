"""Task: what can be trained, evaluated and exported, each by the same verbs; and the registry of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from voxgraft.config.run import RunConfig
from voxgraft.config.tasks.registry import GROUP
from voxgraft.errors import ConfigError, EvaluationError

if TYPE_CHECKING:
    from voxgraft.checkpoints import Checkpoint
    from voxgraft.config.section import Section
    from voxgraft.export.source import Source
    from voxgraft.graft.plan import GraftPlan
    from voxgraft.training.loop.learner import Learner, Position
    from voxgraft.training.loop.processes import Processes
    from voxgraft.training.loop.validation import Best, Kept, Sample, Verdict

# Task -> the module of ours that holds it as TASK.
OURS = {
    "recogniser": "voxgraft.training.tasks.ctc.task",
    "vocoder": "voxgraft.training.tasks.vocoder.task",
    "acoustic": "voxgraft.training.tasks.acoustic.task",
    "voice": "voxgraft.training.tasks.vits.task",
}


@dataclass(frozen=True)
class Outcome:
    """What came out of a run, for the end of it: `lines` for people, `values` for --json, `files` by what they are."""

    lines: tuple[str, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, Path] = field(default_factory=dict)


@dataclass(frozen=True)
class ExportRequest:
    """What `voxgraft export` asks of a task. `to` is one of the task's `exports`, None for its usual one; the rest as the
    options are called."""

    to: str | None = None
    out: Path | None = None
    name: str | None = None
    language: str | None = None
    consent: str | None = None
    scores: Path | None = None
    archive: bool = False
    vocoder: str | None = None


@dataclass(frozen=True)
class Exported:
    """What was written, the main file first, under which name, and what the user should know."""

    to: str
    name: str
    files: tuple[Path, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class EvaluationRequest:
    """What `voxgraft evaluate` asks of a task: the options by their names; None is what was not given."""

    project: RunConfig | None = None
    base: str | None = None
    corpus: str | None = None
    held_out: Path | None = None
    texts: Path | None = None
    seeds: int | None = None
    speaker: str | None = None
    base_speaker: str | None = None
    language: str | None = None
    recogniser: str | None = None
    dnsmos: bool | None = None
    report: Path | None = None
    vocoder: str | None = None
    base_vocoder: str | None = None


@dataclass(frozen=True)
class Evaluated:
    """Scores of base and result: a table for people, `values` for --json, and what is worth knowing about them."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    values: Mapping[str, Any]
    notes: tuple[str, ...] = ()


class Training(Protocol):
    """A run of one task, ready to step. The loop (training/loop/fit.py) asks it for all that it does not know itself."""

    config: RunConfig
    plan: GraftPlan | None
    learner: Learner
    position: Position
    # The setting that holds the task's learning rates, for words about them.
    rates_setting: str
    # Whether the graft itself, before its first step, may turn out to be the best.
    validates_graft: bool

    def batches(self, begin: int, end: int, processes: Processes) -> Iterable[Any]:
        """The batches of steps `begin` to `end`, this process's share of each."""

    def highest_rate(self) -> float:
        """The highest learning rate of the step just taken, for the records."""

    def validate(self) -> tuple[Verdict, list[Sample]]:
        """Put `learner.network` to the test."""

    def keep_best(self, step: int) -> Kept:
        """Write the weights of `learner.network` as the best so far, and export them where that is quick."""

    def epoch(self, step: int) -> int:
        """The epoch that a step belongs to, from 0."""

    def corpus(self) -> list[list[str]]:
        """What is learned from and validated on, in order: a row of role, id, text and hash of the sound for each clip."""

    def checkpoint(self) -> dict[str, Any]:
        """What of a checkpoint is the task's: `state_dict` of the weights, what describes them, and `voxgraft_run`, its state."""

    def refit(self) -> None:
        """Fit the steps that are left into `training.minutes`, after the settings have changed."""

    def finish(self, best: Best | None) -> Outcome:
        """The run is done: test, export and report, as far as that is still to be done."""


class Task(Protocol):
    """One thing that can be trained. Modules that need torch are imported inside of the methods."""

    name: str
    title: str
    # Its section of the settings.
    section: type[Section]
    # What can be written of it, the usual first.
    exports: tuple[str, ...]
    # Options of `voxgraft evaluate` that it takes.
    evaluates_with: frozenset[str]

    def begin(self, config: RunConfig) -> Training:
        """A new run: plan, graft, corpus; settings that were left to us are decided."""

    def resume(self, config: RunConfig, path: Path, content: dict[str, Any]) -> Training:
        """A run that was stopped, from its checkpoint at `path`, which holds `content`; nothing is grafted again."""

    def outcome(self, config: RunConfig, folder: Path) -> Outcome:
        """What a run that has ended, in this process or another, has to show."""

    def open_result(self, result: str) -> Any | None:
        """What a file, folder, run or name holds, ready to be evaluated; None where it is none of this task's."""

    def evaluate(self, opened: Any, request: EvaluationRequest) -> Evaluated:
        """Scores of what `open_result` gave, beside its base."""

    def export(self, source: Source, checkpoint: Checkpoint, request: ExportRequest) -> Exported:
        """Write a run's best, or a checkpoint, for the runtimes that people use."""


@cache
def tasks() -> dict[str, Task]:
    """Name -> task: those that other packages offer under the entry point `voxgraft.tasks`, then ours.

    A result is shown to them in this order; what nobody knows is taken for a voice.
    """
    offered = {point.name: point.load() for point in entry_points(group=GROUP)}
    return offered | {name: import_module(place).TASK for name, place in OURS.items()}


def task_of_result(result: str) -> tuple[Task, Any]:
    """Whose a result is, and the result, opened. EvaluationError where no task knows it."""
    for task in tasks().values():
        opened = task.open_result(result)
        if opened is not None:
            return task, opened
    raise EvaluationError(
        "nothing that can be evaluated here", file=result, remedy="Give a voice, a recogniser, a run or a checkpoint."
    )


def task_of(config: RunConfig) -> Task:
    """The task of settings in which it is settled. ConfigError where nothing of that name is registered."""
    found = tasks().get(config.task)
    if found is None:
        raise ConfigError(
            "there is no such task",
            field="task",
            expected=" or ".join(tasks()),
            got=config.task,
            remedy="Choose one of these, or install the package that brings it.",
        )
    return found
