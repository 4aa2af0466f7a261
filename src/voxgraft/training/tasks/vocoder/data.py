"""What a vocoder is trained on: the project's recordings as it hears and speaks them, and what an acoustic model made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from torch.utils.data import DataLoader

from voxgraft.audio.spec import AudioSpec
from voxgraft.config.run import RunConfig
from voxgraft.corpus.manifest import Manifest
from voxgraft.corpus.prepare.frames import PreparedFrames, prepare_frames
from voxgraft.corpus.prepare.prepare import upsampled
from voxgraft.errors import CorpusError
from voxgraft.progress import notice
from voxgraft.project.corpora import voice_split
from voxgraft.project.project import project_manifest
from voxgraft.project.run_folder import project_folder
from voxgraft.training.loop.feed import Feed, loader_of
from voxgraft.training.loop.processes import Processes
from voxgraft.training.loop.schedule import Schedule
from voxgraft.training.tasks.vocoder.batches import Batch, Cutting, make_batch
from voxgraft.training.tasks.vocoder.examples import Example, Examples, make_examples, require_examples
from voxgraft.training.tasks.vocoder.generated import generated_files
from voxgraft.training.tasks.vocoder.spectrogram import segment_frames


@dataclass(frozen=True)
class VocoderData:
    """The corpus as the vocoder takes it; `rows` say what is learned from and validated on: role, id, text, hash of the sound."""

    spec: AudioSpec
    train: tuple[Example, ...]
    validation: tuple[Example, ...]
    cutting: Cutting

    @cached_property
    def rows(self) -> list[list[str]]:
        """A row for each clip, in the order in which the run counts them."""
        return [
            [role, e.prepared.utterance.id, e.prepared.utterance.text, e.prepared.content]
            for role, part in (("train", self.train), ("validation", self.validation))
            for e in part
        ]


def data_of(config: RunConfig, spec: AudioSpec, noise_channels: int) -> VocoderData:
    """The project's recordings, prepared and split; CorpusError or TrainingError where there is nothing to train on, or where
    generated spectrograms do not belong to them."""
    manifest = project_manifest(config)
    if manifest is None or not len(manifest):
        raise CorpusError(
            "the project has no recordings",
            file=config.output,
            remedy="Import some with `voxgraft corpus import PATH` in the project's folder.",
        )
    parts = voice_split(config, manifest)
    low = upsampled(manifest, spec)
    if low:
        notice(
            f"{len(low)} of {len(manifest)} recordings have a lower sample rate than the vocoder's {spec.sample_rate} Hz: "
            "what they lack at high frequencies, it can't learn from them"
        )
    sets = {"train": parts.train, "validation": parts.validation}
    prepared = {name: _prepared(part, config, spec) for name, part in sets.items()}
    generated = _generated(config, spec, [one for part in prepared.values() for one in part])
    segment = segment_frames(config.vocoder.segment, spec)
    train, validation = (
        _examples(prepared[name], config, spec, shortest, generated)
        for name, shortest in (("train", segment), ("validation", 1))
    )
    require_examples(train, parts.train)
    require_examples(validation, parts.validation)
    minutes = sum(e.prepared.samples for e in train.kept) / spec.sample_rate / 60
    notice(f"{len(train.kept)} recordings to learn from ({minutes:.1f} minutes), {len(validation.kept)} to validate on")
    share = config.vocoder.generated_share if generated else 0.0
    return VocoderData(spec, train.kept, validation.kept, Cutting(segment, noise_channels, share))


def _prepared(part: Manifest, config: RunConfig, spec: AudioSpec) -> list[PreparedFrames]:
    settings = config.corpus
    cache = project_folder(config).cache
    return prepare_frames(part, spec, loudness=settings.loudness, trim=settings.trim, cache_dir=cache)


def _generated(config: RunConfig, spec: AudioSpec, prepared: Sequence[PreparedFrames]) -> dict[str, Path]:
    """Id -> file; empty where the vocoder learns from the recordings' own spectrograms."""
    if config.vocoder.generated is None:
        return {}
    wanted = {one.utterance.id: one.frames for one in prepared}
    found = generated_files(Path(config.vocoder.generated), spec, wanted)
    notice(
        f"{len(found)} generated spectrograms, each as long as its recording; share {config.vocoder.generated_share:g}"
    )
    return found


def _examples(
    prepared: Sequence[PreparedFrames],
    config: RunConfig,
    spec: AudioSpec,
    shortest: int,
    generated: Mapping[str, Path],
) -> Examples:
    limits = (config.corpus.shortest, config.corpus.longest)
    found = make_examples(prepared, spec, shortest, limits, generated)
    for clip, reason in list(found.left_out.items())[:5]:
        notice(f"left out {clip}: {reason}")
    if len(found.left_out) > 5:
        notice(f"left out {len(found.left_out)} clips in all")
    return found


def schedule_of(examples: Sequence[Example], config: RunConfig) -> Schedule:
    """Which clips make which batch of the run."""
    assert isinstance(config.training.batch, int), "resolved before the run begins"
    return Schedule(tuple(e.frames for e in examples), config.training.batch, config.seed)


def batches(data: VocoderData, config: RunConfig, steps: range, processes: Processes) -> DataLoader[Batch]:
    """The batches of some steps, this process's share of each."""

    def make(clips: Sequence[int], step: int, share: range) -> Batch:
        mine = [clips[place] for place in share]
        return make_batch(data.train, mine, data.cutting, config.seed, step, first=share.start, total=len(clips))

    return loader_of(
        Feed(make, schedule_of(data.train, config), steps, processes), config.training.workers, config.training.device
    )
