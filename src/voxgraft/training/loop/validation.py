"""Validation: the network as it is now is put to the test of its task; the best so far is kept at once."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from voxgraft.audio.write import write_wav
from voxgraft.config.run import TrainingConfig
from voxgraft.files import write_atomically
from voxgraft.progress import notice
from voxgraft.training.loop.learner import Learner, Position
from voxgraft.training.loop.processes import Processes
from voxgraft.training.loop.records import Records

BEST = "best.json"
MOST_SAMPLES = 3


@dataclass(frozen=True)
class Verdict:
    """One validation: `score` is what is maximised, `eligible` whether it may be best.

    `cer` and `speaker_similarity` are None where no judge is installed; `wer` and `loss` (nats a label) are recognisers';
    `mel_distance` (of log mels, nats) is text-to-spec models' and vocoders', `duration_error` (frames a symbol) the former's,
    `stft_distance` the latter's.
    """

    score: float
    eligible: bool = True
    cer: float | None = None
    speaker_similarity: float | None = None
    wer: float | None = None
    loss: float | None = None
    mel_distance: float | None = None
    stft_distance: float | None = None
    duration_error: float | None = None


@dataclass(frozen=True)
class Sample:
    """Something to listen to: float32 [T] at `sample_rate` Hz."""

    sound: np.ndarray
    sample_rate: int


@dataclass(frozen=True)
class Kept:
    """What was kept of the best: its weights, a file in the run's folder `best`, and what was exported of it at once."""

    weights: Path
    exported: Path | None = None


@dataclass(frozen=True)
class Best(Verdict):
    """The best validation so far; while none is eligible, the one that comes nearest stands in.

    `weights` is the name of its file in the run's folder `best`; `exported` is where it was exported, from the project's folder.
    """

    step: int = 0
    weights: str = ""
    exported: str | None = None


class Validation:
    """Every `training.validate_every` steps, and at the end. Counts those in a row without a better one as `waited`.

    `validate` gives a verdict of the learner's network and samples of it; `keep` keeps the network as the best of a step.
    """

    def __init__(
        self,
        folder: Path,
        records: Records,
        settings: TrainingConfig,
        validate: Callable[[], tuple[Verdict, list[Sample]]],
        keep: Callable[[int], Kept],
    ) -> None:
        self._folder = folder
        self.records = records
        self._settings = settings
        self._validate = validate
        self._keep = keep
        self.best: Best | None = None
        self.waited = 0

    @property
    def exhausted(self) -> bool:
        """Whether `training.patience` validations in a row brought nothing better."""
        return self.waited >= self._settings.patience

    def due(self, position: Position) -> bool:
        """Whether it is time to."""
        return position.step % self._settings.validate_every == 0 or position.step >= position.steps

    def run(self, learner: Learner, position: Position, processes: Processes) -> None:
        """Validate on the first process; all of them learn what came of it, and lower the learning rates on a plateau."""
        if processes.is_first:
            self.validate(learner, position.step)
        self.waited = processes.broadcast(self.waited)
        if self._settings.plateau and self.waited and self.waited % self._settings.plateau == 0:
            position.rate_scale *= self._settings.plateau_factor
            notice(f"nothing better in {self.waited} validations: learning rates × {self._settings.plateau_factor:g}")
        if self.exhausted and position.step < position.steps:
            notice(f"nothing better in {self._settings.patience} validations: training stops here")

    def validate(self, learner: Learner, step: int) -> None:
        """Put the averaged weights to the test."""
        with learner.average.applied(learner.network):
            verdict, samples = self._validate()
            better = is_better(verdict, self.best)
            if better:
                self._remember(verdict, step, self._keep(step))
        self.waited = 0 if better else self.waited + 1
        for number, sample in enumerate(samples[:MOST_SAMPLES], 1):
            write_wav(self._folder / "samples" / f"step={step}-{number}.wav", sample.sound, sample.sample_rate)
        found = {name: value for name, value in asdict(verdict).items() if value is not None}
        self.records.write(step, "validation", found | {"best": better})
        notice(f"step {step}: {describe(verdict)}{', the best so far' if better else ''}")

    def _remember(self, verdict: Verdict, step: int, kept: Kept) -> None:
        project = self._folder.parent.parent
        exported = None if kept.exported is None else str(kept.exported.relative_to(project))
        self.best = Best(**asdict(verdict), step=step, weights=kept.weights.name, exported=exported)
        write_atomically(self._folder / BEST, json.dumps(asdict(self.best), indent=2) + "\n")

    def state_dict(self) -> dict[str, Any]:
        """For the run's checkpoint."""
        return {"waited": self.waited, "best": None if self.best is None else asdict(self.best)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up what `state_dict` gave: as it was then, since what came later is done again."""
        self.waited = state["waited"]
        self.best = None if state["best"] is None else best_of(state["best"])


def best_of(state: Mapping[str, Any]) -> Best:
    """A best as a checkpoint or best.json holds it; older ones have one path, of the voice or of the weights."""
    known = {field.name for field in fields(Best)}
    values = {name: value for name, value in state.items() if name in known}
    older = state.get("voice")
    if older and "weights" not in state:
        path = Path(older)
        is_voice = path.suffix == ".onnx"
        values["weights"] = "" if is_voice else path.name
        values["exported"] = str(Path(*path.parts[-3:])) if is_voice else None
    return Best(**values)


def is_better(verdict: Verdict, best: Best | None) -> bool:
    """Eligible beats not eligible; among equals the higher score wins."""
    if best is None or verdict.eligible != best.eligible:
        return best is None or verdict.eligible
    return verdict.score > best.score


def describe(verdict: Verdict) -> str:
    """In words."""
    if verdict.mel_distance is not None and verdict.stft_distance is not None:
        return f"mel distance {verdict.mel_distance:.3f}, STFT distance {verdict.stft_distance:.3f}"
    if verdict.wer is not None and verdict.cer is not None:
        return f"CER {100 * verdict.cer:.1f} %, WER {100 * verdict.wer:.1f} %, loss {verdict.loss or 0:.3f}"
    if verdict.mel_distance is not None:
        durations = (
            f", durations off by {verdict.duration_error:.2f} frames" if verdict.duration_error is not None else ""
        )
        return f"mel distance {verdict.mel_distance:.3f}{durations}"
    if verdict.cer is None or verdict.speaker_similarity is None:
        return f"validation score {verdict.score:.3f}"
    return f"similarity {verdict.speaker_similarity:.3f}, CER {100 * verdict.cer:.1f} %"
