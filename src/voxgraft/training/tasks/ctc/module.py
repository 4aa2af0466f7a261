"""CtcTraining: one step of any recogniser, and everything that a resume has to restore.

Letters: B clips, T frames, S symbols.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import lightning
import torch
import torch.nn.functional as F
from lightning.pytorch.strategies import ParallelStrategy
from torch import nn

from voxgraft.config.run import TrainingConfig
from voxgraft.errors import TrainingError
from voxgraft.progress import notice
from voxgraft.training.loop.average import WeightAverage
from voxgraft.training.loop.draws import generator as generator_of_draws
from voxgraft.training.loop.learning_rate import learning_rate_factor
from voxgraft.training.loop.memory import in_pieces_that_fit
from voxgraft.training.loop.optimisers import take_up
from voxgraft.training.loop.processes import sum_over_processes
from voxgraft.training.tasks.ctc.examples import Batch, Example

BETAS = (0.9, 0.98)
EPSILON = 1e-8
# Steps in a row without a finite gradient, after which nothing can be hoped for.
MOST_SKIPPED = 10


class CtcTraining(lightning.LightningModule):
    """Manual optimisation: learning rates are set from the step before each.

    `network` gives logits of features; `groups` are its optimiser's. `steps` is the whole length of the run, `step`
    counts those done. `rate_scale` is what plateaus have multiplied the learning rates by.
    """

    def __init__(
        self,
        network: nn.Module,
        groups: Sequence[dict[str, Any]],
        examples: Sequence[Example],
        settings: TrainingConfig,
        *,
        blank: int,
        weight_decay: float,
        steps: int,
        seed: int,
        autocast: torch.dtype | None,
    ) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.network = network
        self.groups = list(groups)
        self.examples = examples
        self.settings = settings
        self.blank = blank
        self.weight_decay = weight_decay
        self.steps = steps
        self.seed = seed
        self.step = 0
        self.skipped = 0
        self.rate_scale = 1.0
        self.autocast = autocast
        self.pieces = settings.accumulate
        self.average = WeightAverage(network, settings.ema)
        self.terms: dict[str, float] = {}
        self.impossible: set[str] = set()
        self.optimiser_states: list[dict[str, Any]] = []

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """AdamW, a group a part."""
        return torch.optim.AdamW(self.groups, betas=BETAS, eps=EPSILON, weight_decay=self.weight_decay, fused=True)

    def training_step(self, batch: Batch, _: int) -> None:
        """One step: gradients, clipped, applied; then the average."""
        # Dropout is a function of the step, like all other draws, so that a resume repeats it.
        torch.manual_seed(int(generator_of_draws(self.seed, "step", self.step, self.global_rank).integers(2**63)))
        self._set_learning_rates()
        totals = self._all_gradients(batch)
        self._apply_gradients(totals)
        self.step += 1
        self.average.update(self.network)
        self.terms = {name: float(value) for name, value in totals.items()}
        if self.step >= self.steps:
            self.trainer.should_stop = True

    def loss(self, batch: Batch) -> torch.Tensor:
        """CTC loss of the batch, in nats, over the labels of the whole step: the parts of a step add up to its loss."""
        with torch.autocast(batch.features.device.type, dtype=self.autocast, enabled=self.autocast is not None):
            logits = self.network(batch.features, batch.lengths)
        losses = ctc_losses(logits, self.network.output_lengths(batch.lengths), batch, self.blank)
        self._tell_of_impossible(batch, losses.detach())
        return losses.sum() / batch.total.clamp(min=1)

    def _all_gradients(self, batch: Batch) -> dict[str, torch.Tensor]:
        """Leave the gradients of the whole batch, of all processes, on the parameters; returns the terms."""
        optimiser = self.optimizers()
        totals: dict[str, torch.Tensor] = {}

        def begin() -> None:
            totals.clear()
            optimiser.zero_grad(set_to_none=True)

        def work(piece: Batch, share: float) -> None:
            loss = self.loss(piece).squeeze()
            self.manual_backward(loss)
            totals["ctc"] = totals.get("ctc", 0) + loss.detach().float()

        with self._each_process_alone():
            self.pieces = in_pieces_that_fit(batch, self.pieces, begin, work)
        sum_over_processes([p.grad for p in self._learning()])
        sum_over_processes(list(totals.values()))
        return totals

    def _apply_gradients(self, totals: dict[str, torch.Tensor]) -> None:
        """Clip and step; a step whose gradients are not finite numbers is left out."""
        totals["gradient_norm"] = nn.utils.clip_grad_norm_(self._learning(), self.settings.gradient_clip)
        if torch.isfinite(totals["gradient_norm"]):
            self.skipped = 0
            self.optimizers().step()
            return
        self.skipped += 1
        notice(f"step {self.step + 1} is left out: its gradients are not finite numbers")
        if self.skipped >= MOST_SKIPPED:
            raise TrainingError(
                f"the loss has exploded: the gradients of {self.skipped} steps in a row are not finite numbers",
                field="recogniser.learning_rates",
                remedy="set lower learning rates or training.precision=fp32, and begin the run anew",
            )

    def _learning(self) -> list[nn.Parameter]:
        return [p for p in self.network.parameters() if p.grad is not None]

    def _each_process_alone(self) -> AbstractContextManager[None]:
        strategy = self.trainer.strategy
        return strategy.block_backward_sync() if isinstance(strategy, ParallelStrategy) else nullcontext()

    def _tell_of_impossible(self, batch: Batch, losses: torch.Tensor) -> None:
        """CTC has no path where a clip's frames are fewer than its labels need: its loss, infinite, counts as nothing."""
        for clip in batch.clips[(losses == 0) & (batch.label_lengths > 0)].tolist():
            name = self.examples[clip].id
            if name not in self.impossible:
                self.impossible.add(name)
                notice(
                    f"warning: {name} is too short for its transcript ({self.examples[clip].needed} frames are needed) and teaches "
                    "nothing in this step: look at its text, and at augmentation that shortens clips (tempo)"
                )

    def _set_learning_rates(self) -> None:
        factor = learning_rate_factor(self.step, self.steps, self.settings.warmup, self.settings.decay)
        for group in self.optimizers().param_groups:
            learns = self.step >= group["from_step"]
            group["lr"] = group["rate"] * factor * self.rate_scale if learns else 0.0
            for parameter in group["params"]:
                parameter.requires_grad_(learns)
        hold_still(self.network)

    def on_train_start(self) -> None:
        """Optimisers exist from here on."""
        self.average.to(self.device)
        if self.optimiser_states:
            take_up(self.trainer.optimizers, self.optimiser_states)
            self.optimiser_states = []

    def states_of_optimisers(self) -> list[dict[str, Any]]:
        """Of each optimiser, once training has started."""
        return [optimiser.state_dict() for optimiser in self.trainer.optimizers] if self._trainer is not None else []

    def run_state(self) -> dict[str, Any]:
        """What goes on after a resume, besides the weights and the optimisers."""
        return {
            "step": self.step,
            "steps": self.steps,
            "pieces": self.pieces,
            "rate_scale": self.rate_scale,
            "average": self.average.state_dict(),
        }

    def load_run_state(self, state: dict[str, Any]) -> None:
        """Take up what `run_state` gave."""
        self.step, self.steps = state["step"], state["steps"]
        self.pieces, self.rate_scale = state["pieces"], state["rate_scale"]
        self.average.load_state_dict(state["average"])


def hold_still(network: nn.Module) -> None:
    """Let normalisations over a batch go on counting only where they learn: what is frozen stays as it is."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d):
            module.train(network.training and module.weight.requires_grad)


def ctc_losses(logits: torch.Tensor, lengths: torch.Tensor, batch: Batch, blank: int) -> torch.Tensor:
    """CTC loss of each clip [B], in nats, of logits [B, T, S]; 0 where no path is long enough (it would be infinite)."""
    log_probs = F.log_softmax(logits.float(), dim=-1).transpose(0, 1)
    return F.ctc_loss(
        log_probs, batch.labels, lengths, batch.label_lengths, blank=blank, reduction="none", zero_infinity=True
    )
