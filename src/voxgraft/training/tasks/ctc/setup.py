"""Set a recogniser's run up: base, alphabet, graft, corpus and network, each made by its own package."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader

from voxgraft.audio.spec import AudioSpec
from voxgraft.checkpoints import open_checkpoint
from voxgraft.checkpoints.checkpoint import Checkpoint, Provenance
from voxgraft.checkpoints.formats.voxgraft.metadata import metadata_of
from voxgraft.checkpoints.formats.voxgraft.write import write_safetensors
from voxgraft.config.run import RunConfig
from voxgraft.corpus.prepare.augmentation import Augmenter
from voxgraft.errors import GraftError
from voxgraft.export.recogniser.onnx import export_recogniser
from voxgraft.files import write_atomically
from voxgraft.graft.graft import Graft
from voxgraft.graft.plan import GraftPlan, read_plan
from voxgraft.graft.recogniser import (
    derived_labels,
    graft_network,
    plan_recogniser,
    require_recogniser,
    with_alphabet,
)
from voxgraft.graft.table import summary, verdict
from voxgraft.models.ctc.networks import build_network, canonical_state, load_canonical
from voxgraft.progress import notice
from voxgraft.project.corpora import Corpora, corpora_of
from voxgraft.project.project import open_base
from voxgraft.text.alphabet import alphabet_text
from voxgraft.training.loop.callbacks.validation import Best, Verdict
from voxgraft.training.loop.checkpoints import run_folder
from voxgraft.training.loop.device import choose_device, choose_precision, shared_batch
from voxgraft.training.loop.feed import Feed, loader_of
from voxgraft.training.loop.time_budget import steps_that_fit, timed
from voxgraft.training.tasks.ctc.data import Material, material_of
from voxgraft.training.tasks.ctc.diagnosis import Diagnosis
from voxgraft.training.tasks.ctc.examples import Example, make_batch
from voxgraft.training.tasks.ctc.layers import layer_rates, parameter_groups, told_learning
from voxgraft.training.tasks.ctc.model import Model, model_in, model_of, onto, start_from_scratch
from voxgraft.training.tasks.ctc.module import CtcTraining
from voxgraft.training.tasks.ctc.report import write_run_report
from voxgraft.training.tasks.ctc.testing import Tested, best_file, measured, tested_sets
from voxgraft.training.tasks.ctc.validate import listen
from voxgraft.training.tasks.vits.batches import Schedule

# Clips a step: more see the corpus less often in the same time.
BATCH_ON_CPU = 8
BATCH_ON_GPU = 32
# Now and then a batch of CTC has gradients that are a hundred times the usual.
GRADIENT_CLIP = 1.0


@dataclass
class Started:
    """A recogniser's run, ready to step."""

    config: RunConfig
    plan: GraftPlan | None
    model: Model
    material: Material
    module: CtcTraining
    diagnosis: Diagnosis
    augmenter: Augmenter
    sample_rate: int = 0
    referred: tuple[str, ...] = ()

    @property
    def network(self) -> torch.nn.Module:
        """What is validated and kept."""
        return self.module.network

    @property
    def folder(self) -> Path:
        """Of the run."""
        return run_folder(self.config)

    def feed(self) -> DataLoader[Any]:
        """Batches of the steps that are left."""
        schedule = schedule_of(self.material.train, self.config)
        examples, seed, module = self.material.train, self.config.seed, self.module

        def make(clips: Sequence[int], step: int, share: range) -> Any:
            total = sum(len(examples[clip].labels) for clip in clips)
            mine = [clips[place] for place in share]
            done = step / module.steps
            return make_batch(
                examples,
                mine,
                step=step,
                first=share.start,
                total=total,
                seed=seed,
                augmenter=self.augmenter,
                progress=done,
            )

        return loader_of(Feed(make, schedule, module.step, module.steps), self.config.training.workers)

    def assess(self, network: torch.nn.Module) -> tuple[Verdict, list[Any]]:
        """What the network hears of the recordings for dev; fewer errors are better, then a lower loss."""
        hearing = listen(network, self.material.dev, self.model.labels, next(network.parameters()).device)
        self.diagnosis.heard(self.module.step, hearing)
        cer = hearing.cer
        return Verdict(-cer - 1e-6 * min(hearing.loss, 100.0), True, cer, wer=hearing.wer, loss=hearing.loss), []

    def heed(self, better: bool, waited: int) -> None:
        """Lower the learning rates on a plateau, where the settings say so."""
        settings = self.config.recogniser
        if settings.plateau and not better and waited % settings.plateau == 0:
            self.module.rate_scale *= settings.plateau_factor
            notice(f"nothing better in {waited} validations: learning rates × {settings.plateau_factor:g}")

    def keep_best(self, network: torch.nn.Module, step: int) -> Path:
        """Weights of the best so far, alone."""
        folder = self.folder / "best"
        folder.mkdir(parents=True, exist_ok=True)
        checkpoint = self._described(network, step)
        path = folder / f"epoch={checkpoint.epoch}-step={step}.safetensors"
        write_safetensors(path, checkpoint)
        return path

    def forget_bests(self, validation: dict[str, Any]) -> None:
        """Delete what was best before, but for what the last checkpoint, or the one before, holds to be best: a run that
        is killed goes on from there."""
        best = validation["best"]
        self.referred = (*self.referred[-1:], Path(best["voice"]).name if best else "")
        self._keep_bests(self.referred)

    def _keep_bests(self, names: Sequence[str]) -> None:
        for path in (self.folder / "best").glob("*.safetensors"):
            if path.name not in names:
                path.unlink()

    def checkpoint(self, validation: dict[str, Any]) -> dict[str, Any]:
        """Everything that a resume needs, in the layout of a Lightning checkpoint, weights under canonical names."""
        module = self.module
        self.forget_bests(validation)
        described = self._described(module.network, module.step)
        return {
            "epoch": described.epoch,
            "global_step": module.step,
            "state_dict": {name: torch.from_numpy(array) for name, array in described.tensors.items()},
            "optimizer_states": module.states_of_optimisers(),
            "lr_schedulers": [],
            "loops": {},
            "callbacks": {},
            "voxgraft": metadata_of(described),
            "voxgraft_run": module.run_state()
            | {"validation": validation, "diagnosis": self.diagnosis.state_dict(), "task": "recogniser"},
        }

    def finish(self, best: Best | None) -> Tested | None:
        """Test the best on recordings that it never saw, next to the base; export it, and report."""
        config, device = self.config, next(self.network.parameters()).device
        sets = tested_sets(config, self.folder, best, self.material, device)
        if best is not None and best.voice is not None:
            self._keep_bests([best_file(self.folder, best).name])
            folder = Path(config.output) / "recognisers" / config.name
            exported = export_recogniser(open_checkpoint(best_file(self.folder, best)), folder, config.name)
            notice(f"exported: {exported}")
            found = self.diagnosis.found
            report = write_run_report(config, self.folder, best, sets, self.material, self.plan, found)
            notice(f"report: {report}")
        return measured(sets)

    def _described(self, network: torch.nn.Module, step: int) -> Checkpoint:
        model = self.model
        hears: dict[str, Any] = {"audio" if isinstance(model.hearing, AudioSpec) else "features": model.hearing}
        return Checkpoint(
            family=model.family,
            architecture=model.architecture,
            tensors=canonical_state(model.family, network, model.architecture),
            provenance=Provenance(
                self.folder, "voxgraft-run", "", self.config.corpus.licence, self.config.base, self.material.dataset
            ),
            symbols=model.symbols,
            languages=(self.config.language,) if self.config.language else (),
            epoch=schedule_of(self.material.train, self.config).epoch(step),
            step=step,
            config={"name": self.config.name, "base": self.config.base},
            **hears,
        )


