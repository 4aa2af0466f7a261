"""Set the run of a text-to-spec model up: base, graft, corpus and network, each made by its own package."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from voxgraft.checkpoints import Checkpoint, open_checkpoint
from voxgraft.checkpoints.formats.voxgraft.metadata import metadata_of
from voxgraft.checkpoints.formats.voxgraft.write import write_safetensors
from voxgraft.config.run import RunConfig
from voxgraft.errors import TrainingError
from voxgraft.graft.apply import apply_plan, build
from voxgraft.graft.plan import GraftPlan
from voxgraft.graft.plan_project import plan_project
from voxgraft.graft.target import Target, target_for
from voxgraft.project.project import project_speakers
from voxgraft.project.run_folder import RunFolder, checkpoint_name, run_folder
from voxgraft.training.loop.device import choose_device, choose_precision, shared_batch
from voxgraft.training.loop.learner import Position
from voxgraft.training.loop.processes import Processes
from voxgraft.training.loop.time_budget import steps_that_fit, timed, with_steps
from voxgraft.training.loop.validation import Best, Kept, Sample, Verdict
from voxgraft.training.tasks.acoustic.batches import Batch, make_batch
from voxgraft.training.tasks.acoustic.data import AcousticData, batches, data_of, mixture_of
from voxgraft.training.tasks.acoustic.describe import Described
from voxgraft.training.tasks.acoustic.families.family import AcousticFamily
from voxgraft.training.tasks.acoustic.families.registry import acoustic_family
from voxgraft.training.tasks.acoustic.module import AcousticLearner
from voxgraft.training.tasks.acoustic.outcome import outcome
from voxgraft.training.tasks.acoustic.phase import LossSchedule, schedule_for
from voxgraft.training.tasks.acoustic.rates import loss_weights, parameter_groups, with_rates
from voxgraft.training.tasks.acoustic.validate import measure
from voxgraft.training.tasks.graft_notice import notice_plan
from voxgraft.training.tasks.task import Outcome

# Clips a step, as EveryVoice has it on a GPU; on a CPU fewer, so that a small corpus is seen in more steps.
BATCH_ON_CPU = 8
BATCH_ON_GPU = 16
# EveryVoice's.
GRADIENT_CLIP = 1.0
# From scratch: EveryVoice's steps, or this share of a shorter run.
WARMUP, WARMUP_SHARE = 1000, 0.1


@dataclass
class AcousticTraining:
    """A run of a text-to-spec model, ready to step: what the loop asks for (training/tasks/task.py: Training)."""

    config: RunConfig
    plan: GraftPlan | None
    target: Target
    family: AcousticFamily
    described: Described
    data: AcousticData
    learner: AcousticLearner
    position: Position
    rates_setting = "acoustic.learning_rates"
    # The best is never worse than the graft that the run begins with.
    validates_graft = True

    @property
    def folder(self) -> RunFolder:
        """Of the run."""
        return run_folder(self.config)

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return next(self.learner.network.parameters()).device

    @property
    def aligns(self) -> bool:
        """Whether batches need the aligner's prior."""
        return self.family.aligns(self.learner.network)

    def batches(self, begin: int, end: int, processes: Processes) -> Iterable[Any]:
        """Batches of steps `begin` to `end`, this process's share of each."""
        return batches(self.data, self.config, range(begin, end), processes, aligns=self.aligns)

    def highest_rate(self) -> float:
        """Of all groups in the step just taken."""
        return max(group["lr"] for group in self.learner.optimisers[0].param_groups)

    def validate(self) -> tuple[Verdict, list[Sample]]:
        """How near mels and durations come to those of the recordings that were set aside."""
        return measure(self.learner.network, self.family, self.data.validation, self.device).verdict, []

    def keep_best(self, step: int) -> Kept:
        """Weights of the best so far, alone, and what they are."""
        path = self.folder.best / checkpoint_name(self.epoch(step), step, ".safetensors")
        path.parent.mkdir(parents=True, exist_ok=True)
        write_safetensors(path, self._described(step))
        return Kept(path)

    def epoch(self, step: int) -> int:
        """The epoch that a step belongs to."""
        return mixture_of(self.data, self.config).epoch(step)

    def corpus(self) -> list[list[str]]:
        """Role, id, text and hash of the sound of each clip."""
        return self.data.rows

    def checkpoint(self) -> dict[str, Any]:
        """Weights under canonical names, and what they are."""
        described = self._described(self.position.step)
        return {
            "state_dict": self.learner.network.state_dict(),
            "voxgraft": metadata_of(described),
            "voxgraft_run": {"loss_schedule": asdict(self.learner.schedule), "described": asdict(self.described)},
        }

    def refit(self) -> None:
        """Fit the steps that are left into the minutes of the settings."""
        self.position.steps = self.position.step + steps_in_time(self)
        self.config = with_steps(self.config, self.position.steps)

    def finish(self, best: Best | None) -> Outcome:
        """Nothing is left to do: the best weights were written when they were found."""
        return outcome(self.folder.path)

    def _described(self, step: int) -> Checkpoint:
        return self.described.checkpoint(
            self.learner.network,
            self.target,
            self.learner.schedule,
            self.folder.path,
            epoch=self.epoch(step),
            step=step,
        )


