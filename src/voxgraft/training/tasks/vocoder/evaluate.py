"""What `voxgraft evaluate` does with a vocoder: how near it comes to recordings that it makes of their spectrograms again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from voxgraft.architectures.families import family_of
from voxgraft.audio.spec import AudioSpec
from voxgraft.audio.spectrogram import mel_spectrogram
from voxgraft.checkpoints import Checkpoint, open_checkpoint
from voxgraft.config.run import RunConfig
from voxgraft.corpus.manifest import Manifest
from voxgraft.corpus.prepare.prepare import prepare_audio
from voxgraft.errors import CheckpointError, EvaluationError
from voxgraft.evaluation.bootstrap import Interval, Part, ratio_interval
from voxgraft.export.source import find_source
from voxgraft.export.vocoder.load import load_generator
from voxgraft.models.vocoders.speak import speak
from voxgraft.progress import track
from voxgraft.training.tasks.task import Evaluated, EvaluationRequest
from voxgraft.training.tasks.vocoder.spectrogram import require_fitting
from voxgraft.training.tasks.vocoder.validate import distances

TITLES: Mapping[str, str] = {"mel_distance": "mel distance (nats)", "mr_stft": "STFT distance"}
ROLES: Mapping[str, str] = {"base": "base", "result": "result"}


@dataclass(frozen=True)
class Heard:
    """Each measure of one vocoder, a part (id, distance, 1) a clip."""

    parts: Mapping[str, list[Part]]

    def summary(self) -> dict[str, Interval | None]:
        """Measure -> mean over the clips and its interval."""
        return {name: ratio_interval(parts) for name, parts in self.parts.items()}


def open_result(result: str) -> Checkpoint | None:
    """The checkpoint of a vocoder; None for anything else."""
    if not Path(result).expanduser().exists():
        return None
    try:
        checkpoint = open_checkpoint(find_source(result).path)
    except CheckpointError:
        # Whoever it belongs to says what is wrong with it.
        return None
    return checkpoint if family_of(checkpoint.family).task == "vocoder" else None


def evaluate(result: Checkpoint, request: EvaluationRequest) -> Evaluated:
    """Mel and STFT distance to recordings, of the result and of its base where one is named or the project has one."""
    vocoders = {"result": result}
    base = request.base or _base_of(request.project)
    opened = open_result(base) if base is not None else None
    if opened is not None:
        vocoders = {"base": opened} | vocoders
    recordings = _recordings(request)
    heard = {role: measure(vocoder, recordings, request.project) for role, vocoder in vocoders.items()}
    summaries = {role: found.summary() for role, found in heard.items()}
    columns = ("", *(ROLES[role] for role in heard))
    rows = tuple((title, *(_in_words(summaries[role][name]) for role in heard)) for name, title in TITLES.items())
    notes = () if opened is not None or base is None else (f"the base, {base}, is no vocoder that can be measured",)
    return Evaluated(f"{len(recordings)} recordings", columns, rows, summaries, notes)


def measure(checkpoint: Checkpoint, recordings: Manifest, config: RunConfig | None) -> Heard:
    """Make each recording of its own spectrogram again, and hold it against the recording."""
    spec = require_fitting(checkpoint.audio, checkpoint.architecture, checkpoint.provenance.path)
    generator = load_generator(checkpoint)
    settings = config.corpus if config is not None else None
    parts: dict[str, list[Part]] = {name: [] for name in TITLES}
    for utterance in track(recordings.utterances, "Measuring"):
        audio = prepare_audio(
            utterance.audio,
            spec,
            loudness=settings.loudness if settings else None,
            trim=bool(settings and settings.trim),
        )
        audio = audio[: len(audio) // spec.hop * spec.hop]
        found = distances(_again(generator, audio, spec), audio, spec)
        for name, value in zip(TITLES, found, strict=True):
            parts[name].append((utterance.id, value, 1.0))
    return Heard(parts)


def _again(generator: nn.Module, audio: np.ndarray, spec: AudioSpec) -> np.ndarray:
    mel = mel_spectrogram(audio, spec)[:, : len(audio) // spec.hop]
    return speak(generator, torch.from_numpy(mel).unsqueeze(0))[0, 0].numpy()


def _recordings(request: EvaluationRequest) -> Manifest:
    from voxgraft.corpus import sample
    from voxgraft.corpus.importers import import_corpus
    from voxgraft.evaluation.material import read_ids
    from voxgraft.project.corpora import voice_split
    from voxgraft.project.project import as_trained, project_manifest

    if request.project is not None:
        trained = as_trained(request.project)
        manifest = project_manifest(trained)
        if manifest is not None and len(manifest):
            parts = voice_split(trained, manifest)
            return parts.held_out if len(parts.held_out) else parts.validation
    if request.corpus is None:
        raise EvaluationError("no recordings to evaluate a vocoder on", remedy="Name some with --corpus or --project.")
    manifest = sample.bundled() if request.corpus == "sample" else import_corpus(request.corpus)
    wanted = read_ids(request.held_out) if request.held_out is not None else None
    return manifest if wanted is None else Manifest(tuple(u for u in manifest if u.id in set(wanted)))


def _base_of(project: RunConfig | None) -> str | None:
    from voxgraft.library.resolve import resolve
    from voxgraft.project.project import FROM_SCRATCH, as_trained

    config = as_trained(project) if project is not None else None
    if config is None or config.base in (None, FROM_SCRATCH):
        return None
    return str(resolve(str(config.base), config))


def _in_words(found: Interval | None) -> str:
    if found is None:
        return "–"
    value, low, high = found
    return f"{value:.3f} ({low:.3f} … {high:.3f})"