def begin(config: RunConfig) -> Started:
    """A new run: alphabet, plan, graft; settings that were left to us are measured and fixed."""
    choose_device(config.training.device)
    base = open_base(config)
    require_recogniser(base, config)
    corpora = corpora_of(config)
    labels = derived_labels(config, base, corpora.train)
    graft = plan_recogniser(config, base, labels)
    if graft.plan.refusals:
        raise GraftError("this graft is refused", got="; ".join(graft.plan.refusals), remedy="see `voxgraft plan`")
    _tell(graft)
    model = model_of(graft, config)
    material, settled = _material(config, model, corpora)
    network = graft_network(onto(graft, model), config.seed)
    if base is None:
        start_from_scratch(network, material.train, config.seed)
    if labels is not None:
        path = run_folder(config) / "alphabet.txt"
        write_atomically(path, alphabet_text(labels))
        settled = with_alphabet(settled, path)
    started = _started(settled, graft.plan, model, material, network)
    notice(told_learning(network, started.module.groups, model.family))
    started.module.to(torch.device(settled.training.device))
    return _with_fitting_steps(started)


def take_up(config: RunConfig, path: Path, content: dict[str, Any]) -> Started:
    """A run that was stopped: everything from its last checkpoint; nothing is grafted again."""
    model = model_in(content, path)
    material, _ = _material(config, model, corpora_of(config))
    network = build_network(model.family, model.architecture)
    tensors = {name: tensor.numpy() for name, tensor in content["state_dict"].items()}
    load_canonical(model.family, network, tensors, model.architecture)
    plan = read_plan(run_folder(config) / "plan.json")
    started = _started(config, plan, model, material, network)
    state = content["voxgraft_run"]
    started.module.load_run_state(state)
    started.module.optimiser_states = content["optimizer_states"]
    started.diagnosis.load_state_dict(state["diagnosis"])
    return started