def begin(config: RunConfig) -> AcousticTraining:
    """A new run: plan, graft, corpus; settings that were left to us are measured and decided."""
    graft = plan_project(config)
    graft.plan.require_accepted()
    warms_up = graft.base is None and "warmup" not in config.training.model_fields_set
    family = acoustic_family(graft.target.family)
    loss_weights(config, family)
    _require_symbols(graft.target)
    notice_plan(graft.plan, graft.base)
    data = data_of(config, graft.target)
    config = _settled(config, data)
    network = build(graft.target, config.seed)
    _require_durations(family, network, config)
    family.take_up(network, data.statistics)
    plan = family.refined(graft.plan, graft.base, network)
    apply_plan(plan, graft.base, network)
    family.meet(network, lambda: make_batch(data.train, mixture_of(data, config).clips(0)))
    config = with_rates(config, family, plan)
    schedule = schedule_for(family, config, graft.base, mixture_of(data, config).steps_per_epoch)
    described = Described.of(config, graft.base, data)
    training = _training(config, plan, graft.target, family, described, data, network, schedule)
    if config.training.minutes is not None:
        steps = steps_in_time(training)
        training.position.steps = steps
        training.config = with_steps(training.config, steps)
    if warms_up:
        training.config = _with_warmup(training.config)
    return training


def resume(config: RunConfig, path: Path, content: dict[str, Any]) -> AcousticTraining:
    """A run that was stopped: everything from its last checkpoint; nothing is grafted again."""
    own, state = open_checkpoint(path), content["voxgraft_run"]
    target = target_for(config, own, project_speakers(config))
    family = acoustic_family(target.family)
    data = data_of(config, target)
    network = build(target, config.seed)
    network.load_state_dict(content["state_dict"])
    schedule, described = LossSchedule(**state["loss_schedule"]), Described(**state["described"])
    return _training(config, None, target, family, described, data, network, schedule)


def _require_symbols(target: Target) -> None:
    """TrainingError for a base that reads something else than symbols."""
    if target.symbols is None:
        raise TrainingError(
            "the base reads no symbols that are known",
            field="base",
            expected="symbols, such as characters or phones",
            got="phonological features"
            if target.architecture.get("features")
            else "symbols that the file does not name",
            remedy="Take a base that reads characters or phones, or name its symbols with --symbols FILE (graft.symbols).",
        )


def _require_durations(family: AcousticFamily, network: nn.Module, config: RunConfig) -> None:
    """TrainingError where nothing says which symbol takes which frames."""
    if config.acoustic.durations is None and not family.aligns(network):
        raise TrainingError(
            "the base has no aligner: it does not find out by itself which symbol takes which frames",
            field="acoustic.durations",
            expected="a file or folder with durations",
            remedy="Name TextGrids, labels or a recogniser with --set acoustic.durations=PATH, or take another base.",
        )


def _settled(config: RunConfig, data: AcousticData) -> RunConfig:
    """The configuration with what was left to us decided, so that a resume decides nothing anew."""
    settings = config.training
    device = choose_device(settings.device)
    changes: dict[str, Any] = {
        "batch": shared_batch(settings, len(data.train), BATCH_ON_GPU if device == "cuda" else BATCH_ON_CPU),
        "precision": "bf16" if choose_precision(settings.precision, device) is not None else "fp32",
        "device": device,
    }
    if "gradient_clip" not in settings.model_fields_set:
        changes["gradient_clip"] = GRADIENT_CLIP
    return config.model_copy(update={"training": settings.model_copy(update=changes)})


def _with_warmup(config: RunConfig) -> RunConfig:
    """From scratch, rates rise as long as EveryVoice's do, or over a share of a shorter run."""
    settings = config.training
    warmup = min(WARMUP, round(WARMUP_SHARE * settings.steps))
    return config.model_copy(update={"training": settings.model_copy(update={"warmup": warmup})})


def _training(
    config: RunConfig,
    plan: GraftPlan | None,
    target: Target,
    family: AcousticFamily,
    described: Described,
    data: AcousticData,
    network: nn.Module,
    schedule: LossSchedule,
) -> AcousticTraining:
    settings = config.training
    learner = AcousticLearner(
        network,
        family,
        parameter_groups(network, family, config),
        clips=len(data.train),
        weights=loss_weights(config, family),
        schedule=schedule,
        realign_every=config.acoustic.realign_every,
        ema=settings.ema,
        weight_decay=config.acoustic.weight_decay,
        autocast=torch.bfloat16 if settings.precision == "bf16" else None,
    )
    position = Position(settings.steps, pieces=settings.accumulate)
    return AcousticTraining(config, plan, target, family, described, data, learner, position)


def steps_in_time(training: AcousticTraining) -> int:
    """Measure a step and a validation, and say how many fit into the minutes of the settings."""
    return steps_that_fit(training, passes(training), timed(training.validate))


def passes(training: AcousticTraining) -> Any:
    """The batch of a step, its clips aligned, for measuring what a pass takes."""
    learner, mixture = training.learner, mixture_of(training.data, training.config)

    def prepared(step: int) -> Batch:
        clips = mixture.clips(step)
        batch = make_batch(training.data.train, clips, aligns=training.aligns).to(training.device)
        if batch.durations is None:
            learner.alignments.update(learner.align(batch, learner.alignments.stale(clips, 0)), 0)
        return batch

    return prepared
