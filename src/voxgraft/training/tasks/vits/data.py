"""What a voice is trained on: the project's recordings as the target takes them, and the clips of voices that are kept."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

from torch.utils.data import DataLoader

from voxgraft.audio.spec import AudioSpec
from voxgraft.checkpoints import Checkpoint
from voxgraft.config.run import RunConfig
from voxgraft.corpus.manifest import Manifest
from voxgraft.corpus.prepare.prepare import prepare, upsampled
from voxgraft.errors import CorpusError, TrainingError
from voxgraft.export.piper.metadata import metadata_of
from voxgraft.graft.target import Target, renamed
from voxgraft.models.vits import Vits
from voxgraft.progress import notice
from voxgraft.project.corpora import voice_split
from voxgraft.project.project import project_manifest
from voxgraft.project.run_folder import project_folder, run_folder
from voxgraft.project.texts import MOST_TEXTS, is_sound
from voxgraft.text.encode import encode_text
from voxgraft.text.symbols import Encoding, SymbolTable
from voxgraft.training.loop.feed import Feed, loader_of
from voxgraft.training.loop.processes import Processes
from voxgraft.training.loop.schedule import Schedule
from voxgraft.training.tasks.vits.batches import Batch, Cutting, make_batch
from voxgraft.training.tasks.vits.examples import Example, Examples, make_examples, require_examples
from voxgraft.training.tasks.vits.metadata import scales_of
from voxgraft.training.tasks.vits.replay import FOLDER as REPLAY
from voxgraft.training.tasks.vits.replay import clips_for, replay, silent_voices


@dataclass(frozen=True)
class VoiceData:
    """The corpus as the target takes it; `rows` say what is learned from and validated on: role, id, text, hash of the sound."""

    manifest: Manifest
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


def data_of(config: RunConfig, target: Target) -> VoiceData:
    """The project's recordings, prepared, split and encoded; CorpusError or TrainingError where there is nothing to train on."""
    manifest = project_manifest(config)
    if manifest is None or not len(manifest):
        raise CorpusError(
            "the project has no recordings",
            file=config.output,
            remedy="Import some with `voxgraft corpus import PATH` in the project's folder.",
        )
    parts = voice_split(config, manifest)
    spec = spec_of(target)
    low = upsampled(manifest, spec)
    if low:
        notice(
            f"{len(low)} of {len(manifest)} recordings have a lower sample rate than the voice's {spec.sample_rate} Hz: what "
            "they lack at high frequencies, the voice can't learn from them"
        )
    segment = config.voice.segment // spec.hop
    train, validation = (_examples(part, config, target, spec) for part in (parts.train, parts.validation))
    require_examples(train, parts.train)
    train, validation = _with_one_to_validate_on(train, validation)
    require_examples(validation, parts.validation)
    if len(manifest) > MOST_TEXTS:
        # Of fewer texts the plan has told it.
        _tell_unknown(train.unknown + validation.unknown)
    minutes = sum(e.prepared.utterance.duration for e in train.kept) / 60
    notice(f"{len(train.kept)} utterances to learn from ({minutes:.1f} minutes), {len(validation.kept)} to validate on")
    window = _window_of(config.voice.window, segment)
    cutting = Cutting(window, segment, spec.hop, target.architecture["inter_channels"])
    return VoiceData(manifest, spec, train.kept, validation.kept, cutting)


def _with_one_to_validate_on(train: Examples, validation: Examples) -> tuple[Examples, Examples]:
    """The same, but where no clip that was set aside can be used, the last of the others takes their place."""
    if validation.kept or len(train.kept) < 2:
        return train, validation
    *others, last = train.kept
    notice(f"none of the clips set aside to validate on can be used: {last.prepared.utterance.id} takes their place")
    return replace(train, kept=tuple(others)), replace(validation, kept=(last,))


def _window_of(window: int | None, segment: int) -> int | None:
    """Frames of a window: it holds the segment, however many frames that has at the spectrogram's hop."""
    if window is None or window >= segment:
        return window
    notice(f"windows have {segment} frames, as many as a segment, and not {window} (voice.window)")
    return segment