def schedule_of(examples: Sequence[Example], config: RunConfig) -> Schedule:
    """The run's schedule."""
    assert isinstance(config.training.batch, int), "resolved before the run begins"
    return Schedule(tuple(example.frames for example in examples), config.training.batch, config.seed)


def _material(config: RunConfig, model: Model, corpora: Corpora) -> tuple[Material, RunConfig]:
    material = material_of(config, corpora, model.transcript_spec(config), model.hearing)
    return material, _settled(config, material)


def _settled(config: RunConfig, material: Material) -> RunConfig:
    """The configuration with what was left to us decided, so that a resume decides nothing anew."""
    settings = config.training
    device = choose_device(settings.device)
    # On a CPU an LSTM in bf16 is no quicker.
    half = settings.precision == "bf16" or (
        device == "cuda" and choose_precision(settings.precision, device) is not None
    )
    batch = shared_batch(settings, len(material.train), BATCH_ON_GPU if device == "cuda" else BATCH_ON_CPU)
    changes: dict[str, Any] = {"batch": batch, "precision": "bf16" if half else "fp32", "device": device}
    epoch = -(-len(material.train) // batch)
    steps = settings.steps if config.recogniser.epochs is None else config.recogniser.epochs * epoch
    changes["steps"] = steps
    if "gradient_clip" not in settings.model_fields_set:
        changes["gradient_clip"] = GRADIENT_CLIP
    if "warmup" not in settings.model_fields_set:
        changes["warmup"] = min(settings.warmup, steps // 10)
    if "validate_every" not in settings.model_fields_set:
        changes["validate_every"] = max(1, min(settings.validate_every, max(epoch, steps // 10)))
    return config.model_copy(update={"training": settings.model_copy(update=changes)})


def _started(config: RunConfig, plan: GraftPlan, model: Model, material: Material, network: torch.nn.Module) -> Started:
    settings = config.training
    groups = list(parameter_groups(network, model.family, model.architecture, layer_rates(config, plan)))
    module = CtcTraining(
        network,
        groups,
        material.train,
        settings,
        blank=model.labels.blank,
        weight_decay=config.recogniser.weight_decay,
        steps=settings.steps,
        seed=config.seed,
        autocast=torch.bfloat16 if settings.precision == "bf16" else None,
    )
    augmenter = Augmenter(config.recogniser.augment, model.hearing.sample_rate)
    return Started(config, plan, model, material, module, Diagnosis(), augmenter)


def _with_fitting_steps(started: Started) -> Started:
    """Where the settings give minutes, measure a step and a validation and shorten the run to what fits."""
    settings, module = started.config.training, started.module
    if settings.minutes is not None:
        device = torch.device(settings.device)
        schedule = schedule_of(started.material.train, started.config)

        def prepared(step: int) -> Any:
            return make_batch(started.material.train, schedule.clips(step), augmenter=started.augmenter).to(device)

        def pass_over(batch: Any) -> None:
            module.loss(batch).sum().backward()
            module.zero_grad(set_to_none=True)

        def validate() -> None:
            listen(module.network, started.material.dev, started.model.labels, device)

        steps = steps_that_fit(settings, prepared, pass_over, timed(validate))
        module.steps = steps
        started.config = started.config.model_copy(update={"training": settings.model_copy(update={"steps": steps})})
    started.diagnosis.begins(started.config.training)
    return started


def _tell(graft: Graft) -> None:
    base, plan = graft.base, graft.plan
    notice(f"graft plan, from {base.provenance.path.name if base is not None else 'nothing (from scratch)'}:")
    for part, action, tensors, parameters, why in summary(plan):
        notice(f"  {part:<17} {action:<9} {tensors:>4} tensors {parameters:>11} parameters  {why}")
    for line in [*verdict(plan), *(f"warning: {warning}" for warning in plan.warnings)]:
        notice(f"  {line}")
