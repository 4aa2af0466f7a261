"""Training of a VITS voice: one step of generator and discriminator, and everything that a resume has to restore."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import lightning
import torch
import torch.nn.functional as F
from torch import nn

from voxgraft.audio.spec import AudioSpec
from voxgraft.config.run import TrainingConfig
from voxgraft.models.spectral import mel_spectrogram, spectrogram_to_mel
from voxgraft.models.vits import PARTS, Vits
from voxgraft.models.vits.masks import segments
from voxgraft.training.alignments import Alignments
from voxgraft.training.average import WeightAverage
from voxgraft.training.batches import Batch
from voxgraft.training.examples import Example
from voxgraft.training.gan_step import judge, reconstruction_terms
from voxgraft.training.memory import in_pieces_that_fit
from voxgraft.training.rates import learning_rate_factor
from voxgraft.training.state import DISCRIMINATOR, GENERATOR
from voxgraft.training.windows import window_pass

BETAS = (0.8, 0.99)
EPSILON = 1e-9


class VitsTraining(lightning.LightningModule):
    """Manual optimisation: both networks step once a batch, learning rates are set from the step before each.

    `steps` is the whole length of the run; `step` counts optimiser steps of the generator. `average` holds the averaged
    weights that voices are made of. Lightning's own `global_step` counts every optimiser and is not used.
    """

    def __init__(
        self,
        generator: Vits,
        discriminator: nn.Module | None,
        examples: Sequence[Example],
        spec: AudioSpec,
        settings: TrainingConfig,
        *,
        steps: int,
        autocast: torch.dtype | None,
        warm_up_discriminator: bool,
    ) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.generator = freeze_unlearned(generator, settings)
        self.discriminator = discriminator
        self.spec = spec
        self.settings = settings
        self.steps = steps
        self.step = 0
        self.autocast = autocast
        self.judge_from = settings.discriminator_warmup if warm_up_discriminator else 0
        self.segment = settings.segment // spec.hop
        self.alignments = Alignments(examples, settings.realign_every)
        self.average = WeightAverage(self.generator, settings.ema)
        self.pieces = settings.accumulate
        self.terms: dict[str, float] = {}
        self.optimiser_states: list[dict[str, Any]] = []

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        """AdamW of the generator, a group a part, and of the discriminator."""
        rates = self.settings.learning_rates
        groups = [
            {"params": parameters, "lr": 0.0, "rate": getattr(rates, part), "part": part}
            for part, parameters in trained_parts(self.generator)
        ]
        optimisers = [_adamw(groups)]
        if self.discriminator is not None:
            parameters = list(self.discriminator.parameters())
            optimisers.append(_adamw([{"params": parameters, "lr": 0.0, "rate": rates.discriminator}]))
        return optimisers

    def training_step(self, batch: Batch, _: int) -> None:
        """One step: gradients of both networks from the same pass, clipped, applied; then the average."""
        self._align(batch)
        self._set_learning_rates()
        optimisers = _as_list(self.optimizers())
        totals: dict[str, torch.Tensor] = {}

        def gradients_of(piece: Batch, share: float) -> None:
            for name, value in self._gradients(piece, share).items():
                totals[name] = totals.get(name, 0) + value.detach() * share

        def begin() -> None:
            totals.clear()
            for optimiser in optimisers:
                optimiser.zero_grad(set_to_none=True)

        self.pieces = in_pieces_that_fit(batch, self.pieces, begin, gradients_of)
        for network, optimiser in zip((self.generator, self.discriminator), optimisers, strict=False):
            parameters = [p for p in network.parameters() if p.grad is not None]
            norm = nn.utils.clip_grad_norm_(parameters, self.settings.gradient_clip)
            totals["gradient_norm" if network is self.generator else "discriminator_gradient_norm"] = norm
            optimiser.step()
        self.step += 1
        self.average.update(self.generator)
        self.terms = {name: float(value) for name, value in totals.items()}
        if self.step >= self.steps:
            self.trainer.should_stop = True

    def losses(self, batch: Batch) -> tuple[torch.Tensor, torch.Tensor | None, dict[str, torch.Tensor]]:
        """Loss of the generator, loss of the discriminator, and every term without its weight."""
        weights, adversary = self.settings.weights, self.discriminator
        with torch.autocast(batch.audio.device.type, dtype=self.autocast, enabled=self.autocast is not None):
            durations = None if self.settings.window is None else self._durations(batch)
            output, from_text = window_pass(
                self.generator, batch, durations, self.segment, from_text=weights.from_text > 0
            )
        terms = reconstruction_terms(output, batch.spectrogram, self.spec, self.segment)
        if from_text is not None:
            wanted = spectrogram_to_mel(segments(batch.spectrogram, batch.offsets, self.segment), self.spec)
            terms["from_text"] = F.l1_loss(mel_spectrogram(from_text.squeeze(1), self.spec), wanted)
        total = sum(getattr(weights, name) * value for name, value in terms.items())
        if adversary is None:
            return total, None, terms
        heeded = self.step >= self.judge_from
        with torch.autocast(batch.audio.device.type, dtype=self.autocast, enabled=self.autocast is not None):
            judged = judge(
                adversary,
                batch.audio.unsqueeze(1),
                output.audio,
                weights.adversarial if heeded else 0.0,
                weights.feature if heeded else 0.0,
            )
        return total + judged.for_generator, judged.for_discriminator, terms | dict(judged.terms)

    def _gradients(self, batch: Batch, share: float) -> dict[str, torch.Tensor]:
        total, against, terms = self.losses(batch)
        self.manual_backward(total * share)
        if against is not None:
            self.manual_backward(against * share)
        return terms

    def _align(self, batch: Batch) -> None:
        if self.settings.window is None:
            return
        clips = self._all_clips(batch)
        stale = self.alignments.stale(clips, self.step)
        mine = stale[self.global_rank :: self.trainer.world_size]
        self.generator.eval()
        found = self.alignments.align(self.generator, mine, self.device) if mine else {}
        self.generator.train()
        for part in self._gathered(found) if stale else []:
            self.alignments.update(part, self.step)

    def _durations(self, batch: Batch) -> torch.Tensor:
        return self.alignments.durations(batch.clips.tolist(), batch.clips.device)

    def _all_clips(self, batch: Batch) -> list[int]:
        return [clip for clips in self._gathered(batch.clips.tolist()) for clip in clips]

    def _gathered(self, value: Any) -> list[Any]:
        if self.trainer.world_size == 1:
            return [value]
        parts: list[Any] = [None] * self.trainer.world_size
        torch.distributed.all_gather_object(parts, value)
        return parts

    def _set_learning_rates(self) -> None:
        factor = learning_rate_factor(self.step, self.steps, self.settings.warmup, self.settings.decay)
        for optimiser in _as_list(self.optimizers()):
            for group in optimiser.param_groups:
                group["lr"] = group["rate"] * factor

    def state_of_networks(self) -> dict[str, torch.Tensor]:
        """Weights as they are now, under Piper's names."""
        state = {GENERATOR + name: tensor for name, tensor in self.generator.state_dict().items()}
        if self.discriminator is not None:
            state |= {DISCRIMINATOR + name: tensor for name, tensor in self.discriminator.state_dict().items()}
        return state

    def load_networks(self, state: dict[str, torch.Tensor]) -> None:
        """Take up what `state_of_networks` gave; every name and shape must fit."""
        for prefix, network in ((GENERATOR, self.generator), (DISCRIMINATOR, self.discriminator)):
            if network is not None:
                own = {name.removeprefix(prefix): t for name, t in state.items() if name.startswith(prefix)}
                network.load_state_dict(own)

    def on_train_start(self) -> None:
        """Optimisers exist from here on."""
        self.average.to(self.device)
        for optimiser, state in zip(_as_list(self.optimizers()), self.optimiser_states, strict=False):
            optimiser.optimizer.load_state_dict(state)

    def run_state(self) -> dict[str, Any]:
        """What goes on after a resume, besides the weights and the optimisers."""
        return {
            "step": self.step,
            "steps": self.steps,
            "pieces": self.pieces,
            "average": self.average.state_dict(),
            "alignments": self.alignments.state_dict(),
        }

    def load_run_state(self, state: dict[str, Any]) -> None:
        """Take up what `run_state` gave."""
        self.step, self.pieces = state["step"], state["pieces"]
        self.average.load_state_dict(state["average"])
        self.alignments.load_state_dict(state["alignments"])


def freeze_unlearned(generator: Vits, settings: TrainingConfig) -> Vits:
    """Freeze the parts that the settings name and those whose learning rate is 0."""
    still = [part for part in PARTS if getattr(settings.learning_rates, part) == 0]
    return generator.freeze({*settings.freeze, *still})


def trained_parts(generator: Vits) -> Iterable[tuple[str, list[nn.Parameter]]]:
    """Parts that learn, with their parameters."""
    for part, name in PARTS.items():
        module = getattr(generator, name, None)
        parameters = [p for p in module.parameters() if p.requires_grad] if module is not None else []
        if parameters:
            yield part, parameters


def _adamw(groups: list[dict[str, Any]]) -> torch.optim.Optimizer:
    return torch.optim.AdamW(groups, betas=BETAS, eps=EPSILON, fused=True)


def _as_list(optimisers: Any) -> list[Any]:
    return list(optimisers) if isinstance(optimisers, list | tuple) else [optimisers]
