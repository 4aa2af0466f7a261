"""What an acoustic model is trained on: the project's recordings frame by frame, and those of its source, if any."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import numpy as np
from torch.utils.data import DataLoader

from voxgraft.audio.spec import AudioSpec
from voxgraft.config.run import RunConfig
from voxgraft.corpus.checks.usable import usable
from voxgraft.corpus.durations import durations_of, open_durations, symbols_of_ids
from voxgraft.corpus.importers import import_corpus
from voxgraft.corpus.manifest import Manifest
from voxgraft.corpus.prepare.frames import PreparedFrames, prepare_frames
from voxgraft.corpus.prepare.prepare import upsampled
from voxgraft.corpus.prepare.variance import UNNAMED, VarianceStatistics
from voxgraft.errors import CorpusError, TrainingError
from voxgraft.graft.target import Target
from voxgraft.progress import notice
from voxgraft.project.corpora import voice_split
from voxgraft.project.project import project_manifest
from voxgraft.project.run_folder import project_folder
from voxgraft.text.encode import encode_text
from voxgraft.text.symbols import Encoding, SymbolTable
from voxgraft.training.loop.feed import Feed, loader_of
from voxgraft.training.loop.processes import Processes
from voxgraft.training.tasks.acoustic.batches import Batch, make_batch, step_size
from voxgraft.training.tasks.acoustic.examples import Example, Examples, GivenDurations, Names, make_examples
from voxgraft.training.tasks.acoustic.mixture import Mixture

_SHOWN = 5


@dataclass(frozen=True)
class AcousticData:
    """The corpus as the target takes it. `train` holds the project's own clips, then those of the source from `own` on."""

    manifest: Manifest
    spec: AudioSpec
    statistics: VarianceStatistics
    train: tuple[Example, ...]
    validation: tuple[Example, ...]
    own: int

    @cached_property
    def rows(self) -> list[list[str]]:
        """Role, id, text and hash of the sound of each clip, in the order in which the run counts them."""
        parts = (
            ("train", self.train[: self.own]),
            ("source", self.train[self.own :]),
            ("validation", self.validation),
        )
        return [
            [role, e.prepared.utterance.id, e.prepared.utterance.text, e.prepared.content]
            for role, p in parts
            for e in p
        ]


def data_of(config: RunConfig, target: Target) -> AcousticData:
    """The project's recordings, prepared, split and encoded.

    CorpusError names in one message all that can't be used, unless `corpus.skip_bad` leaves it out.
    """
    manifest = project_manifest(config)
    if manifest is None or not len(manifest):
        raise CorpusError(
            "the project has no recordings",
            file=config.output,
            remedy="Import some with `voxgraft corpus import PATH` in the project's folder.",
        )
    spec = spec_of(target)
    low = upsampled(manifest, spec)
    if low:
        notice(
            f"{len(low)} of {len(manifest)} recordings have a lower sample rate than the model's {spec.sample_rate} Hz: what "
            "they lack at high frequencies, the model can't learn from them"
        )
    parts = voice_split(config, manifest)
    prepared = {name: _prepared(part, config, spec) for name, part in _parts(config, parts.train, parts.validation)}
    statistics = VarianceStatistics.of([one for part in prepared.values() for one in part])
    found = {name: _examples(part, config, target, spec, statistics) for name, part in prepared.items()}
    _require_usable(found, config)
    source = found["source"].kept if "source" in found else ()
    train, validation = found["train"].kept, found["validation"].kept
    minutes = sum(e.prepared.utterance.duration for e in train) / 60
    mixed = f", {len(source)} of the source mixed in" if source else ""
    notice(f"{len(train)} utterances to learn from ({minutes:.1f} minutes){mixed}, {len(validation)} to validate on")
    return AcousticData(manifest, spec, statistics, (*train, *source), validation, len(train))


def _parts(config: RunConfig, train: Manifest, validation: Manifest) -> list[tuple[str, Manifest]]:
    parts = [("train", train), ("validation", validation)]
    if config.acoustic.source is not None:
        source = Path(config.acoustic.source)
        parts.append(("source", Manifest.read(source) if source.suffix == ".jsonl" else import_corpus(source)))
    return parts


def examples_of(
    manifest: Manifest, target: Target, config: RunConfig, statistics: VarianceStatistics | None = None
) -> tuple[Example, ...]:
    """All that can be used of recordings, prepared as `config` says, to be measured rather than learned from.

    `statistics` are the model's own; what it does not know of a speaker, the recordings say.
    """
    spec = spec_of(target)
    prepared = _prepared(manifest, config, spec)
    found = VarianceStatistics.of(prepared)
    if statistics is not None:
        known = len(statistics.pitch) == 1 or {u.speaker or UNNAMED for u in manifest} <= set(statistics.pitch)
        found = statistics if known else found
    return usable_examples(prepared, target, config, spec, found)


