"""Set a recogniser's run up: base, alphabet, graft, corpus and network, each made by its own package."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from voxgraft.audio.spec import AudioSpec
from voxgraft.checkpoints import open_checkpoint
from voxgraft.checkpoints.checkpoint import Checkpoint, Provenance
from voxgraft.checkpoints.formats.voxgraft.metadata import metadata_of
from voxgraft.checkpoints.formats.voxgraft.write import write_safetensors
from voxgraft.config.run import RunConfig
from voxgraft.corpus.prepare.augmentation import Augmenter
from voxgraft.errors import ConfigError
from voxgraft.export.recogniser.onnx import export_recogniser
from voxgraft.files import write_atomically
from voxgraft.graft.plan import GraftPlan, read_plan
from voxgraft.graft.recogniser import (
    derived_labels,
    graft_network,
    plan_recogniser,
    require_recogniser,
    with_alphabet,
)
from voxgraft.models.ctc.networks import build_network, canonical_state, load_canonical
from voxgraft.progress import notice
from voxgraft.project.corpora import Corpora, corpora_of
from voxgraft.project.project import open_base
from voxgraft.project.run_folder import RunFolder, checkpoint_name, run_folder
from voxgraft.text.alphabet import alphabet_text
from voxgraft.training.loop.device import choose_device, choose_precision, shared_batch
from voxgraft.training.loop.learner import Position
from voxgraft.training.loop.processes import Processes
from voxgraft.training.loop.time_budget import steps_that_fit, timed, with_steps
from voxgraft.training.loop.validation import Best, Kept, Sample, Verdict
from voxgraft.training.tasks.ctc.data import RecogniserData, batches, data_of, schedule_of
from voxgraft.training.tasks.ctc.diagnosis import Diagnosis
from voxgraft.training.tasks.ctc.examples import Batch, make_batch
from voxgraft.training.tasks.ctc.layers import layer_rates, parameter_groups, told_learning
from voxgraft.training.tasks.ctc.model import Model, model_in, model_of, onto, start_from_scratch
from voxgraft.training.tasks.ctc.module import CtcLearner
from voxgraft.training.tasks.ctc.outcome import outcome
from voxgraft.training.tasks.ctc.report import write_run_report
from voxgraft.training.tasks.ctc.testing import tested_sets
from voxgraft.training.tasks.ctc.validate import transcribe
from voxgraft.training.tasks.graft_notice import notice_plan
from voxgraft.training.tasks.task import Outcome

# Clips a step: more see the corpus less often in the same time.
BATCH_ON_CPU = 8
BATCH_ON_GPU = 32
# Now and then a batch of CTC has gradients that are a hundred times the usual.
GRADIENT_CLIP = 1.0


@dataclass
class RecogniserTraining:
    """A recogniser's run, ready to step: what the loop asks for (training/tasks/task.py: Training)."""

    config: RunConfig
    plan: GraftPlan | None
    model: Model
    data: RecogniserData
    learner: CtcLearner
    position: Position
    diagnosis: Diagnosis
    augmenter: Augmenter
    rates_setting = "recogniser.learning_rates"
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

    def batches(self, begin: int, end: int, processes: Processes) -> Iterable[Any]:
        """Batches of steps `begin` to `end`, this process's share of each."""
        steps, length = range(begin, end), self.position.steps
        return batches(self.data.train, self.config, self.augmenter, steps, length, processes)

    def highest_rate(self) -> float:
        """Of all layers in the step just taken."""
        return max(group["lr"] for group in self.learner.optimisers[0].param_groups)

    def validate(self) -> tuple[Verdict, list[Sample]]:
        """What the network writes of the recordings for dev; fewer errors are better, then a lower loss."""
        found = transcribe(self.learner.network, self.data.dev, self.model.labels, self.device)
        self.diagnosis.validated(self.position.step, found)
        score = -found.cer - 1e-6 * min(found.loss, 100.0)
        return Verdict(score, cer=found.cer, wer=found.wer, loss=found.loss), []

    def keep_best(self, step: int) -> Kept:
        """Weights of the best so far, alone; it is exported at the end."""
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
        described = self._described(self.position.step)
        return {
            "state_dict": {name: torch.from_numpy(array) for name, array in described.tensors.items()},
            "voxgraft": metadata_of(described),
            "voxgraft_run": {"diagnosis": self.diagnosis.state_dict()},
        }

    def refit(self) -> None:
        """Fit the steps that are left into the minutes of the settings."""
        self.position.steps = self.position.step + _steps_that_fit(self)
        self.config = with_steps(self.config, self.position.steps)

    def finish(self, best: Best | None) -> Outcome:
        """Test the best on recordings that it never saw, next to the base; export it, and report."""
        sets = tested_sets(self.config, self.folder.path, best, self.data, self.device)
        if best is not None:
            weights = open_checkpoint(self.folder.best / best.weights)
            exported = export_recogniser(weights, self.folder.recogniser, self.config.name)
            notice(f"exported: {exported}")
            found = self.diagnosis.found
            report = write_run_report(self.config, self.folder.path, best, sets, self.data, self.plan, found)
            notice(f"report: {report}")
        return outcome(self.folder.path)

    def _described(self, step: int) -> Checkpoint:
        model, network = self.model, self.learner.network
        spec: dict[str, Any] = {"audio" if isinstance(model.features, AudioSpec) else "features": model.features}
        return Checkpoint(
            family=model.family,
            architecture=model.architecture,
            tensors=canonical_state(model.family, network, model.architecture),
            provenance=Provenance(
                self.folder.path, "voxgraft-run", "", self.config.corpus.licence, self.config.base, self.data.dataset
            ),
            symbols=model.symbols,
            languages=(self.config.language,) if self.config.language else (),
            epoch=self.epoch(step),
            step=step,
            config={"name": self.config.name, "base": self.config.base},
            **spec,
        )