def spec_of(target: Target) -> AudioSpec:
    """The spectrogram that the voice learns from. TrainingError where it is impossible or does not fit the network."""
    spec = target.audio
    assert spec is not None, "a voice's target has one"
    if not spec.n_fft >= spec.win > 1 or not spec.fmin < (spec.fmax or spec.sample_rate / 2):
        raise TrainingError(
            "there is no such spectrogram",
            field="base",
            expected="a window no longer than the transform, and a lowest frequency below the highest",
            got=f"win {spec.win}, n_fft {spec.n_fft}, {spec.fmin:g} to {spec.fmax or spec.sample_rate / 2:g} Hz",
            remedy="Correct the audio settings beside the base's weights, or take another base.",
        )
    upsampling = math.prod(target.architecture["upsample_rates"])
    if spec.hop != upsampling or spec.bins != target.architecture["spec_channels"]:
        raise TrainingError(
            "the base's spectrogram does not fit its network",
            field="base",
            expected=f"a hop of {upsampling} samples and {target.architecture['spec_channels']} frequency bins",
            got=f"a hop of {spec.hop} and {spec.bins} bins (n_fft {spec.n_fft})",
            remedy="Correct the audio settings beside the base's weights, or take another base.",
        )
    return spec


def schedule_of(examples: Sequence[Example], config: RunConfig) -> Schedule:
    """Which clips make which batch of the run."""
    assert isinstance(config.training.batch, int), "resolved before the run begins"
    return Schedule(tuple(e.frames for e in examples), config.training.batch, config.seed)


def batches(data: VoiceData, config: RunConfig, steps: range, processes: Processes) -> DataLoader[Batch]:
    """The batches of some steps, this process's share of each."""

    def make(clips: Sequence[int], step: int, share: range) -> Batch:
        mine = [clips[place] for place in share]
        return make_batch(data.train, mine, data.cutting, config.seed, step, first=share.start, total=len(clips))

    return loader_of(
        Feed(make, schedule_of(data.train, config), steps, processes), config.training.workers, config.training.device
    )


def _examples(part: Manifest, config: RunConfig, target: Target, spec: AudioSpec) -> Examples:
    prepared = prepare(
        part,
        spec,
        loudness=config.corpus.loudness,
        trim=config.corpus.trim,
        cache_dir=project_folder(config).cache,
    )
    limits = (config.corpus.shortest, config.corpus.longest)
    segment = config.voice.segment // spec.hop
    sounds = {number for symbol, numbers in target.symbols.ids.items() if is_sound(symbol) for number in numbers}
    found = make_examples(prepared, partial(_encoded, target.symbols), sounds, target.speakers, segment, limits)
    _tell_left_out(found.left_out)
    return found


def with_kept_voices(
    config: RunConfig, base: Checkpoint | None, target: Target, data: VoiceData, grafted: Vits
) -> VoiceData:
    """The data, with clips of the voices that the run keeps and the corpus lacks, spoken as the base speaks them."""
    if base is None:
        return data
    voices = silent_voices(target.speakers, renamed(base.speakers, config.graft.rename), data.train)
    count = clips_for(config.voice.replay, len(data.train), len(voices))
    if not count:
        return data
    spoken = replay(
        grafted,
        data.train,
        voices,
        target.speakers,
        count=count,
        folder=run_folder(config).path / REPLAY,
        sample_rate=data.spec.sample_rate,
        scales=scales_of(metadata_of(base, name=config.name)),
        seed=config.seed,
    )
    return with_clips(data, spoken, config, target)


def with_clips(data: VoiceData, spoken: Manifest, config: RunConfig, target: Target) -> VoiceData:
    """The data and more to train on."""
    return replace(data, train=(*data.train, *_examples(spoken, config, target, data.spec).kept))


def _encoded(symbols: SymbolTable, text: str) -> list[Encoding]:
    return encode_text(text, symbols)


def _tell_left_out(left_out: dict[str, str]) -> None:
    for clip, reason in list(left_out.items())[:5]:
        notice(f"left out {clip}: {reason}")
    if len(left_out) > 5:
        notice(f"left out {len(left_out)} clips in all; `voxgraft corpus check PROJECT` lists what is wrong with them")


def _tell_unknown(unknown: Counter[str]) -> None:
    if unknown:
        shown = ", ".join(f"{symbol!r} {count}×" for symbol, count in unknown.most_common(5))
        notice(f"symbols that the voice does not know are left out of the texts: {shown}")
