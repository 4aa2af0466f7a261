"""Set a run up: base, graft, recovery, corpus, networks and judge, each made by its own package."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from voxgraft.checkpoints import Checkpoint, open_checkpoint
from voxgraft.config.run import RunConfig
from voxgraft.evaluation.judge import Judge
from voxgraft.export.piper.metadata import VoiceMetadata, metadata_from_dict, metadata_of
from voxgraft.export.piper.trainer_checkpoint import hyper_parameters
from voxgraft.graft.apply import apply_plan, build, build_discriminator
from voxgraft.graft.make import make_plan
from voxgraft.graft.plan import GraftPlan
from voxgraft.graft.plan_project import plan_project
from voxgraft.graft.target import Target, target_for, target_like
from voxgraft.models.vits import Vits
from voxgraft.progress import notice
from voxgraft.project.project import project_speakers
from voxgraft.project.run_folder import RunFolder, run_folder
from voxgraft.text.encode import encode_text
from voxgraft.training.loop.device import choose_batch, choose_device, choose_precision
from voxgraft.training.loop.learner import Position
from voxgraft.training.loop.processes import Processes
from voxgraft.training.loop.schedule import Schedule
from voxgraft.training.loop.time_budget import steps_that_fit, with_steps
from voxgraft.training.loop.validation import Best, Kept, Sample, Verdict
from voxgraft.training.tasks.graft_notice import notice_plan
from voxgraft.training.tasks.task import Outcome
from voxgraft.training.tasks.vits.batches import Batch, make_batch
from voxgraft.training.tasks.vits.data import VoiceData, batches, data_of, schedule_of, with_clips, with_kept_voices
from voxgraft.training.tasks.vits.export import keep_voice
from voxgraft.training.tasks.vits.metadata import metadata_for, scales_of
from voxgraft.training.tasks.vits.module import VitsLearner
from voxgraft.training.tasks.vits.new_parts import with_rates_for
from voxgraft.training.tasks.vits.outcome import outcome
from voxgraft.training.tasks.vits.recover import mel_distance, needs_recovery, open_recovered, recover
from voxgraft.training.tasks.vits.replay import FOLDER as REPLAY
from voxgraft.training.tasks.vits.replay import replayed
from voxgraft.training.tasks.vits.sentences import validation_texts
from voxgraft.training.tasks.vits.validate import JudgedSpeech, MelDistance

TARGET_CLIPS = 24
PLATEAU_CLIPS = 4


@dataclass
class VoiceTraining:
    """A voice's run, ready to step: what the loop asks for (training/tasks/task.py: Training)."""

    config: RunConfig
    plan: GraftPlan | None
    target: Target
    metadata: VoiceMetadata
    learner: VitsLearner
    position: Position
    data: VoiceData
    assess: JudgedSpeech | MelDistance
    rates_setting = "voice.learning_rates"
    validates_graft = False

    @property
    def folder(self) -> RunFolder:
        """Of the run."""
        return run_folder(self.config)

    @property
    def schedule(self) -> Schedule:
        """Which clips make which batch."""
        return schedule_of(self.data.train, self.config)

    def batches(self, begin: int, end: int, processes: Processes) -> Iterable[Any]:
        """Batches of steps `begin` to `end`, this process's share of each."""
        return batches(self.data, self.config, range(begin, end), processes)

    def highest_rate(self) -> float:
        """Of the generator's parts in the step just taken."""
        return max(group["lr"] for group in self.learner.optimisers[0].param_groups)

    def validate(self) -> tuple[Verdict, list[Sample]]:
        """Let the voice speak."""
        return self.assess(self.learner.network)

    def keep_best(self, step: int) -> Kept:
        """Weights of the best so far, alone, and the voice that they are."""
        return keep_voice(
            self.learner.network, self.metadata, self.target, self.folder, epoch=self.epoch(step), step=step
        )

    def epoch(self, step: int) -> int:
        """The epoch that a step belongs to."""
        return self.schedule.epoch(step)

    def corpus(self) -> list[list[str]]:
        """Role, id, text and hash of the sound of each clip."""
        return self.data.rows

    def checkpoint(self) -> dict[str, Any]:
        """Weights under Piper's names, described as Piper's trainer describes them."""
        step = self.position.step
        metadata = replace(self.metadata, step=step, epoch=self.epoch(step))
        return {
            "state_dict": self.learner.weights(),
            "hparams_name": "kwargs",
            "hyper_parameters": hyper_parameters(metadata, self.target.architecture),
            "voxgraft": metadata.for_weights(self.target.architecture),
            "voxgraft_run": {"base_cer": self.assess.base_cer, "metadata": metadata.to_dict()},
        }

    def refit(self) -> None:
        """Fit the steps that are left into the minutes of the settings."""
        left = steps_that_fit(self, passes(self), 0.0)
        self.position.steps = self.position.step + left
        self.config = with_steps(self.config, self.position.steps)

    def finish(self, best: Best | None) -> Outcome:
        """Say what may be expected of the best."""
        if best is not None and not best.eligible:
            notice(
                "no voice was understood as well as the base on sentences unlike the recordings: the one exported comes "
                f"nearest, CER {100 * (best.cer or 0):.1f} %. More recordings help most, then longer training."
            )
        return outcome(self.folder.path)


