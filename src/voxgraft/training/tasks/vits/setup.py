"""Set a run up: base, graft, recovery, corpus, networks and judge, each made by its own package."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader

from voxgraft.checkpoints import Checkpoint, open_checkpoint
from voxgraft.config.run import RunConfig
from voxgraft.errors import GraftError
from voxgraft.export.piper.metadata import VoiceMetadata, metadata_from_dict, metadata_of
from voxgraft.export.piper.trainer_checkpoint import hyper_parameters, write_slim_checkpoint
from voxgraft.export.piper.voice import export_piper
from voxgraft.graft.apply import apply_plan, build, build_judge
from voxgraft.graft.make import make_plan
from voxgraft.graft.plan import GraftPlan
from voxgraft.graft.plan_project import plan_project
from voxgraft.graft.table import summary, verdict
from voxgraft.graft.target import Target, target_for, target_like
from voxgraft.models.vits import Vits
from voxgraft.progress import notice
from voxgraft.project.project import project_speakers, require_trainable
from voxgraft.text.encode import encode_text
from voxgraft.training.loop.callbacks.validation import Best
from voxgraft.training.loop.checkpoints import run_folder
from voxgraft.training.loop.device import choose_batch, choose_device, choose_precision
from voxgraft.training.loop.feed import feed, schedule_of
from voxgraft.training.loop.time_budget import fitting_steps
from voxgraft.training.tasks.vits.batches import Cutting
from voxgraft.training.tasks.vits.data import Material, material_of, with_clips, with_kept_voices
from voxgraft.training.tasks.vits.examples import Example
from voxgraft.training.tasks.vits.metadata import metadata_for, scales_of
from voxgraft.training.tasks.vits.module import VitsTraining
from voxgraft.training.tasks.vits.new_parts import with_rates_for
from voxgraft.training.tasks.vits.recover import mel_distance, needs_recovery, open_recovered, recover
from voxgraft.training.tasks.vits.replay import FOLDER as REPLAY
from voxgraft.training.tasks.vits.replay import replayed
from voxgraft.training.tasks.vits.sentences import validation_texts
from voxgraft.training.tasks.vits.validate import Listener, MelGauge

TARGET_CLIPS = 24
PLATEAU_CLIPS = 4


@dataclass
class Started:
    """A run, ready to step."""

    config: RunConfig
    plan: GraftPlan | None
    target: Target
    metadata: VoiceMetadata
    module: VitsTraining
    examples: tuple[Example, ...]
    cutting: Cutting
    assess: Listener | MelGauge

    @property
    def network(self) -> Vits:
        """What is validated and kept."""
        return self.module.generator

    @property
    def sample_rate(self) -> int:
        """Of the voice, in Hz."""
        return self.module.spec.sample_rate

    def feed(self) -> DataLoader[Any]:
        """Batches of the steps that are left."""
        return feed(self.examples, self.cutting, self.config, self.module.step, self.module.steps)

    def heed(self, better: bool, waited: int) -> None:
        """Nothing in the training of a voice depends on its validations."""

    def finish(self, best: Best | None) -> None:
        """Say what may be expected of the best."""
        if best is not None and not best.eligible:
            notice(
                f"no voice was understood as well as the base on sentences unlike the recordings: the one exported comes "
                f"nearest, CER {100 * (best.cer or 0):.1f} %; more recordings help most, then longer training"
            )

    def keep_best(self, generator: Vits, step: int) -> Path:
        """Weights of the best so far, alone, and the voice that they are; what was best before goes."""
        folder = run_folder(self.config) / "best"
        folder.mkdir(parents=True, exist_ok=True)
        metadata = replace(self.metadata, step=step, epoch=self._epoch(step))
        path = folder / f"epoch={metadata.epoch}-step={step}.ckpt"
        weights = {name: tensor.detach().cpu() for name, tensor in generator.state_dict().items()}
        write_slim_checkpoint(path, weights, metadata, self.target.architecture, epoch=metadata.epoch or 0, step=step)
        for older in folder.glob("*.ckpt"):
            if older != path:
                older.unlink()
        return export_piper(generator, metadata, Path(self.config.output) / "voices" / self.config.name)

    def checkpoint(self, validation: dict[str, Any]) -> dict[str, Any]:
        """Everything that a resume needs, in the layout of a Lightning checkpoint."""
        module, epoch = self.module, self._epoch(self.module.step)
        metadata = replace(self.metadata, step=module.step, epoch=epoch)
        return {
            "epoch": epoch,
            "global_step": module.step,
            "pytorch-lightning_version": _lightning_version(),
            "state_dict": module.state_of_networks(),
            "optimizer_states": module.states_of_optimisers(),
            "lr_schedulers": [],
            "loops": {},
            "callbacks": {},
            "hparams_name": "kwargs",
            "hyper_parameters": hyper_parameters(metadata, self.target.architecture),
            "voxgraft": metadata.for_weights(self.target.architecture),
            "voxgraft_run": module.run_state()
            | {
                "validation": validation,
                "base_cer": self.assess.base_cer,
                "judge_from": module.judge_from,
                "metadata": metadata.to_dict(),
            },
        }

    def _epoch(self, step: int) -> int:
        return schedule_of(self.examples, self.config).epoch(step)


def begin(config: RunConfig) -> Started:
    """A new run: plan, recover, graft; settings that were left to us are measured and fixed."""
    choose_device(config.training.device)
    graft = plan_project(config)
    require_trainable(graft.base)
    if graft.plan.refusals:
        raise GraftError("this graft is refused", got="; ".join(graft.plan.refusals), remedy="see `voxgraft plan`")
    _tell(graft.plan, graft.base)
    material = material_of(config, graft.target)
    config = _settled(config, graft.base, len(material.examples))
    base = _whole_base(graft.base, config, material)
    plan = make_plan(base, graft.target, tuple(graft.plan.recovered)) if base is not None else graft.plan
    generator, adversary = _networks(graft.target, config)
    apply_plan(plan, base, generator, adversary)
    config = with_rates_for(config, plan)
    fresh = any(row.action == "init" and row.part == "discriminator" for row in plan.rows)
    anew = [row.target for row in plan.rows if row.action == "init" and row.target is not None]
    metadata = metadata_for(config, graft.base, graft.target, material.manifest)
    material = with_kept_voices(config, graft.base, graft.target, material, generator)
    module = _module(config, generator, adversary, material, warm_up=fresh and base is not None, anew=anew)
    assess = _assessor(config, graft.target, material, metadata)
    started = Started(config, plan, graft.target, metadata, module, material.examples, material.cutting, assess)
    before = time.perf_counter()
    verdict = assess.hear_the_base(generator)
    listening = time.perf_counter() - before
    if verdict.cer is not None:
        notice(f"the base: similarity {verdict.speaker_similarity:.3f}, CER {100 * verdict.cer:.1f} %")
    return _with_fitting_steps(started, listening)


def take_up(config: RunConfig, path: Path, content: dict[str, Any]) -> Started:
    """A run that was stopped: everything from its last checkpoint; nothing is grafted again."""
    own, state = open_checkpoint(path), content["voxgraft_run"]
    target = target_for(config, own, project_speakers(config))
    material = material_of(config, target)
    spoken = replayed(run_folder(config) / REPLAY)
    if spoken is not None:
        material = with_clips(material, spoken, config, target)
    generator, adversary = _networks(target, config)
    module = _module(config, generator, adversary, material, warm_up=False)
    module.load_networks(content["state_dict"])
    module.load_run_state(state)
    module.judge_from = state["judge_from"]
    module.optimiser_states = content["optimizer_states"]
    metadata = metadata_from_dict(state["metadata"])
    assess = _assessor(config, target, material, metadata)
    assess.base_cer = state["base_cer"]
    return Started(config, None, target, metadata, module, material.examples, material.cutting, assess)


def _whole_base(base: Checkpoint | None, config: RunConfig, material: Material) -> Checkpoint | None:
    """The base with all the parts that training needs, recovered where it lacks some."""
    if base is None or not needs_recovery(base):
        return base
    kept = open_recovered(base, config.voice.recovery)
    if kept is not None:
        notice("the base lacks its posterior encoder: recovered earlier, taken from the cache")
        return kept
    notice("the base lacks its posterior encoder: recovering it by self-distillation (once for this base)")
    own = target_like(base)
    model = build(own, config.seed)
    assert isinstance(model, Vits)
    apply_plan(make_plan(base, own), base, model)
    texts = [e.prepared.utterance.text for e in material.examples]
    ids = [np.array([i for part in encode_text(text, own.symbols) for i in part.ids]) for text in texts]
    clips = [e.prepared.audio for e in material.validation[:PLATEAU_CLIPS]]
    recovered = recover(base, model, ids, clips, config.voice.recovery, config.seed)
    notice(f"recovered in {recovered.seconds:.0f} s; mel distance on real clips {recovered.mel_distance or 0:.2f}")
    return recovered.checkpoint


def _networks(target: Target, config: RunConfig) -> tuple[Vits, nn.Module | None]:
    generator = build(target, config.seed)
    assert isinstance(generator, Vits)
    kind = config.voice.discriminator
    return generator, None if kind == "none" else build_judge(kind, config.seed)


def _settled(config: RunConfig, base: Checkpoint | None, clips: int) -> RunConfig:
    """The configuration with what was left to us decided, so that a resume decides nothing anew."""
    settings = config.training
    device = choose_device(settings.device)
    precision = "bf16" if choose_precision(settings.precision, device) is not None else "fp32"
    changes = {
        "batch": choose_batch(settings, clips, device),
        "precision": precision,
        "device": device,
    }
    voice = config.voice.model_copy(update={"latent_noise": _latent_noise(config, base)})
    return config.model_copy(update={"training": settings.model_copy(update=changes), "voice": voice})


def _latent_noise(config: RunConfig, base: Checkpoint | None) -> float:
    """A decoder learns from latents as it will be given them; one that knows nothing yet, from all that there are."""
    if config.voice.latent_noise is not None:
        return config.voice.latent_noise
    if base is None:
        return 1.0
    spoken_with = metadata_of(base, name=config.name).scales["noise_scale"]
    return spoken_with if config.voice.noise_scale is None else config.voice.noise_scale


def _module(
    config: RunConfig,
    generator: Vits,
    adversary: nn.Module | None,
    material: Material,
    *,
    warm_up: bool,
    anew: Collection[str] = (),
) -> VitsTraining:
    return VitsTraining(
        generator,
        adversary,
        material.examples,
        material.spec,
        config.training,
        config.voice,
        steps=config.training.steps,
        seed=config.seed,
        autocast=torch.bfloat16 if config.training.precision == "bf16" else None,
        warm_up_discriminator=warm_up,
        anew=anew,
    )


def _with_fitting_steps(started: Started, listening: float) -> Started:
    """Where the settings give minutes, measure a step and shorten the run to what fits, with validations of so many seconds."""
    settings = started.config.training
    if settings.minutes is None:
        return started
    steps = fitting_steps(started.module, started.examples, started.cutting, started.config, listening)
    started.module.steps = steps
    started.config = started.config.model_copy(update={"training": settings.model_copy(update={"steps": steps})})
    return started


def _assessor(config: RunConfig, target: Target, material: Material, metadata: VoiceMetadata) -> Listener | MelGauge:
    from voxgraft.errors import EvaluationError, MissingExtra
    from voxgraft.evaluation.judge import Judge

    language = metadata.language.family
    texts = validation_texts(config, language, material.validation)
    sentences = [[i for part in encode_text(text, target.symbols) for i in part.ids] for text in texts]
    speaker = material.examples[0].speaker
    same = [e for e in material.examples if e.speaker == speaker][:TARGET_CLIPS]
    try:
        judge = Judge(
            [(e.prepared.audio, target.sample_rate) for e in same],
            language=language,
            recogniser=config.evaluation.recogniser,
        )
    except (MissingExtra, EvaluationError) as fault:
        notice(f"no judge: {fault.summary}. The best voice is chosen by mel distance instead. {fault.remedy}")
        clips = [e.prepared.audio for e in material.validation[:PLATEAU_CLIPS]]
        return MelGauge(
            lambda model: mel_distance(model, clips, material.spec), sentences, scales_of(metadata), speaker
        )
    return Listener(
        judge,
        texts,
        sentences,
        sample_rate=target.sample_rate,
        scales=scales_of(metadata),
        speaker=speaker,
        margin=config.voice.cer_margin,
    )


def _tell(plan: GraftPlan, base: Checkpoint | None) -> None:
    notice(f"graft plan, from {base.provenance.path.name if base is not None else 'nothing (from scratch)'}:")
    for part, action, tensors, parameters, why in summary(plan):
        notice(f"  {part:<17} {action:<9} {tensors:>4} tensors {parameters:>11} parameters  {why}")
    for line in [*verdict(plan), *(f"warning: {warning}" for warning in plan.warnings)]:
        notice(f"  {line}")


def _lightning_version() -> str:
    from importlib.metadata import version

    return version("lightning")
