"""What goes wrong while a recogniser learns, said while there is time to change it: each thing once, with the change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from voxgraft.config.run import TrainingConfig
from voxgraft.evaluation.hearing import Hearing
from voxgraft.progress import notice

# Validations that a trend is told from.
TREND = 4
MOST_WARM_UP = 0.25


@dataclass(frozen=True)
class ValidationPoint:
    """A validation: `loss` in nats a label, the shares of blank frames and of utterances in which nothing was heard."""

    step: int
    cer: float
    loss: float
    blank: float
    silent: float


def blank_collapse(past: Sequence[ValidationPoint]) -> str | None:
    """Nothing but blanks, and the loss no longer falls: the plateau that CTC starts on was never left."""
    recent = past[-TREND:]
    if len(recent) < TREND or not all(one.silent > 0.9 and one.blank > 0.98 for one in recent):
        return None
    if recent[-1].loss < 0.98 * recent[0].loss:
        return None
    return (
        "blank collapse: nothing but blanks is heard, and the loss no longer falls. Set another learning rate for what is new "
        "(recogniser.learning_rates.new: a third of it where it is over 0.01, else three times it), smaller batches "
        "(training.batch), or start from a base of a nearer language"
    )


def plateau(past: Sequence[ValidationPoint]) -> str | None:
    """Neither errors nor loss fall any more."""
    recent = past[-TREND - 1 :]
    if len(recent) <= TREND or recent[0].silent > 0.9:
        return None
    first, rest = recent[0], recent[1:]
    if min(one.cer for one in rest) < 0.99 * first.cer or min(one.loss for one in rest) < 0.99 * first.loss:
        return None
    if min(one.loss for one in rest) > 1.1 * first.loss:
        return (
            "overfitting: the loss on the recordings for dev rises while nothing gets better. The best is kept; more recordings, "
            "augmentation (recogniser.augment) or more dropout (recogniser.dropout) help, more steps do not"
        )
    return (
        "plateau: neither errors nor loss have fallen for a while. Lower learning rates (training.plateau=2 does so by itself), "
        "or stop here; the best is kept"
    )


def explosion(past: Sequence[ValidationPoint]) -> str | None:
    """A loss far above what it was."""
    if len(past) < 2 or past[-1].loss < 3 * min(one.loss for one in past[:-1]):
        return None
    return (
        f"exploding loss: {past[-1].loss:.1f} nats a label after {min(one.loss for one in past[:-1]):.1f}. Set lower learning "
        "rates (recogniser.learning_rates), a longer training.warmup or a smaller training.gradient_clip"
    )


CHECKS: tuple[Callable[[Sequence[ValidationPoint]], str | None], ...] = (blank_collapse, plateau, explosion)


def warm_up_problem(settings: TrainingConfig) -> str | None:
    """A warm-up that takes too much of the run."""
    if settings.warmup <= MOST_WARM_UP * settings.steps:
        return None
    fitting = max(1, settings.steps // 10)
    return (
        f"too long a warm-up: {settings.warmup} of {settings.steps} steps pass before the learning rate is reached: set "
        f"training.warmup={fitting}, or more steps"
    )


class Diagnosis:
    """Looks at every validation."""

    def __init__(self) -> None:
        self.past: list[ValidationPoint] = []
        self.told: list[str] = []
        self.found: list[str] = []

    def validated(self, step: int, found: Hearing) -> None:
        """One validation more; says what is wrong, each thing once."""
        self.past = [one for one in self.past if one.step < step]
        self.past.append(ValidationPoint(step, found.cer, found.loss, found.blank, found.silent))
        for check in CHECKS:
            found = check(self.past)
            if found is not None and check.__name__ not in self.told:
                self.told.append(check.__name__)
                self.tell(f"step {step}: {found}")

    def begins(self, settings: TrainingConfig) -> None:
        """Look at the settings before the first step."""
        problem = warm_up_problem(settings)
        if problem is not None:
            self.tell(problem)

    def tell(self, found: str) -> None:
        """Say what is wrong, and remember it for the report."""
        self.found.append(found)
        notice(f"warning: {found}")

    def state_dict(self) -> dict[str, Any]:
        """For the run's checkpoint."""
        return {"past": [asdict(one) for one in self.past], "told": list(self.told), "found": list(self.found)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up what `state_dict` gave."""
        self.past = [ValidationPoint(**one) for one in state["past"]]
        self.told, self.found = list(state["told"]), list(state["found"])
