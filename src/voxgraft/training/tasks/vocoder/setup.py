"""Set a vocoder's run up: base, graft, corpus and networks, each made by its own package."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from voxgraft.architectures.families import family_of
from voxgraft.audio.spec import AudioSpec
from voxgraft.checkpoints import Checkpoint, open_checkpoint
from voxgraft.checkpoints.checkpoint import Provenance
from voxgraft.checkpoints.formats.voxgraft.metadata import metadata_of
from voxgraft.checkpoints.formats.voxgraft.write import write_safetensors
from voxgraft.config.run import RunConfig
from voxgraft.errors import TrainingError
from voxgraft.graft.apply import apply_plan, build, build_discriminator
from voxgraft.graft.discriminators import discriminator_kind
from voxgraft.graft.plan import GraftPlan
from voxgraft.graft.plan_project import plan_project
from voxgraft.graft.target import Target
from voxgraft.models.vocoders.speak import noise_channels
from voxgraft.project.run_folder import RunFolder, checkpoint_name, run_folder
from voxgraft.training.loop.device import choose_device, choose_precision, shared_batch
from voxgraft.training.loop.learner import Position
from voxgraft.training.loop.processes import Processes
from voxgraft.training.loop.time_budget import steps_that_fit, timed, with_steps
from voxgraft.training.loop.validation import Best, Kept, Sample, Verdict
from voxgraft.training.tasks.graft_notice import notice_plan
from voxgraft.training.tasks.task import Outcome
from voxgraft.training.tasks.vocoder.batches import Batch, make_batch
from voxgraft.training.tasks.vocoder.data import VocoderData, batches, data_of, schedule_of
from voxgraft.training.tasks.vocoder.export import export_best
from voxgraft.training.tasks.vocoder.module import VocoderLearner
from voxgraft.training.tasks.vocoder.outcome import outcome
from voxgraft.training.tasks.vocoder.spectrogram import require_fitting
from voxgraft.training.tasks.vocoder.usual import settled, usual_of
from voxgraft.training.tasks.vocoder.validate import assess

# A mel loss of weight 45 has gradients of some hundreds; only what runs away is cut off.
GRADIENT_CLIP = 1000.0
# How many times the lowest mel distance of a run its best may have.
MOST_ABOVE_LOWEST = 1.25
# Clips a step.
BATCH_ON_CPU = 8
BATCH_ON_GPU = 16


@dataclass(frozen=True)
class Model:
    """What a vocoder is, besides its weights."""

    family: str
    architecture: dict[str, Any]
    audio: AudioSpec


@dataclass
class VocoderTraining:
    """A vocoder's run, ready to step: what the loop asks for (training/tasks/task.py: Training)."""

    config: RunConfig
    plan: GraftPlan | None
    model: Model
    data: VocoderData
    learner: VocoderLearner
    position: Position
    # Of all validations so far.
    lowest_mel: float = math.inf
    rates_setting = "vocoder.learning_rates"
    # The best is never worse than the graft that the run begins with.
    validates_graft = True

    @property
    def folder(self) -> RunFolder:
        """Of the run."""
        return run_folder(self.config)

    def batches(self, begin: int, end: int, processes: Processes) -> Iterable[Any]:
        """Batches of steps `begin` to `end`, this process's share of each."""
        return batches(self.data, self.config, range(begin, end), processes)

    def highest_rate(self) -> float:
        """Of the generator in the step just taken."""
        return max(group["lr"] for group in self.learner.optimisers[0].param_groups)

    def validate(self) -> tuple[Verdict, list[Sample]]:
        """Held-out recordings, made of their spectrograms again.

        Once discriminators are used, sound goes on getting better where distances no longer fall, so that the newest is taken
        for the best unless its mel distance is much above the lowest; HiFi-GAN's authors take the last.
        """
        clips = self.data.validation[: self.config.vocoder.validation_clips]
        verdict, samples = assess(self.learner.network, clips, self.model.audio)
        assert verdict.mel_distance is not None
        self.lowest_mel = min(self.lowest_mel, verdict.mel_distance)
        if not self.learner.judges:
            return verdict, samples
        near = verdict.mel_distance <= MOST_ABOVE_LOWEST * self.lowest_mel
        return replace(verdict, score=float(self.position.step), eligible=near), samples

    def keep_best(self, step: int) -> Kept:
        """Weights of the best so far; it is exported at the end."""
        path = self.folder.best / checkpoint_name(self.epoch(step), step, ".safetensors")
        path.parent.mkdir(parents=True, exist_ok=True)
        write_safetensors(path, self._described(step))
        return Kept(path)

    def epoch(self, step: int) -> int:
        """The epoch that a step belongs to."""
        return schedule_of(self.data.train, self.config).epoch(step)

    def corpus(self) -> list[list[str]]:
        """Role, id, text and hash of the sound of each clip."""
        return self.data.rows

    def checkpoint(self) -> dict[str, Any]:
        """Weights under canonical names, and what they are."""
        return {
            "state_dict": self.learner.weights(),
            "voxgraft": metadata_of(self._described(self.position.step)),
            "voxgraft_run": {"lowest_mel": self.lowest_mel},
        }

    def refit(self) -> None:
        """Fit the steps that are left into the minutes of the settings."""
        self.position.steps = self.position.step + _steps_that_fit(self)
        self.config = with_steps(self.config, self.position.steps)

    def finish(self, best: Best | None) -> Outcome:
        """Export the best."""
        if best is not None:
            export_best(open_checkpoint(self.folder.best / best.weights), self.folder.vocoder)
        return outcome(self.folder.path)

    def _described(self, step: int) -> Checkpoint:
        """All that trains: a later run, on generated spectrograms say, takes the discriminators up too."""
        settings = self.config.vocoder
        return Checkpoint(
            family=self.model.family,
            architecture=self.model.architecture,
            tensors={name: tensor.detach().cpu().numpy() for name, tensor in self.learner.weights().items()},
            provenance=Provenance(
                self.folder.path, "voxgraft-run", "", self.config.corpus.licence, self.config.base, self.config.name
            ),
            audio=self.model.audio,
            epoch=self.epoch(step),
            step=step,
            config={"name": self.config.name, "base": self.config.base, "generated": settings.generated},
        )


