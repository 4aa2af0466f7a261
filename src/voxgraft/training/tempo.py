"""How many steps fit into the time that was given."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial

import torch

from voxgraft.config.run import RunConfig
from voxgraft.progress import notice
from voxgraft.training.batches import Batch, Cutting, make_batch
from voxgraft.training.examples import Example
from voxgraft.training.feed import schedule_of
from voxgraft.training.memory import in_pieces_that_fit
from voxgraft.training.vits import VitsTraining

MEASURED = 4
# Alignments, optimisers and checkpoints come on top of the passes that are measured.
OVERHEAD = 1.15


def fitting_steps(module: VitsTraining, examples: Sequence[Example], cutting: Cutting, config: RunConfig) -> int:
    """Steps of a run that fits into `training.minutes`: measures some passes, whose gradients are thrown away."""
    settings = config.training
    assert settings.minutes is not None
    schedule = schedule_of(examples, config)
    module.to(torch.device(settings.device))
    times = []

    def work(piece: Batch, share: float) -> None:
        total, against, _ = module.losses(piece)
        (total if against is None else total + against).backward()
        # Reading a value waits for the device.
        total.item()

    for step in range(MEASURED):
        clips = schedule.clips(step)
        module.alignments.update(module.alignments.align(module.generator.eval(), clips, module.device), 0)
        batch = make_batch(examples, clips, cutting, config.seed, step).to(module.device)
        module.generator.train()
        began = time.perf_counter()
        module.pieces = in_pieces_that_fit(batch, module.pieces, partial(module.zero_grad, set_to_none=True), work)
        times.append(time.perf_counter() - began)
        module.zero_grad(set_to_none=True)
    module.alignments.forget()
    seconds = sorted(times)[len(times) // 2] * OVERHEAD
    steps = max(1, min(settings.steps, int(60 * settings.minutes / seconds)))
    notice(f"{seconds:.2f} s a step: {steps} steps in {settings.minutes:g} minutes")
    return steps
