"""Validation: a voice speaks fixed sentences, or a recogniser hears recordings set aside; the best so far is kept at once."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import lightning
import numpy as np

from voxgraft.audio.write import write_wav
from voxgraft.files import write_atomically
from voxgraft.progress import notice
from voxgraft.training.loop.callbacks.records import Records


@dataclass(frozen=True)
class Best:
    """The best validation so far; `cer` and `speaker_similarity` are None where no judge is installed.

    While no voice is understood about as well as the base, the one that comes nearest stands in, not `eligible`.
    `voice` is what was kept. Recognisers have a `wer`, and their `loss` in nats a label.
    """

    step: int
    score: float
    eligible: bool
    cer: float | None
    speaker_similarity: float | None = None
    voice: str | None = None
    wer: float | None = None
    loss: float | None = None


@dataclass(frozen=True)
class Verdict:
    """One validation: `score` is what is maximised, `eligible` whether it may be best."""

    score: float
    eligible: bool
    cer: float | None
    speaker_similarity: float | None = None
    wer: float | None = None
    loss: float | None = None


class Validation(lightning.Callback):
    """Every `every` steps, and at the end. Stops the run after `patience` validations without a better one.

    `network` is the part of the module that is validated; `assess` returns a verdict and what can be listened to.
    `heed` hears of every verdict: whether it is the best, and how many in a row were not.
    """

    def __init__(
        self,
        folder: Path,
        records: Records,
        network: Any,
        *,
        every: int,
        patience: int,
        assess: Callable[[Any], tuple[Verdict, list[np.ndarray]]],
        keep_best: Callable[[Any, int], Path],
        sample_rate: int = 0,
        heed: Callable[[bool, int], None] | None = None,
    ) -> None:
        self._folder = folder
        self._records = records
        self._network = network
        self._heed = heed
        self._every = every
        self._patience = patience
        self._assess = assess
        self._keep_best = keep_best
        self._sample_rate = sample_rate
        self.best: Best | None = None
        self._waited = 0

    @property
    def exhausted(self) -> bool:
        """Whether `patience` validations in a row brought nothing better."""
        return self._waited >= self._patience

    def on_train_batch_end(self, trainer: Any, module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Validate where it is time to; the first process alone, and all of them heed its verdict."""
        if module.step % self._every and module.step < module.steps:
            return
        if trainer.is_global_zero:
            self.validate(module)
        self._waited = trainer.strategy.broadcast(self._waited)
        if self._heed is not None:
            self._heed(self._waited == 0, self._waited)
        if self.exhausted and module.step < module.steps:
            trainer.should_stop = True
            if trainer.is_global_zero:
                notice(f"nothing better in {self._patience} validations: training stops here")

    def validate(self, module: Any) -> None:
        """Judge the network as it is now."""
        with module.average.applied(self._network):
            verdict, clips = self._assess(self._network)
            better = is_better(verdict, self.best)
            if better:
                voice = self._keep_best(self._network, module.step)
                self._remember(Best(step=module.step, voice=str(voice), **asdict(verdict)))
        self._waited = 0 if better else self._waited + 1
        for number, clip in enumerate(clips[:3], 1):
            write_wav(self._folder / "samples" / f"step={module.step}-{number}.wav", clip, self._sample_rate)
        found = {name: value for name, value in asdict(verdict).items() if value is not None}
        self._records.write(module.step, "validation", found | {"best": better})
        notice(f"step {module.step}: {describe(verdict)}{', the best so far' if better else ''}")

    def _remember(self, best: Best) -> None:
        self.best = best
        write_atomically(self._folder / "best.json", json.dumps(asdict(best), indent=2) + "\n")

    @staticmethod
    def fresh_state() -> dict[str, Any]:
        """Of a run that has not validated yet."""
        return {"waited": 0, "best": None}

    def state_dict(self) -> dict[str, Any]:
        """For the run's checkpoint."""
        return {"waited": self._waited, "best": None if self.best is None else asdict(self.best)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up what `state_dict` gave: as it was then, since what came later is done again."""
        self._waited = state["waited"]
        self.best = None if state["best"] is None else Best(**state["best"])


def is_better(verdict: Verdict, best: Best | None) -> bool:
    """Eligible beats not eligible; among equals the higher score wins."""
    if best is None or verdict.eligible != best.eligible:
        return best is None or verdict.eligible
    return verdict.score > best.score


def describe(verdict: Verdict) -> str:
    """In words."""
    if verdict.wer is not None and verdict.cer is not None:
        return f"CER {100 * verdict.cer:.1f} %, WER {100 * verdict.wer:.1f} %, loss {verdict.loss or 0:.3f}"
    if verdict.cer is None:
        return f"validation mel distance {-verdict.score:.3f}"
    return f"similarity {verdict.speaker_similarity:.3f}, CER {100 * verdict.cer:.1f} %"
