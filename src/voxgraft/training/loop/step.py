"""One optimiser step of any learner. Nothing in it waits for a GPU: what is to be logged stays there until it is read."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from voxgraft.config.run import TrainingConfig
from voxgraft.training.loop.draws import generator as draws
from voxgraft.training.loop.learner import Learner, Position
from voxgraft.training.loop.learning_rate import learning_rate_factor
from voxgraft.training.loop.memory import in_pieces_that_fit
from voxgraft.training.loop.processes import Processes


def take_step(
    learner: Learner, batch: Any, settings: TrainingConfig, position: Position, seed: int, processes: Processes
) -> dict[str, torch.Tensor]:
    """Gradients of the batch, clipped and applied; then the average. Returns the terms, scalars on the batch's device.

    `left_out` among them is 1 where the gradients were not finite numbers and nothing was changed.
    """
    # Dropout and the like: functions of the step, as all other draws are, so that a resume repeats them.
    torch.manual_seed(int(draws(seed, "step", position.step, processes.rank).integers(2**63)))
    factor = learning_rate_factor(position.step, position.steps, settings.warmup, settings.decay)
    learner.begin_step(batch, position, factor * position.rate_scale, processes)
    terms = gradients(learner, batch, position)
    for network in learner.networks.values():
        processes.sum([p.grad for p in network.parameters() if p.grad is not None])
    processes.sum(list(terms.values()))
    terms |= _apply(learner, settings.gradient_clip)
    position.step += 1
    learner.average.update(learner.network)
    return terms


def gradients(learner: Learner, batch: Any, position: Position) -> dict[str, torch.Tensor]:
    """Leave the gradients of a batch on the parameters, in as many pieces as memory asks for; returns its terms."""
    terms: dict[str, torch.Tensor] = {}

    def begin() -> None:
        terms.clear()
        for network in learner.networks.values():
            network.zero_grad(set_to_none=True)

    def work(piece: Any) -> None:
        losses, found = learner.losses(piece)
        for loss in losses:
            loss.backward()
        for name, value in found.items():
            value = value.detach().float()
            terms[name] = terms[name] + value if name in terms else value

    position.pieces = in_pieces_that_fit(batch, position.pieces, begin, work)
    return terms


def _apply(learner: Learner, most: float) -> dict[str, torch.Tensor]:
    norms = {
        f"{prefix}gradient_norm": nn.utils.clip_grad_norm_([p for p in n.parameters() if p.grad is not None], most)
        for prefix, n in learner.networks.items()
    }
    left_out = 1.0 - torch.isfinite(torch.stack(list(norms.values()))).all().float()
    for optimiser in learner.optimisers:
        # The fused optimisers look at this on the device itself, as they do for loss scaling, and change nothing where it is 1.
        optimiser.found_inf = left_out  # type: ignore[attr-defined]
        optimiser.step()
    return norms | {"left_out": left_out}
