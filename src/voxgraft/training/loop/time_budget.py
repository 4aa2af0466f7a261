"""How many steps fit into the time that was given."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch

from voxgraft.config.run import RunConfig
from voxgraft.progress import notice
from voxgraft.training.loop.learner import Position
from voxgraft.training.loop.step import gradients
from voxgraft.training.tasks.task import Training

MEASURED = 4
# Optimisers, checkpoints and what comes before the passes come on top of what is measured.
OVERHEAD = 1.15


def steps_that_fit(training: Training, prepared: Callable[[int], Any], validation: float) -> int:
    """Steps of a run that fits into `training.minutes`: some passes are timed and their gradients thrown away.

    `prepared` gives the batch of a step on its device; a validation takes `validation` seconds and comes on top. What the
    measuring has changed in the learner is as it was before.
    """
    learner, settings = training.learner, training.config.training
    assert settings.minutes is not None
    learner.to(torch.device(settings.device))
    before, trial = learner.state_dict(), Position(settings.steps, pieces=training.position.pieces)

    def pass_over(batch: Any) -> None:
        terms = gradients(learner, batch, trial)
        # Reading a value waits for the device.
        next(iter(terms.values())).item()

    batches = [prepared(step) for step in range(MEASURED)]
    seconds = sorted(timed(lambda batch=batch: pass_over(batch)) for batch in batches)[MEASURED // 2] * OVERHEAD
    seconds += validation / settings.validate_every
    for network in learner.networks.values():
        network.zero_grad(set_to_none=True)
    learner.load_state_dict(before)
    training.position.pieces = trial.pieces
    steps = max(1, min(settings.steps, int(60 * settings.minutes / seconds)))
    notice(f"{seconds:.2f} s a step: {steps} steps in {settings.minutes:g} minutes")
    return steps


def with_steps(config: RunConfig, steps: int) -> RunConfig:
    """The same settings with another length of the run."""
    return config.model_copy(update={"training": config.training.model_copy(update={"steps": steps})})


def timed(work: Callable[[], None]) -> float:
    """Seconds that it takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
