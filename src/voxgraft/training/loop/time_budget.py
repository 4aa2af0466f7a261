"""How many steps fit into the time that was given."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial

import torch

from voxgraft.config.run import RunConfig, TrainingConfig
from voxgraft.progress import notice
from voxgraft.training.loop.feed import schedule_of
from voxgraft.training.loop.memory import in_pieces_that_fit
from voxgraft.training.tasks.vits.batches import Batch, Cutting, make_batch
from voxgraft.training.tasks.vits.examples import Example
from voxgraft.training.tasks.vits.module import VitsTraining

MEASURED = 4
# Alignments, optimisers and checkpoints come on top of the passes that are measured.
OVERHEAD = 1.15


def fitting_steps(
    module: VitsTraining, examples: Sequence[Example], cutting: Cutting, config: RunConfig, listening: float
) -> int:
    """Steps of a run that fits into `training.minutes`: measures some passes, whose gradients are thrown away.

    `listening` is what a validation takes, in seconds.
    """
    schedule = schedule_of(examples, config)
    module.to(torch.device(config.training.device))

    def work(piece: Batch, share: float) -> None:
        total, against, _ = module.losses(piece)
        (total if against is None else total + against).backward()
        # Reading a value waits for the device.
        total.item()

    def prepared(step: int) -> Batch:
        clips = schedule.clips(step)
        module.alignments.update(module.alignments.align(module.generator.eval(), clips, module.device), 0)
        batch = make_batch(examples, clips, cutting, config.seed, step).to(module.device)
        module.generator.train()
        return batch

    def pass_over(batch: Batch) -> None:
        module.pieces = in_pieces_that_fit(batch, module.pieces, partial(module.zero_grad, set_to_none=True), work)

    steps = steps_that_fit(config.training, prepared, pass_over, listening)
    module.zero_grad(set_to_none=True)
    module.alignments.forget()
    return steps


def steps_that_fit(
    settings: TrainingConfig,
    prepared: Callable[[int], Batch],
    pass_over: Callable[[Batch], None],
    listening: float,
) -> int:
    """Steps of a run that fits into `training.minutes`: passes over prepared batches are timed; validations of `listening`
    seconds come on top."""
    assert settings.minutes is not None
    batches = [prepared(step) for step in range(MEASURED)]
    seconds = sorted(timed(lambda batch=batch: pass_over(batch)) for batch in batches)[MEASURED // 2] * OVERHEAD
    seconds += listening / settings.validate_every
    steps = max(1, min(settings.steps, int(60 * settings.minutes / seconds)))
    notice(f"{seconds:.2f} s a step: {steps} steps in {settings.minutes:g} minutes")
    return steps


def timed(work: Callable[[], None]) -> float:
    """Seconds that it takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