def usable_examples(
    prepared: Sequence[PreparedFrames],
    target: Target,
    config: RunConfig,
    spec: AudioSpec,
    statistics: VarianceStatistics,
) -> tuple[Example, ...]:
    """Those of one set of recordings that can be used. CorpusError names the others, as `data_of` does."""
    found = {"evaluation": _examples(prepared, config, target, spec, statistics)}
    _require_usable(found, config)
    return found["evaluation"].kept


def spec_of(target: Target) -> AudioSpec:
    """The spectrogram that the model writes. TrainingError where it is not said, or the network has other bands."""
    if target.audio is None:
        raise TrainingError(
            "the base does not say how its spectrograms are made",
            field="base",
            remedy="Put its configuration beside it, or take another base.",
        )
    if target.architecture["mels"] != target.audio.n_mels:
        raise TrainingError(
            "the base's spectrogram does not fit its network",
            field="base",
            expected=f"{target.architecture['mels']} mel bands",
            got=f"{target.audio.n_mels}",
            remedy="Correct the audio settings beside the base's weights, or take another base.",
        )
    return target.audio


def names_of(target: Target, config: RunConfig) -> Names:
    """Whose rows the tables of the network hold. Recordings that name no language are in that of the texts, whose row may
    be called by its family: `en` for en-us."""
    spoken = config.language or (target.symbols.voice if target.symbols is not None else None)
    if (
        spoken is not None
        and spoken not in target.languages
        and (family := re.split("[-_]", spoken)[0]) in target.languages
    ):
        spoken = family
    return Names(target.speakers, target.languages, spoken)


def mixture_of(data: AcousticData, config: RunConfig) -> Mixture:
    """Which clips make which batch of the run."""
    assert isinstance(config.training.batch, int), "resolved before the run begins"
    lengths = tuple(example.frames for example in data.train)
    share = config.acoustic.source_share
    return Mixture.of(lengths, data.own, config.training.batch, share, config.seed)


def batches(
    data: AcousticData, config: RunConfig, steps: range, processes: Processes, *, aligns: bool
) -> DataLoader[Batch]:
    """The batches of some steps, this process's share of each."""

    def make(clips: Sequence[int], step: int, share: range) -> Batch:
        mine = [clips[place] for place in share]
        return make_batch(data.train, mine, aligns=aligns, of=step_size(data.train, clips))

    feed = Feed(make, mixture_of(data, config), steps, processes)
    return loader_of(feed, config.training.workers, config.training.device)


def _prepared(part: Manifest, config: RunConfig, spec: AudioSpec) -> list[PreparedFrames]:
    return prepare_frames(
        part, spec, loudness=config.corpus.loudness, trim=config.corpus.trim, cache_dir=project_folder(config).cache
    )


def _examples(
    part: Sequence[PreparedFrames], config: RunConfig, target: Target, spec: AudioSpec, statistics: VarianceStatistics
) -> Examples:
    assert target.symbols is not None, "a text-to-spec model's target has them"
    return make_examples(
        part,
        partial(_encoded, target.symbols),
        statistics,
        names_of(target, config),
        hop=spec.hop,
        limits=(config.corpus.shortest, config.corpus.longest),
        durations=given_durations(config, target.symbols, spec),
    )


def given_durations(config: RunConfig, symbols: SymbolTable, spec: AudioSpec) -> GivenDurations:
    """What finds the durations of a clip where the settings name a file or folder of them; None where the model aligns."""
    if config.acoustic.durations is None:
        return None
    source = open_durations(config.acoustic.durations)

    def given(item: PreparedFrames, ids: np.ndarray) -> np.ndarray:
        names = symbols_of_ids(ids, symbols)
        return durations_of(source, item.utterance, names, item.frames, spec.hop, spec.sample_rate, begin=item.begin)

    return given


def _encoded(symbols: SymbolTable, text: str) -> list[Encoding]:
    return encode_text(text, symbols)


def _require_usable(found: dict[str, Examples], config: RunConfig) -> None:
    """One message for everything that is wrong, and one line for each clip whose length keeps it out."""
    left_out = {clip: why for one in found.values() for clip, why in one.left_out.items()}
    for clip, why in list(left_out.items())[:_SHOWN]:
        notice(f"left out {clip}: {why}")
    if len(left_out) > _SHOWN:
        notice(f"left out {len(left_out)} clips in all (corpus.shortest, corpus.longest)")
    findings = [finding for one in found.values() for finding in one.findings]
    kept = Manifest(tuple(e.prepared.utterance for one in found.values() for e in one.kept))
    usable(kept, findings, skip_bad=config.corpus.skip_bad)
    for name, one in found.items():
        if not one.kept:
            reason = next(iter([*one.left_out.values(), *(f.detail for f in one.findings)]), "an empty corpus")
            raise TrainingError(
                f"none of the recordings for {name} can be used",
                field="corpus",
                got=reason,
                remedy="Run `voxgraft corpus check PROJECT` to see what is wrong with each.",
            )