def begin(config: RunConfig) -> VoiceTraining:
    """A new run: plan, recover, graft; settings that were left to us are measured and decided."""
    graft = plan_project(config)
    graft.plan.require_accepted()
    notice_plan(graft.plan, graft.base)
    data = data_of(config, graft.target)
    config = _settled(config, graft.base, len(data.train))
    base = _whole_base(graft.base, config, data)
    plan = make_plan(base, graft.target, tuple(graft.plan.recovered)) if base is not None else graft.plan
    generator, discriminator = _networks(graft.target, config)
    apply_plan(plan, base, generator, discriminator)
    config = with_rates_for(config, plan)
    fresh = any(row.action == "init" and row.part == "discriminator" for row in plan.rows)
    anew = [row.target for row in plan.rows if row.action == "init" and row.target is not None]
    metadata = metadata_for(config, graft.base, graft.target, data.manifest, data.spec)
    data = with_kept_voices(config, graft.base, graft.target, data, generator)
    learner = _learner(config, generator, discriminator, data, anew)
    if fresh and base is not None:
        learner.adversarial_from = config.voice.discriminator_warmup
    training = VoiceTraining(
        config,
        plan,
        graft.target,
        metadata,
        learner,
        Position(config.training.steps, pieces=config.training.accumulate),
        data,
        _assessor(config, graft.target, data, metadata),
    )
    before = time.perf_counter()
    verdict = training.assess.measure_base(generator)
    seconds = time.perf_counter() - before
    if verdict.cer is not None:
        notice(f"the base: similarity {verdict.speaker_similarity:.3f}, CER {100 * verdict.cer:.1f} %")
    if config.training.minutes is not None:
        training.position.steps = steps_that_fit(training, passes(training), seconds)
        training.config = with_steps(config, training.position.steps)
    return training


def resume(config: RunConfig, path: Path, content: dict[str, Any]) -> VoiceTraining:
    """A run that was stopped: everything from its last checkpoint; nothing is grafted again."""
    own, state = open_checkpoint(path), content["voxgraft_run"]
    target = target_for(config, own, project_speakers(config))
    data = data_of(config, target)
    spoken = replayed(run_folder(config).path / REPLAY)
    if spoken is not None:
        data = with_clips(data, spoken, config, target)
    learner = _learner(config, *_networks(target, config), data)
    learner.load_weights(content["state_dict"])
    metadata = metadata_from_dict(state["metadata"])
    assess = _assessor(config, target, data, metadata)
    assess.base_cer = state["base_cer"]
    return VoiceTraining(config, None, target, metadata, learner, Position(config.training.steps), data, assess)


