"""What a voice is trained on: the project's recordings as the target takes them, and the clips of voices that are kept."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from voxgraft.audio.spec import AudioSpec
from voxgraft.checkpoints import Checkpoint
from voxgraft.config.run import RunConfig
from voxgraft.corpus.manifest import Manifest
from voxgraft.corpus.prepare.prepare import prepare, upsampled
from voxgraft.corpus.split import Split
from voxgraft.errors import CorpusError
from voxgraft.export.piper.metadata import metadata_of
from voxgraft.graft.target import Target, renamed
from voxgraft.models.vits import Vits
from voxgraft.progress import notice
from voxgraft.project.corpora import voice_split
from voxgraft.project.project import project_manifest
from voxgraft.text.encode import encode_text
from voxgraft.text.symbols import Encoding, SymbolTable
from voxgraft.training.loop.checkpoints import run_folder
from voxgraft.training.tasks.vits.batches import Cutting
from voxgraft.training.tasks.vits.examples import Example, Examples, make_examples, require_examples
from voxgraft.training.tasks.vits.metadata import scales_of
from voxgraft.training.tasks.vits.replay import FOLDER as REPLAY
from voxgraft.training.tasks.vits.replay import clips_for, replay, silent_voices


@dataclass(frozen=True)
class Material:
    """The corpus as the target takes it."""

    manifest: Manifest
    parts: Split
    spec: AudioSpec
    examples: tuple[Example, ...]
    validation: tuple[Example, ...]
    cutting: Cutting


def material_of(config: RunConfig, target: Target) -> Material:
    """The project's recordings, prepared, split and encoded; CorpusError or TrainingError where there is nothing to train on."""
    manifest = project_manifest(config)
    if manifest is None or not len(manifest):
        raise CorpusError(
            "the project has no recordings", file=config.output, remedy="run `voxgraft corpus import PATH` in it"
        )
    parts = voice_split(config, manifest)
    spec = AudioSpec(sample_rate=target.sample_rate)
    dull = upsampled(manifest, spec)
    if dull:
        notice(
            f"{len(dull)} of {len(manifest)} recordings have a lower rate than {spec.sample_rate} Hz: they stay dull"
        )
    segment = config.voice.segment // spec.hop

    train, validation = (_examples(part, config, target, spec) for part in (parts.train, parts.validation))
    require_examples(train, parts.train)
    require_examples(validation, parts.validation)
    cutting = Cutting(config.voice.window, segment, spec.hop, target.architecture["inter_channels"])
    return Material(manifest, parts, spec, train.kept, validation.kept, cutting)


def _examples(part: Manifest, config: RunConfig, target: Target, spec: AudioSpec) -> Examples:
    prepared = prepare(
        part,
        spec,
        loudness=config.corpus.loudness,
        trim=config.corpus.trim,
        cache_dir=Path(config.output) / "corpus" / "cache",
    )
    limits = (config.corpus.shortest, config.corpus.longest)
    segment = config.voice.segment // spec.hop
    found = make_examples(prepared, partial(_encoded, target.symbols), target.speakers, segment, limits)
    _tell_what_is_missing(found.left_out, found.unknown)
    return found


def with_kept_voices(
    config: RunConfig, base: Checkpoint | None, target: Target, material: Material, grafted: Vits
) -> Material:
    """The material, with clips of the voices that the run keeps and the corpus lacks, spoken as the base speaks them."""
    if base is None:
        return material
    voices = silent_voices(target.speakers, renamed(base.speakers, config.graft.rename), material.examples)
    count = clips_for(config.voice.replay, len(material.examples), len(voices))
    if not count:
        return material
    spoken = replay(
        grafted,
        material.examples,
        voices,
        target.speakers,
        count=count,
        folder=run_folder(config) / REPLAY,
        sample_rate=material.spec.sample_rate,
        scales=scales_of(metadata_of(base, name=config.name)),
        seed=config.seed,
    )
    return with_clips(material, spoken, config, target)


def with_clips(material: Material, spoken: Manifest, config: RunConfig, target: Target) -> Material:
    """The material and more to train on."""
    added = _examples(spoken, config, target, material.spec).kept
    return replace(material, examples=(*material.examples, *added))


def _encoded(symbols: SymbolTable, text: str) -> list[Encoding]:
    return encode_text(text, symbols)


def _tell_what_is_missing(left_out: dict[str, str], unknown: Any) -> None:
    for clip, reason in list(left_out.items())[:5]:
        notice(f"left out {clip}: {reason}")
    if len(left_out) > 5:
        notice(f"left out {len(left_out)} clips in all; `voxgraft corpus check PROJECT` lists what is wrong with them")
    if unknown:
        shown = ", ".join(f"{symbol!r} {count}×" for symbol, count in unknown.most_common(5))
        notice(f"symbols that the voice does not know are left out of the texts: {shown}")