def begin(config: RunConfig) -> VocoderTraining:
    """A new run: plan, graft; settings that were left to us are measured and decided."""
    graft = plan_project(config)
    graft.plan.require_accepted()
    notice_plan(graft.plan, graft.base)
    target = graft.target
    model = model_of(target, graft.base)
    config = _settled(config, graft.base, model.family)
    whole = _networks(target, config)
    apply_plan(graft.plan, graft.base, whole)
    data = data_of(config, model.audio, noise_channels(whole.generator))
    config = _with_batch(config, len(data.train))
    fresh = any(row.action == "init" and "discriminator" in row.part for row in graft.plan.rows)
    alone = (config.vocoder.discriminator_warmup or 0) if fresh else 0
    learner = _learner(config, whole, model, data, adversarial_from=config.vocoder.adversarial_from + alone)
    training = VocoderTraining(
        config,
        graft.plan,
        model,
        data,
        learner,
        Position(config.training.steps, pieces=config.training.accumulate),
    )
    if config.training.minutes is not None:
        training.position.steps = _steps_that_fit(training)
        training.config = with_steps(config, training.position.steps)
    return training


def resume(config: RunConfig, path: Path, content: dict[str, Any]) -> VocoderTraining:
    """A run that was stopped: everything from its last checkpoint; nothing is grafted again."""
    own = open_checkpoint(path)
    model = Model(own.family, dict(own.architecture), require_fitting(own.audio, own.architecture, path))
    whole = whole_network(model.family, model.architecture, config.vocoder.discriminator)
    data = data_of(config, model.audio, noise_channels(whole.generator))
    learner = _learner(config, whole, model, data)
    learner.load_weights(content["state_dict"])
    lowest = content["voxgraft_run"]["lowest_mel"]
    return VocoderTraining(config, None, model, data, learner, Position(config.training.steps), lowest)