def _whole_base(base: Checkpoint | None, config: RunConfig, data: VoiceData) -> Checkpoint | None:
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
    texts = [e.prepared.utterance.text for e in data.train]
    ids = [np.array([i for part in encode_text(text, own.symbols) for i in part.ids]) for text in texts]
    clips = [e.prepared.audio for e in data.validation[:PLATEAU_CLIPS]]
    recovered = recover(base, model, ids, clips, config.voice.recovery, config.seed)
    notice(f"recovered in {recovered.seconds:.0f} s; mel distance on real clips {recovered.mel_distance or 0:.2f}")
    return recovered.checkpoint


def _networks(target: Target, config: RunConfig) -> tuple[Vits, nn.Module | None]:
    generator = build(target, config.seed)
    assert isinstance(generator, Vits)
    kind = config.voice.discriminator
    return generator, None if kind == "none" else build_discriminator(kind, config.seed)


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


def _learner(
    config: RunConfig, generator: Vits, discriminator: nn.Module | None, data: VoiceData, anew: Collection[str] = ()
) -> VitsLearner:
    return VitsLearner(
        generator,
        discriminator,
        data.train,
        data.spec,
        config.voice,
        ema=config.training.ema,
        freeze=config.training.freeze,
        autocast=torch.bfloat16 if config.training.precision == "bf16" else None,
        anew=anew,
    )


def passes(training: VoiceTraining) -> Callable[[int], Batch]:
    """The batch of a step, its clips aligned, for measuring what a pass takes."""
    learner, config = training.learner, training.config
    device = torch.device(config.training.device)

    def prepared(step: int) -> Batch:
        clips = training.schedule.clips(step)
        learner.alignments.update(learner.alignments.align(learner.generator.eval(), clips, device), 0)
        learner.generator.train()
        return make_batch(training.data.train, clips, training.data.cutting, config.seed, step).to(device)

    return prepared


def _assessor(
    config: RunConfig, target: Target, data: VoiceData, metadata: VoiceMetadata
) -> JudgedSpeech | MelDistance:
    language = metadata.language.family
    texts = validation_texts(config, language, data.validation)
    sentences = [[i for part in encode_text(text, target.symbols) for i in part.ids] for text in texts]
    speaker = data.train[0].speaker
    same = [e for e in data.train if e.speaker == speaker][:TARGET_CLIPS]
    judge = _judge(config, [(e.prepared.audio, target.sample_rate) for e in same], language)
    if judge is None:
        clips = [e.prepared.audio for e in data.validation[:PLATEAU_CLIPS]]
        return MelDistance(
            lambda model: mel_distance(model, clips, data.spec),
            sentences,
            sample_rate=data.spec.sample_rate,
            scales=scales_of(metadata),
            speaker=speaker,
        )
    return JudgedSpeech(
        judge,
        texts,
        sentences,
        sample_rate=target.sample_rate,
        scales=scales_of(metadata),
        speaker=speaker,
        margin=config.voice.cer_margin,
    )


def _judge(config: RunConfig, recordings: list[tuple[np.ndarray, int]], language: str) -> Judge | None:
    """What hears the voice at each validation; None where none is wanted or can be had, which is told."""
    from voxgraft.errors import EvaluationError, MissingExtra
    from voxgraft.evaluation.instruments import NO_RECOGNISER

    name = config.evaluation.recogniser
    if name == NO_RECOGNISER:
        notice("the best voice is chosen by mel distance, as no recogniser is wanted (evaluation.recogniser: none)")
        return None
    try:
        return Judge(recordings, language=language, recogniser=name)
    except (MissingExtra, EvaluationError) as fault:
        notice(
            f"the best voice is chosen by mel distance, as no recogniser can be had: {fault.summary}. {fault.remedy}"
        )
        return None