def begin(config: RunConfig) -> RecogniserTraining:
    """A new run: alphabet, plan, graft; settings that were left to us are measured and decided."""
    _require_one_length(config)
    base = open_base(config)
    require_recogniser(base, config)
    corpora = corpora_of(config)
    labels = derived_labels(config, base, corpora.train)
    graft = plan_recogniser(config, base, labels)
    graft.plan.require_accepted()
    notice_plan(graft.plan, graft.base)
    model = model_of(graft, config)
    data, settled = _data(config, model, corpora)
    network = graft_network(onto(graft, model), config.seed)
    if base is None:
        start_from_scratch(network, data.train, config.seed)
    if labels is not None:
        path = run_folder(config).alphabet
        write_atomically(path, alphabet_text(labels))
        settled = with_alphabet(settled, path)
    training = _training(settled, graft.plan, model, data, network)
    notice(told_learning(network, training.learner.groups, model.family))
    if settled.training.minutes is not None:
        training.position.steps = _steps_that_fit(training)
        training.config = with_steps(settled, training.position.steps)
    training.diagnosis.begins(training.config.training)
    return training


def resume(config: RunConfig, path: Path, content: dict[str, Any]) -> RecogniserTraining:
    """A run that was stopped: everything from its last checkpoint; nothing is grafted again."""
    model = model_in(content, path)
    data, _ = _data(config, model, corpora_of(config))
    network = build_network(model.family, model.architecture)
    tensors = {name: tensor.numpy() for name, tensor in content["state_dict"].items()}
    load_canonical(model.family, network, tensors, model.architecture)
    training = _training(config, read_plan(run_folder(config).plan), model, data, network)
    training.diagnosis.load_state_dict(content["voxgraft_run"]["diagnosis"])
    return training


def _data(config: RunConfig, model: Model, corpora: Corpora) -> tuple[RecogniserData, RunConfig]:
    data = data_of(config, corpora, model.transcript_spec(config), model.features)
    return data, _settled(config, data)


def _require_one_length(config: RunConfig) -> None:
    """Raise ConfigError where a run's length is set in passes and in steps."""
    if config.recogniser.epochs is not None and "steps" in config.training.model_fields_set:
        raise ConfigError(
            "the length of the run is set twice, in passes over the corpus and in steps",
            field="recogniser.epochs (--epochs), training.steps",
            got=f"{config.recogniser.epochs} and {config.training.steps}",
            remedy="Keep one of the two.",
        )


def _settled(config: RunConfig, data: RecogniserData) -> RunConfig:
    """The configuration with what was left to us decided, so that a resume decides nothing anew."""
    settings = config.training
    device = choose_device(settings.device)
    # On a CPU an LSTM in bf16 is no quicker.
    half = settings.precision == "bf16" or (
        device == "cuda" and choose_precision(settings.precision, device) is not None
    )
    batch = shared_batch(settings, len(data.train), BATCH_ON_GPU if device == "cuda" else BATCH_ON_CPU)
    changes: dict[str, Any] = {"batch": batch, "precision": "bf16" if half else "fp32", "device": device}
    epoch = -(-len(data.train) // batch)
    steps = settings.steps if config.recogniser.epochs is None else config.recogniser.epochs * epoch
    changes["steps"] = steps
    if "gradient_clip" not in settings.model_fields_set:
        changes["gradient_clip"] = GRADIENT_CLIP
    if "warmup" not in settings.model_fields_set:
        changes["warmup"] = min(settings.warmup, steps // 10)
    if "validate_every" not in settings.model_fields_set:
        changes["validate_every"] = max(1, min(settings.validate_every, max(epoch, steps // 10)))
    return config.model_copy(update={"training": settings.model_copy(update=changes)})


def _training(
    config: RunConfig, plan: GraftPlan, model: Model, data: RecogniserData, network: torch.nn.Module
) -> RecogniserTraining:
    settings = config.training
    learner = CtcLearner(
        network,
        parameter_groups(network, model.family, model.architecture, layer_rates(config, plan)),
        data.train,
        blank=model.labels.blank,
        ema=settings.ema,
        weight_decay=config.recogniser.weight_decay,
        autocast=torch.bfloat16 if settings.precision == "bf16" else None,
    )
    position = Position(settings.steps, pieces=settings.accumulate)
    augmenter = Augmenter(config.recogniser.augment, model.features.sample_rate)
    return RecogniserTraining(config, plan, model, data, learner, position, Diagnosis(), augmenter)


def _steps_that_fit(training: RecogniserTraining) -> int:
    """Measure a step and a validation, and say how many fit into the minutes of the settings."""
    device = torch.device(training.config.training.device)
    schedule = schedule_of(training.data.train, training.config)
    training.learner.to(device)

    def prepared(step: int) -> Batch:
        return make_batch(training.data.train, schedule.clips(step), augmenter=training.augmenter).to(device)

    def validate() -> None:
        transcribe(training.learner.network, training.data.dev, training.model.labels, device)

    return steps_that_fit(training, prepared, timed(validate))
