"""VocoderModule: a vocoder as a LightningModule.

    module = VocoderModule(family="vocos", size="tiny")
    Trainer(max_epochs=1).fit(module, train_dataloaders=module.train_dataloader("recordings"))
    audio = VocoderModule.load_from_checkpoint("last.ckpt").synthesise(mel)

Generator and discriminators learn in one automatic step: neither's loss leads back into the other, so one backward pass
serves both, and accumulation, clipping, precision, schedulers and `global_step` of the Trainer are what they say. With manual
optimisation Lightning would refuse the first two, step no scheduler, and count each network's step.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import lightning
import torch

from voxgraft.checkpoints import Checkpoint, open_checkpoint
from voxgraft.checkpoints.checkpoint import Provenance
from voxgraft.checkpoints.formats.voxgraft.metadata import KEY, metadata_of
from voxgraft.config.run import RunConfig
from voxgraft.corpus.importers import import_corpus
from voxgraft.corpus.manifest import Manifest
from voxgraft.corpus.prepare.frames import prepare_frames
from voxgraft.errors import TrainingError
from voxgraft.graft.apply import apply_plan, build, build_discriminator
from voxgraft.graft.discriminators import discriminator_kind
from voxgraft.graft.make import make_plan, scratch_plan
from voxgraft.graft.target import target_for
from voxgraft.models.spectral_norm import approach_spectra
from voxgraft.models.vocoders.speak import noise_channels, speak
from voxgraft.training.loop.schedule import Schedule
from voxgraft.training.tasks.graft_notice import notice_plan
from voxgraft.training.tasks.vocoder.batches import Batch, Cutting
from voxgraft.training.tasks.vocoder.examples import make_examples, require_examples
from voxgraft.training.tasks.vocoder.module import VocoderLearner
from voxgraft.training.tasks.vocoder.setup import model_of
from voxgraft.training.tasks.vocoder.spectrogram import segment_frames
from voxgraft.training.tasks.vocoder.steps import StepsOfEpoch, steps_loader
from voxgraft.training.tasks.vocoder.usual import settled, usual_of

SETTINGS = "vocoder"


class VocoderModule(lightning.LightningModule):
    """A vocoder with its discriminators: `generator` and, unless there are none, `discriminator`, under canonical names.

    `checkpoint_path_v1` is a base in any format that voxgraft opens, older ones of tts-framework and VoiceSmith too: it is
    grafted by plan, which is said and kept as `plan`. Without one, `family` and `size` are those of a network from scratch.
    Further arguments are settings of the section `vocoder`, such as `discriminator`, `learning_rates` or `segment`.
    Raises VoxgraftError where the base can't be opened or grafted, or a setting is wrong.
    """

    def __init__(self, *, checkpoint_path_v1: str | Path | None = None, seed: int = 0, **vocoder: Any) -> None:
        super().__init__()
        base = open_checkpoint(checkpoint_path_v1) if checkpoint_path_v1 is not None else None
        config = RunConfig(
            task="vocoder", base=str(checkpoint_path_v1 or "none"), seed=seed, vocoder=_inherited(base) | vocoder
        )
        target = target_for(config, base)
        self.plan = make_plan(base, target) if base is not None else scratch_plan(target)
        self.plan.require_accepted()
        notice_plan(self.plan, base)
        self.model = model_of(target, base)
        kind = discriminator_kind(config.vocoder, base)
        usual = usual_of(target.family, base.variant if base is not None else None)
        found = settled(config.vocoder, usual, from_scratch=base is None)
        self.settings = found.model_copy(update={"discriminator": kind})
        self.seed = seed
        whole = build(target, seed)
        if kind != "none":
            whole.discriminator = build_discriminator(kind, seed)
        apply_plan(self.plan, base, whole)
        learner = VocoderLearner(whole, self.model.audio, self.settings, ema=0.0, steps_per_epoch=1)
        self.generator, self.discriminator = learner.generator, learner.discriminator
        # Out of the module's sight: it would register the networks once more.
        self.__dict__["learner"] = learner

    def training_step(self, batch: Batch, batch_idx: int) -> torch.Tensor:
        """Both networks' losses in one: neither leads back into the other."""
        generator, discriminator, terms = self.learner.whole_losses(batch)
        self.log_dict({f"train/{name}": value.detach() for name, value in terms.items()}, batch_size=len(batch))
        return generator if discriminator is None else generator + discriminator

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        """Spectral norms come nearer once a step, however many batches it is accumulated of."""
        self.learner.at_step(self.global_step)
        if self.discriminator is not None and batch_idx % self.trainer.accumulate_grad_batches == 0:
            approach_spectra(self.discriminator)

    def configure_optimizers(self) -> Any:
        """AdamW, a group for each network; the rates fall with each epoch."""
        rates = (self.settings.learning_rates.generator, self.settings.learning_rates.discriminator)
        networks = (network for network in (self.generator, self.discriminator) if network is not None)
        groups = [
            {"params": [p for p in network.parameters() if p.requires_grad], "lr": rate}
            for network, rate in zip(networks, rates, strict=False)
        ]
        optimiser = torch.optim.AdamW(
            groups, betas=self.settings.betas or (0.8, 0.99), weight_decay=self.settings.weight_decay
        )
        decay = torch.optim.lr_scheduler.ExponentialLR(optimiser, self.settings.decay_per_epoch)
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": decay, "interval": "epoch"}}

    def configure_gradient_clipping(
        self,
        optimizer: torch.optim.Optimizer,
        gradient_clip_val: float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        """Each network by its own gradients, not both by their common norm."""
        if not gradient_clip_val:
            return
        clip = torch.nn.utils.clip_grad_value_ if gradient_clip_algorithm == "value" else torch.nn.utils.clip_grad_norm_
        for network in (self.generator, self.discriminator):
            if network is not None:
                clip([p for p in network.parameters() if p.grad is not None], gradient_clip_val)

    def forward(self, mel: torch.Tensor) -> torch.Tensor:
        """Log mel [B, M, T] -> audio [B, 1, T * hop]."""
        return speak(self.generator, mel)

    def synthesise(self, mel: torch.Tensor) -> torch.Tensor:
        """Log mel [M, T] or [B, M, T], as `model.audio` has it -> audio [samples] or [B, samples]; the same every time."""
        was_training = self.generator.training
        self.generator.eval()
        batch = mel if mel.dim() == 3 else mel.unsqueeze(0)
        audio = speak(self.generator, batch.to(self.device)).squeeze(1)
        self.generator.train(was_training)
        return audio if mel.dim() == 3 else audio[0]

    def train_dataloader(  # type: ignore[override]
        self,
        corpus: str | Path | Manifest | None = None,
        *,
        batch: int = 16,
        cache: str | Path | None = None,
        loudness: float | None = -23.0,
        trim: bool = True,
        workers: int = 0,
    ) -> Any:
        """Batches of a corpus, a folder or a table of recordings, as functions of epoch and place: the same again on a resume.

        Prepared recordings are kept in the folder `cache`. CorpusError: it can't be read.
        """
        if corpus is None:
            raise TrainingError(
                "there is nothing to train on",
                field="train_dataloaders",
                remedy="Give `trainer.fit` train_dataloaders=module.train_dataloader(CORPUS).",
            )
        manifest = corpus if isinstance(corpus, Manifest) else import_corpus(Path(corpus))
        folder = Path(cache) if cache is not None else Path(tempfile.gettempdir()) / "voxgraft-cache"
        spec = self.model.audio
        prepared = prepare_frames(manifest, spec, loudness=loudness, trim=trim, cache_dir=folder)
        segment = segment_frames(self.settings.segment, spec)
        found = make_examples(prepared, spec, segment, (0.0, float("inf")), {})
        require_examples(found, manifest)
        schedule = Schedule(tuple(e.frames for e in found.kept), min(batch, len(found.kept)), self.seed)
        cutting = Cutting(segment, noise_channels(self.generator))
        return steps_loader(StepsOfEpoch(schedule, self._epoch), found.kept, cutting, self.seed, workers)

    def _epoch(self) -> int:
        return self.current_epoch

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """What the weights are, so that voxgraft opens the file as any other."""
        described = Checkpoint(
            family=self.model.family,
            architecture=self.model.architecture,
            tensors={},
            provenance=Provenance(Path("."), "voxgraft-lightning", ""),
            audio=self.model.audio,
            epoch=int(checkpoint.get("epoch", 0)),
            step=int(checkpoint.get("global_step", 0)),
            config={SETTINGS: self.settings.model_dump(mode="json")},
        )
        checkpoint[KEY] = metadata_of(described)

    @classmethod
    def load_from_checkpoint(  # type: ignore[override]
        cls, checkpoint_path: str | Path, map_location: Any = None, **vocoder: Any
    ) -> VocoderModule:
        """The module that a file holds: one of ours, of EveryVoice, tts-framework or any other that voxgraft opens. Nothing
        in the file is run. Settings that are given go over those that it was trained with."""
        module = cls(checkpoint_path_v1=checkpoint_path, **vocoder)
        return module if map_location is None else module.to(map_location)


def _inherited(base: Checkpoint | None) -> dict[str, Any]:
    """The settings of the module that wrote a file; none for other files."""
    stored: Mapping[str, Any] = base.config.get(SETTINGS, {}) if base is not None else {}
    return dict(stored) if isinstance(stored, dict) else {}
