"""What `voxgraft evaluate` does with a text-to-spec model: base and result make mels at the recordings' own durations."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from voxgraft.architectures.families import family_of
from voxgraft.checkpoints import Checkpoint, open_checkpoint
from voxgraft.config.run import GraftConfig, RunConfig
from voxgraft.corpus.manifest import Manifest
from voxgraft.errors import EvaluationError, VoxgraftError
from voxgraft.evaluation import material
from voxgraft.evaluation.bootstrap import Interval, ratio_interval
from voxgraft.export.pair.vocoder import named_vocoder
from voxgraft.export.source import Source, find_source
from voxgraft.graft.target import target_for
from voxgraft.progress import notice
from voxgraft.project.corpora import voice_split
from voxgraft.project.project import FROM_SCRATCH, as_trained, project_manifest
from voxgraft.training.tasks.acoustic.data import examples_of
from voxgraft.training.tasks.acoustic.describe import statistics_of
from voxgraft.training.tasks.acoustic.families.registry import acoustic_families
from voxgraft.training.tasks.acoustic.heard import evaluate_heard
from voxgraft.training.tasks.acoustic.network import whole_network
from voxgraft.training.tasks.acoustic.validate import Errors, measure
from voxgraft.training.tasks.task import Evaluated, EvaluationRequest

MEASURES = {"mel_distance": "mel distance", "duration_error": "durations off by (frames)"}


@dataclass(frozen=True)
class AcousticResult:
    """The model under its name, and where it was found."""

    name: str
    source: Source
    checkpoint: Checkpoint


def acoustic_result(result: str) -> AcousticResult | None:
    """The text-to-spec model that a run or a checkpoint holds; None for anything else."""
    path = Path(result).expanduser()
    if not path.exists() or path.suffix == ".onnx":
        return None
    source = find_source(result)
    checkpoint = open_checkpoint(source.path)
    return AcousticResult(result, source, checkpoint) if family_of(checkpoint.family).kind == "text-to-spec" else None


def evaluate(opened: AcousticResult, request: EvaluationRequest) -> Evaluated:
    """What is heard through a vocoder where one is named, as of any voice; else mel distance and errors of durations on
    recordings that were not trained on. Beside the base's."""
    if named_vocoder(request.vocoder, opened.source) is not None:
        return evaluate_heard(opened.name, request)
    _require_unheard(request)
    result = opened.checkpoint
    if result.family not in acoustic_families():
        raise EvaluationError(
            "without a vocoder only families that are trained here can be measured",
            file=opened.source.path,
            field="family",
            expected=", ".join(acoustic_families()),
            got=result.family,
            remedy="Name a vocoder with --vocoder, and it is judged by what is heard.",
        )
    config = as_trained(request.project) if request.project is not None else RunConfig(task="acoustic")
    manifest = _recordings(config, request)
    models = {"result": result}
    before = _base(config, request)
    if before is not None:
        models = {"base": before} | models
    found = {role: errors_of(model, manifest, config) for role, model in models.items()}
    scores = {role: _intervals(errors) for role, errors in found.items()}
    rows = tuple((title, *(_told(scores[role][name]) for role in scores)) for name, title in MEASURES.items())
    notes = ("durations are forced, pitch and energy predicted; a vocoder's part is not in these numbers",)
    return Evaluated(f"{len(found['result'].clips)} utterances", ("", *scores), rows, scores, notes)


def _require_unheard(request: EvaluationRequest) -> None:
    """Raise EvaluationError where an option is about what is heard, and nothing is."""
    about_sound = ("texts", "seeds", "speaker", "base_speaker", "language", "recogniser", "dnsmos", "report")
    given = [name for name in about_sound if getattr(request, name) is not None]
    if given:
        raise EvaluationError(
            "is about what is heard, and a text-to-spec model is heard through a vocoder only",
            field=f"--{given[0].replace('_', '-')}",
            remedy="Name the vocoder with --vocoder.",
        )


def errors_of(checkpoint: Checkpoint, manifest: Manifest, config: RunConfig) -> Errors:
    """How near a model comes to recordings, which are prepared as `config` says and as the model reads them."""
    target = target_for(config.model_copy(update={"graft": GraftConfig(keep_speakers=True)}), checkpoint)
    examples = examples_of(manifest, target, config, statistics_of(checkpoint))
    family = acoustic_families()[checkpoint.family]
    return measure(whole_network(checkpoint), family, examples, torch.device("cpu"))


def _recordings(config: RunConfig, request: EvaluationRequest) -> Manifest:
    """A project's own that were held out, else those to validate on; or a corpus."""
    if request.project is not None:
        manifest = project_manifest(config)
        parts = voice_split(config, manifest) if manifest is not None else None
        if parts is not None and len(parts.held_out):
            return parts.held_out
        if parts is not None:
            notice(
                "note: no recordings are held out (corpus.held_out): those that the run was validated on are measured"
            )
            return parts.validation
    if request.corpus is None:
        raise EvaluationError(
            "no recordings to evaluate a text-to-spec model on", remedy="Name some with --corpus or --project."
        )
    from voxgraft.corpus.importers import import_corpus

    manifest = import_corpus(request.corpus)
    if request.held_out is None:
        notice("note: recordings that were trained on flatter a model; --held-out names others, --project knows them.")
        return manifest
    ids = set(material.read_ids(request.held_out))
    return Manifest(tuple(utterance for utterance in manifest if utterance.id in ids))


def _base(config: RunConfig, request: EvaluationRequest) -> Checkpoint | None:
    named = request.base or (config.base if config.base != FROM_SCRATCH else None)
    if named is None:
        return None
    try:
        return open_checkpoint(find_source(named).path)
    except VoxgraftError as fault:
        if request.base is not None:
            raise
        notice(f"note: the result is judged alone; its base can't be: {fault.summary}")
        return None


def _intervals(errors: Errors) -> dict[str, Interval | None]:
    return {
        "mel_distance": ratio_interval([(clip.text, clip.mel, clip.values) for clip in errors.clips]),
        "duration_error": ratio_interval([(clip.text, clip.frames, clip.symbols) for clip in errors.clips]),
    }


def _told(interval: Interval | None) -> str:
    return "–" if interval is None else "{:.3f} ({:.3f} … {:.3f})".format(*interval)
