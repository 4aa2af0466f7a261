"""VitsLearner: the networks of a VITS voice, their optimisers, and the losses of one step."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from voxgraft.audio.spec import AudioSpec
from voxgraft.config.tasks.voice import VoiceConfig
from voxgraft.models.spectral import mel_spectrogram, spectrogram_to_mel
from voxgraft.models.vits import PARTS, Vits
from voxgraft.models.vits.masks import segments
from voxgraft.training.loop.adversarial import adversarial_losses
from voxgraft.training.loop.average import WeightAverage
from voxgraft.training.loop.learner import Position
from voxgraft.training.loop.optimisers import relative_size
from voxgraft.training.loop.processes import Processes
from voxgraft.training.tasks.vits.alignments import Alignments
from voxgraft.training.tasks.vits.batches import Batch
from voxgraft.training.tasks.vits.examples import Example
from voxgraft.training.tasks.vits.reconstruction import reconstruction_terms
from voxgraft.training.tasks.vits.texts import KeptTexts
from voxgraft.training.tasks.vits.windows import window_pass

BETAS = (0.8, 0.99)
EPSILON = 1e-9
GENERATOR = "model_g."
DISCRIMINATOR = "model_d."


class VitsLearner:
    """Generator and discriminator, an optimiser each; both step once a batch.

    `average` holds the averaged weights that voices are made of; `anew` names the tensors that no base gave.
    The generator learns from the discriminator from step `adversarial_from` on.
    """

    def __init__(
        self,
        generator: Vits,
        discriminator: nn.Module | None,
        examples: Sequence[Example],
        spec: AudioSpec,
        settings: VoiceConfig,
        *,
        ema: float,
        freeze: Collection[str] = (),
        autocast: torch.dtype | None,
        adversarial_from: int = 0,
        anew: Collection[str] = (),
    ) -> None:
        self.generator = freeze_unlearned(generator, settings, freeze)
        self.discriminator = discriminator
        self.spec = spec
        self.settings = settings
        self.autocast = autocast
        self.anew = frozenset(anew)
        self.adversarial_from = adversarial_from
        self.segment = settings.segment // spec.hop
        self.alignments = Alignments(examples, settings.realign_every)
        self.texts = KeptTexts()
        self.average = WeightAverage(self.generator, ema)
        self.networks = {"": self.generator} | ({"discriminator_": discriminator} if discriminator is not None else {})
        self.optimisers = self._optimisers()
        self._step = 0

    @property
    def network(self) -> Vits:
        """What is validated and kept."""
        return self.generator

    def _optimisers(self) -> list[torch.optim.Optimizer]:
        """AdamW of the generator, a group a tensor, and of the discriminator."""
        rates = self.settings.learning_rates
        groups = [
            {"params": [tensor], "part": part, "rate": getattr(rates, part), "size": self._size(name, tensor)}
            for part, tensors in trained_parts(self.generator)
            for name, tensor in tensors
        ]
        optimisers = [_adamw(groups)]
        if self.discriminator is not None:
            parameters = list(self.discriminator.parameters())
            optimisers.append(_adamw([{"params": parameters, "rate": rates.discriminator, "size": 1.0}]))
        return optimisers

    def _size(self, name: str, tensor: nn.Parameter) -> float:
        # The size of what the base did not give says nothing; some of it begins as zeros.
        by_size = self.settings.rates_by_size and name not in self.anew
        return relative_size(tensor) if by_size else 1.0

    def begin_step(self, batch: Batch, position: Position, factor: float, processes: Processes) -> None:
        """Align the clips whose alignment is old, each process some of them, and set the learning rates."""
        self._step = position.step
        for optimiser in self.optimisers:
            for group in optimiser.param_groups:
                group["lr"] = group["rate"] * group["size"] * factor
        if self.settings.window is None:
            return
        clips = [clip for part in processes.gather(batch.clips) for clip in part]
        stale = self.alignments.stale(clips, position.step)
        if not stale:
            return
        mine = stale[processes.rank :: processes.count]
        self.generator.eval()
        found = self.alignments.align(self.generator, mine, batch.ids.device) if mine else {}
        self.generator.train()
        for part in processes.gather(found):
            self.alignments.update(part, position.step)

    def losses(self, piece: Batch) -> tuple[list[torch.Tensor], dict[str, torch.Tensor]]:
        """Losses of generator and discriminator, and every term without its weight; each the piece's share of the batch."""
        share = len(piece) / piece.total
        generator, discriminator, terms = self.whole_losses(piece)
        found = [generator] if discriminator is None else [generator, discriminator]
        return [loss * share for loss in found], {name: value.detach() * share for name, value in terms.items()}

    def whole_losses(self, batch: Batch) -> tuple[torch.Tensor, torch.Tensor | None, dict[str, torch.Tensor]]:
        """The same as means over the clips at hand."""
        weights = self.settings.weights
        device = batch.audio.device.type
        with torch.autocast(device, dtype=self.autocast, enabled=self.autocast is not None):
            durations = None if self.settings.window is None else self._durations(batch)
            text = self.texts.encode(self.generator, batch)
            output, from_text = window_pass(
                self.generator,
                batch,
                text,
                durations,
                self.segment,
                spread=1.0 if self.settings.latent_noise is None else self.settings.latent_noise,
                from_text=weights.from_text > 0,
            )
        terms = reconstruction_terms(output, batch.spectrogram, self.spec, self.segment)
        if from_text is not None:
            wanted = spectrogram_to_mel(segments(batch.spectrogram, batch.offsets, self.segment), self.spec)
            terms["from_text"] = F.l1_loss(mel_spectrogram(from_text.squeeze(1), self.spec), wanted)
        total = sum(getattr(weights, name) * value for name, value in terms.items())
        if self.discriminator is None:
            return total, None, terms
        learns = self._step >= self.adversarial_from
        with torch.autocast(device, dtype=self.autocast, enabled=self.autocast is not None):
            adversarial = adversarial_losses(
                self.discriminator,
                batch.audio.unsqueeze(1),
                output.audio,
                weights.adversarial if learns else 0.0,
                weights.feature if learns else 0.0,
            )
        return total + adversarial.for_generator, adversarial.for_discriminator, terms | dict(adversarial.terms)

    def _durations(self, batch: Batch) -> torch.Tensor:
        return self.alignments.durations(batch.clips, batch.ids.device)

    def to(self, device: torch.device) -> None:
        """Move networks and averages."""
        for network in self.networks.values():
            network.to(device)
        self.average.to(device)

    def weights(self) -> dict[str, torch.Tensor]:
        """Weights as they are now, under Piper's names."""
        prefixes = zip((GENERATOR, DISCRIMINATOR), self.networks.values(), strict=False)
        return {prefix + name: tensor for prefix, network in prefixes for name, tensor in network.state_dict().items()}

    def load_weights(self, state: Mapping[str, torch.Tensor]) -> None:
        """Take up what `weights` gave; every name and shape must fit."""
        for prefix, network in zip((GENERATOR, DISCRIMINATOR), self.networks.values(), strict=False):
            own = {name.removeprefix(prefix): t for name, t in state.items() if name.startswith(prefix)}
            network.load_state_dict(own)

    def state_dict(self) -> dict[str, Any]:
        """What goes on after a resume, besides the weights and the optimisers."""
        return {
            "average": self.average.state_dict(),
            "alignments": self.alignments.state_dict(),
            "adversarial_from": self.adversarial_from,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up what `state_dict` gave."""
        self.average.load_state_dict(state["average"])
        self.alignments.load_state_dict(state["alignments"])
        # Older runs call it by another name.
        self.adversarial_from = state.get("adversarial_from", state.get("judge_from", 0))


def freeze_unlearned(generator: Vits, settings: VoiceConfig, freeze: Collection[str]) -> Vits:
    """Freeze the parts that are named and those whose learning rate is 0."""
    still = [part for part in PARTS if getattr(settings.learning_rates, part) == 0]
    return generator.freeze({*freeze, *still})


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