def model_of(target: Target, base: Checkpoint | None) -> Model:
    """What a target is. TrainingError where its spectrogram and its network do not belong together."""
    file = base.provenance.path if base is not None else None
    audio = require_fitting(target.audio, target.architecture, file)
    return Model(target.family, dict(target.architecture), audio)


def whole_network(family: str, architecture: dict[str, Any], discriminator: str, seed: int = 0) -> nn.Module:
    """A module with `generator` and, unless that is `none`, `discriminator`, both as they start by themselves."""
    from voxgraft.models.networks import network_of

    whole = network_of(family, architecture)
    if discriminator != "none":
        whole.discriminator = build_discriminator(discriminator, seed)
    return whole


def _networks(target: Target, config: RunConfig) -> nn.Module:
    whole = build(target, config.seed)
    kind = config.vocoder.discriminator
    if kind != "none":
        whole.discriminator = build_discriminator(kind, config.seed)
    return whole


def _settled(config: RunConfig, base: Checkpoint | None, family: str) -> RunConfig:
    """The configuration with what was left to us decided, so that a resume decides nothing anew."""
    settings = config.training
    device = choose_device(settings.device)
    changes: dict[str, Any] = {
        "precision": "bf16" if choose_precision(settings.precision, device) is not None else "fp32",
        "device": device,
    }
    if "gradient_clip" not in settings.model_fields_set:
        changes["gradient_clip"] = GRADIENT_CLIP
    usual = usual_of(family, base.variant if base is not None else None)
    vocoder = settled(config.vocoder, usual, from_scratch=base is None)
    vocoder = vocoder.model_copy(update={"discriminator": discriminator_kind(config.vocoder, base)})
    return config.model_copy(update={"training": settings.model_copy(update=changes), "vocoder": vocoder})


def _with_batch(config: RunConfig, clips: int) -> RunConfig:
    settings = config.training
    batch = shared_batch(settings, clips, BATCH_ON_GPU if settings.device == "cuda" else BATCH_ON_CPU)
    return config.model_copy(update={"training": settings.model_copy(update={"batch": batch})})


def _learner(
    config: RunConfig, whole: nn.Module, model: Model, data: VocoderData, *, adversarial_from: int = 0
) -> VocoderLearner:
    freeze_parts(whole, model.family, config.training.freeze)
    return VocoderLearner(
        whole,
        model.audio,
        config.vocoder,
        ema=config.training.ema,
        steps_per_epoch=schedule_of(data.train, config).steps_per_epoch,
        autocast=torch.bfloat16 if config.training.precision == "bf16" else None,
        adversarial_from=adversarial_from,
    )


def freeze_parts(whole: nn.Module, family: str, freeze: Collection[str]) -> None:
    """Freeze the parts that are named. TrainingError where nothing of the generator would learn."""
    known = family_of(family)
    for name, parameter in whole.named_parameters():
        if known.part_of(name) in freeze:
            parameter.requires_grad_(False)
    if not any(p.requires_grad for p in whole.generator.parameters()):
        raise TrainingError(
            "the generator is frozen: nothing would learn",
            field="training.freeze",
            got=", ".join(freeze),
            remedy="Leave the generator out of it.",
        )


def _steps_that_fit(training: VocoderTraining) -> int:
    """Measure a step and a validation, and say how many fit into the minutes of the settings."""
    config, learner = training.config, training.learner
    device = torch.device(config.training.device)
    schedule = schedule_of(training.data.train, config)
    learner.to(device)
    # A step with everything in it is what is measured, whatever the first ones leave out.
    learner.begin_step(None, Position(config.training.steps, step=learner.adversarial_from), 0.0, Processes())

    def prepared(step: int) -> Batch:
        return make_batch(training.data.train, schedule.clips(step), training.data.cutting, config.seed, step).to(
            device
        )

    return steps_that_fit(training, prepared, timed(lambda: training.validate()))
