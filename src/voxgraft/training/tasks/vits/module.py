"""Training of a VITS voice: one step of generator and discriminator, and everything that a resume has to restore."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import lightning
import torch
import torch.nn.functional as F
from lightning.pytorch.strategies import ParallelStrategy
from torch import nn

from voxgraft.audio.spec import AudioSpec
from voxgraft.config.run import TrainingConfig
from voxgraft.config.tasks.voice import VoiceConfig
from voxgraft.errors import TrainingError
from voxgraft.models.spectral import mel_spectrogram, spectrogram_to_mel
from voxgraft.models.vits import PARTS, Vits
from voxgraft.models.vits.masks import segments
from voxgraft.progress import notice
from voxgraft.training.loop.average import WeightAverage
from voxgraft.training.loop.checkpoints import DISCRIMINATOR, GENERATOR
from voxgraft.training.loop.draws import generator as generator_of_draws
from voxgraft.training.loop.learning_rate import learning_rate_factor
from voxgraft.training.loop.memory import in_pieces_that_fit
from voxgraft.training.loop.optimisers import share_by_size, take_up
from voxgraft.training.loop.processes import sum_over_processes
from voxgraft.training.tasks.vits.alignments import Alignments
from voxgraft.training.tasks.vits.batches import Batch
from voxgraft.training.tasks.vits.examples import Example
from voxgraft.training.tasks.vits.gan_step import judge, reconstruction_terms
from voxgraft.training.tasks.vits.texts import KeptTexts
from voxgraft.training.tasks.vits.windows import window_pass

BETAS = (0.8, 0.99)
EPSILON = 1e-9
# Steps in a row without a finite gradient, after which nothing can be hoped for.
MOST_SKIPPED = 10


class VitsTraining(lightning.LightningModule):
    """Manual optimisation: both networks step once a batch, learning rates are set from the step before each.

    `steps` is the whole length of the run; `step` counts optimiser steps of the generator. `average` holds the averaged
    weights that voices are made of; `anew` names the tensors that no base gave. Lightning's own `global_step` counts every optimiser and is not used.
    """

    def __init__(
        self,
        generator: Vits,
        discriminator: nn.Module | None,
        examples: Sequence[Example],
        spec: AudioSpec,
        settings: TrainingConfig,
        voice: VoiceConfig,
        *,
        steps: int,
        seed: int,
        autocast: torch.dtype | None,
        warm_up_discriminator: bool,
        anew: Collection[str] = (),
    ) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.generator = freeze_unlearned(generator, settings, voice)
        self.discriminator = discriminator
        self.spec = spec
        self.settings = settings
        self.voice = voice
        self.steps = steps
        self.seed = seed
        self.step = 0
        self.skipped = 0
        self.autocast = autocast
        self.anew = frozenset(anew)
        self.judge_from = voice.discriminator_warmup if warm_up_discriminator else 0
        self.segment = voice.segment // spec.hop
        self.alignments = Alignments(examples, voice.realign_every)
        self.texts = KeptTexts()
        self.average = WeightAverage(self.generator, settings.ema)
        self.pieces = settings.accumulate
        self.terms: dict[str, float] = {}
        self.optimiser_states: list[dict[str, Any]] = []

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        """AdamW of the generator, a group a tensor, and of the discriminator."""
        rates = self.voice.learning_rates
        groups = [
            {"params": [tensor], "part": part, "rate": getattr(rates, part), "share": self._share(name, tensor)}
            for part, tensors in trained_parts(self.generator)
            for name, tensor in tensors
        ]
        optimisers = [_adamw(groups)]
        if self.discriminator is not None:
            parameters = list(self.discriminator.parameters())
            optimisers.append(_adamw([{"params": parameters, "rate": rates.discriminator, "share": 1.0}]))
        return optimisers

    def _share(self, name: str, tensor: nn.Parameter) -> float:
        # The size of what the base did not give says nothing; some of it begins as zeros.
        by_size = self.voice.rates_by_size and name not in self.anew
        return share_by_size(tensor) if by_size else 1.0

    def training_step(self, batch: Batch, _: int) -> None:
        """One step: gradients of both networks from the same pass, clipped, applied; then the average."""
        # Dropout and the durations' noise: functions of the step, like all other draws, so that a resume repeats them.
        torch.manual_seed(int(generator_of_draws(self.seed, "step", self.step, self.global_rank).integers(2**63)))
        self._align(batch)
        self._set_learning_rates()
        totals = self._all_gradients(batch)
        self._apply_gradients(totals)
        self.step += 1
        self.average.update(self.generator)
        self.terms = {name: float(value) for name, value in totals.items()}
        if self.step >= self.steps:
            self.trainer.should_stop = True

    def _all_gradients(self, batch: Batch) -> dict[str, torch.Tensor]:
        """Leave the gradients of the whole batch, of all processes, on the parameters; returns the terms."""
        optimisers = _as_list(self.optimizers())
        part = len(batch) / self.settings.batch if self.trainer.world_size > 1 else 1.0
        totals: dict[str, torch.Tensor] = {}

        def begin() -> None:
            totals.clear()
            for optimiser in optimisers:
                optimiser.zero_grad(set_to_none=True)

        def work(piece: Batch, share: float) -> None:
            for name, value in self._gradients(piece, share * part).items():
                totals[name] = totals.get(name, 0) + value.detach().float() * share * part

        with self._each_process_alone():
            self.pieces = in_pieces_that_fit(batch, self.pieces, begin, work)
        for network in self._networks():
            sum_over_processes([p.grad for p in network.parameters() if p.grad is not None])
        sum_over_processes(list(totals.values()))
        return totals

    def _apply_gradients(self, totals: dict[str, torch.Tensor]) -> None:
        """Clip and step each network; a step whose gradients are not finite numbers is left out."""
        optimisers = _as_list(self.optimizers())
        for network, name in zip(self._networks(), ("gradient_norm", "discriminator_gradient_norm"), strict=False):
            parameters = [p for p in network.parameters() if p.grad is not None]
            totals[name] = nn.utils.clip_grad_norm_(parameters, self.settings.gradient_clip)
        if not all(torch.isfinite(totals[name]) for name in totals if name.endswith("norm")):
            self.skipped += 1
            notice(f"step {self.step + 1} is left out: its gradients are not finite numbers")
            if self.skipped >= MOST_SKIPPED:
                raise TrainingError(
                    f"the gradients of {self.skipped} steps in a row are not finite numbers",
                    field="voice.learning_rates",
                    remedy="set lower learning rates or training.precision=fp32, and begin the run anew",
                )
            return
        self.skipped = 0
        for optimiser in optimisers:
            optimiser.step()

    def _networks(self) -> list[nn.Module]:
        return [network for network in (self.generator, self.discriminator) if network is not None]

    def _each_process_alone(self) -> AbstractContextManager[None]:
        strategy = self.trainer.strategy
        return strategy.block_backward_sync() if isinstance(strategy, ParallelStrategy) else nullcontext()

    def losses(self, batch: Batch) -> tuple[torch.Tensor, torch.Tensor | None, dict[str, torch.Tensor]]:
        """Loss of the generator, loss of the discriminator, and every term without its weight."""
        weights, adversary = self.voice.weights, self.discriminator
        with torch.autocast(batch.audio.device.type, dtype=self.autocast, enabled=self.autocast is not None):
            durations = None if self.voice.window is None else self._durations(batch)
            text = self.texts.encode(self.generator, batch)
            output, from_text = window_pass(
                self.generator,
                batch,
                text,
                durations,
                self.segment,
                spread=1.0 if self.voice.latent_noise is None else self.voice.latent_noise,
                from_text=weights.from_text > 0,
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
        if self.voice.window is None:
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
                group["lr"] = group["rate"] * group["share"] * factor

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
            "average": self.average.state_dict(),
            "alignments": self.alignments.state_dict(),
        }

    def load_run_state(self, state: dict[str, Any]) -> None:
        """Take up what `run_state` gave."""
        self.step, self.pieces = state["step"], state["pieces"]
        self.average.load_state_dict(state["average"])
        self.alignments.load_state_dict(state["alignments"])


def freeze_unlearned(generator: Vits, settings: TrainingConfig, voice: VoiceConfig) -> Vits:
    """Freeze the parts that the settings name and those whose learning rate is 0."""
    still = [part for part in PARTS if getattr(voice.learning_rates, part) == 0]
    return generator.freeze({*settings.freeze, *still})


def trained_parts(generator: Vits) -> Iterable[tuple[str, list[tuple[str, nn.Parameter]]]]:
    """Parts that learn, with their parameters and the names that these have in the generator."""
    for part, prefix in PARTS.items():
        module = getattr(generator, prefix, None)
        named = module.named_parameters(prefix) if module is not None else ()
        learning = [(name, p) for name, p in named if p.requires_grad]
        if learning:
            yield part, learning


def _adamw(groups: list[dict[str, Any]]) -> torch.optim.Optimizer:
    return torch.optim.AdamW(groups, lr=0.0, betas=BETAS, eps=EPSILON, fused=True)


def _as_list(optimisers: Any) -> list[Any]:
    return list(optimisers) if isinstance(optimisers, list | tuple) else [optimisers]
