"""match: fine-tune a vocoder on a text-to-spec model's own spectrograms, and measure both on sentences that neither learned.

A vocoder is trained on spectrograms of recordings; those that a text-to-spec model makes are smoother, and what comes of them
sounds metallic. Read it top down.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from voxgraft.audio.spec import AudioSpec
from voxgraft.checkpoints import Checkpoint, open_checkpoint
from voxgraft.config.run import RunConfig
from voxgraft.corpus.prepare.frames import PreparedFrames, prepare_frames
from voxgraft.errors import CheckpointError, TrainingError
from voxgraft.evaluation.compare import Comparison
from voxgraft.evaluation.instruments import load_instruments
from voxgraft.evaluation.vocoder import Spectrogram, compare_vocoders
from voxgraft.export.source import find_source
from voxgraft.graft.vocoder import vocoder_fit
from voxgraft.library.pick import AUTO
from voxgraft.library.resolve import resolve
from voxgraft.matching.mel_index import MelIndex
from voxgraft.matching.spectrograms import generate_mels
from voxgraft.progress import notice
from voxgraft.project.corpora import voice_split
from voxgraft.project.project import project_manifest, project_recordings
from voxgraft.project.run_folder import MATCHED, project_folder, run_folder

if TYPE_CHECKING:
    from voxgraft.training.run import RunResult

# A text-to-spec model that is understood this much worse than the recordings has faults that no vocoder mends.
HOPELESS_CER = 0.3


@dataclass(frozen=True)
class Matched:
    """What came out: the run of the vocoder, and how it sounds before and after on held-out spectrograms."""

    run: RunResult
    text_to_spec: Path
    vocoder: Path
    comparison: Comparison | None
    report: Path | None
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """One JSON document."""
        found = self.comparison
        return {
            "run": str(self.run.folder),
            "finished": self.run.finished,
            "text_to_spec": str(self.text_to_spec),
            "vocoder": str(self.vocoder),
            "before": found.summary("base") if found else None,
            "after": found.summary("result") if found else None,
            "recordings": found.summary("recordings") if found else None,
            "change": found.change() if found else None,
            "report": str(self.report) if self.report else None,
            "notes": list(self.notes),
        }


def match(
    config: RunConfig,
    *,
    text_to_spec: str | None = None,
    vocoder: str | None = None,
    name: str | None = None,
    force_pitch: bool = False,
    force_energy: bool = False,
    values: Mapping[str, Any] | None = None,
    overrides: Sequence[str] = (),
) -> Matched:
    """Match a vocoder to a text-to-spec model on a project's recordings; begun again after a stop, it goes on.

    `text_to_spec` is the project's run where it is left out, `vocoder` the one that the project names (`acoustic.vocoder`).
    `name` is that of the vocoder's run. `values`, by their dotted names, and `overrides` (`training.steps=500`) change settings of the vocoder's run.

    Raises:
        CheckpointError: there is no such model. TrainingError: the two don't fit. CorpusError: there are no recordings.
    """
    from voxgraft.training.run import train
    from voxgraft.training.tasks.acoustic.data import given_durations

    acoustic_file = _acoustic_file(text_to_spec, config)
    vocoder_file = _vocoder_file(vocoder or config.acoustic.vocoder, config)
    acoustic = open_checkpoint(acoustic_file)
    spec = _shared_spectrogram(acoustic, open_checkpoint(vocoder_file))
    parts = _prepared(config, spec)
    folder = project_folder(config).synthesized_spec
    mels = generate_mels(
        acoustic,
        parts.every,
        folder,
        force_pitch=force_pitch,
        force_energy=force_energy,
        durations=given_durations(config, acoustic.symbols, spec) if acoustic.symbols is not None else None,
    )
    asked = {"base": str(vocoder_file), "vocoder.generated": str(mels.folder), **(values or {})}
    asked |= {"name": name} if name is not None else {}
    matched = _vocoder_config(config, asked, overrides)
    result = train(matched, resume=run_folder(matched).config.exists())
    if not result.finished:
        return Matched(result, acoustic_file, vocoder_file, None, None)
    comparison = _compare(config, vocoder_file, find_source(result.folder).path, parts.measured, mels, spec)
    notes = tuple(what_it_tells(comparison))
    for line in notes:
        notice(line)
    return Matched(result, acoustic_file, vocoder_file, comparison, _report(matched, comparison, notes), notes)


def _acoustic_file(named: str | None, config: RunConfig) -> Path:
    """The text-to-spec model that is named, else the project's."""
    if named is not None:
        return find_source(named).path
    run = run_folder(config)
    if not run.is_run:
        raise CheckpointError(
            "the project has no run of a text-to-spec model yet",
            file=run.path,
            remedy=f"Train it first: `voxgraft train {shlex.quote(config.output)}`; or name another with --text-to-spec.",
        )
    return find_source(run.path).path


def _vocoder_file(named: str | None, config: RunConfig) -> Path:
    """The vocoder that is named: a run, a file, a name; else the one that comes with voxgraft."""
    if named is None or named == AUTO:
        return resolve(AUTO, _vocoder_config(config, {}))
    return find_source(named).path


@dataclass(frozen=True)
class _Parts:
    """Recordings, prepared: those that are learned from and validated on, and those that are only measured on."""

    every: list[PreparedFrames]
    measured: list[PreparedFrames]


def _prepared(config: RunConfig, spec: AudioSpec) -> _Parts:
    project_recordings(config)
    manifest = project_manifest(config)
    assert manifest is not None
    split = voice_split(config, manifest)
    measured = split.held_out if config.corpus.held_out else split.validation
    every = replace(
        manifest, utterances=(*split.train, *split.validation, *(split.held_out if config.corpus.held_out else ()))
    )
    prepared = prepare_frames(
        every,
        spec,
        loudness=config.corpus.loudness,
        trim=config.corpus.trim,
        cache_dir=project_folder(config).cache,
    )
    chosen = {utterance.id for utterance in measured}
    return _Parts(prepared, [found for found in prepared if found.utterance.id in chosen])


def _shared_spectrogram(acoustic: Checkpoint, vocoder: Checkpoint) -> AudioSpec:
    """The spectrogram of both. TrainingError where they don't fit."""
    fit = vocoder_fit(acoustic, vocoder)
    if fit.refusals:
        raise TrainingError(
            "the text-to-spec model and the vocoder don't fit together",
            file=vocoder.provenance.path,
            field=next(iter(fit.differences), None),
            got="; ".join(fit.refusals),
            remedy="Take a vocoder for such spectrograms (acoustic.vocoder, --vocoder), or another text-to-spec model.",
        )
    for warning in fit.warnings:
        notice(f"warning: {warning}")
    if acoustic.audio is None:
        raise CheckpointError(
            "doesn't say how its spectrograms are made",
            file=acoustic.provenance.path,
            remedy="Put its configuration beside it.",
        )
    return acoustic.audio


def _vocoder_config(config: RunConfig, asked: Mapping[str, Any], overrides: Sequence[str] = ()) -> RunConfig:
    """The settings of the vocoder's run: the project's corpus and seed, and what matching needs."""
    from voxgraft.config.load import with_overrides

    plain = RunConfig(
        task="vocoder",
        name=f"{config.name}{MATCHED}",
        output=config.output,
        seed=config.seed,
        language=config.language,
        corpus=config.corpus.model_dump(exclude_unset=True),
    )
    return with_overrides(plain, overrides, {**MATCHING, **asked})


# Fine-tuning that keeps what the vocoder knows: EveryVoice's rate, and the layers that its discriminators leave alone.
MATCHING: Mapping[str, Any] = {
    "vocoder.learning_rates.generator": 1e-5,
    "vocoder.learning_rates.discriminator": 1e-5,
    "vocoder.freeze_discriminator": 3,
    "vocoder.generated_share": 0.8,
}


def _compare(
    config: RunConfig,
    before: Path,
    after: Path,
    measured: Sequence[PreparedFrames],
    mels: MelIndex,
    spec: AudioSpec,
) -> Comparison:
    from voxgraft.export.vocoder.onnx import export_vocoder
    from voxgraft.inference.vocoder.vocoder import Vocoder

    spectrograms = [
        Spectrogram(found.utterance.id, found.utterance.text, mels.mel(found.utterance.id), found.audio, found.pitch)
        for found in measured
    ]
    tools = load_instruments(
        language=config.language or "en",
        recogniser=config.evaluation.recogniser,
        wanted=("cer", *(("dnsmos",) if config.evaluation.dnsmos else ())),
    )
    with TemporaryDirectory() as temporary:
        vocoders = {
            role: Vocoder.load(export_vocoder(open_checkpoint(path), Path(temporary) / f"{role}.onnx")).speak
            for role, path in (("base", before), ("result", after))
        }
        return compare_vocoders(vocoders, spectrograms, spec, tools)


def what_it_tells(comparison: Comparison) -> list[str]:
    told = []
    change, heard = comparison.change() or {}, comparison.summary("base") or {}
    moved = [name for name in ("mel_distance", "mr_stft") if (found := change.get(name)) and found[2] < 0]
    if moved:
        told.append("matched: " + " and ".join(_told(name, comparison) for name in moved))
    else:
        told.append(
            "no difference that could not be chance: train longer (--set training.minutes=…), or hold out more recordings "
            "to measure on (corpus.held_out)"
        )
    cer, real = heard.get("cer"), (comparison.summary("recordings") or {}).get("cer")
    if cer is not None and real is not None and cer[0] - real[0] > HOPELESS_CER:
        told.append(
            f"the text-to-spec model's speech is understood badly (CER {100 * cer[0]:.0f} %, recordings {100 * real[0]:.0f} %): "
            "no vocoder mends that; train the text-to-spec model longer, or on better recordings"
        )
    return told


def _told(name: str, comparison: Comparison) -> str:
    before, after = ((comparison.summary(role) or {})[name] for role in ("base", "result"))
    assert before is not None
    assert after is not None
    title = next(m.title for m in comparison.scores["result"].metrics if m.name == name)
    return f"{title} {before[0]:.3f} to {after[0]:.3f}"


def _report(config: RunConfig, comparison: Comparison, notes: Sequence[str]) -> Path:
    from voxgraft.evaluation.report import Report, write_report
    from voxgraft.evaluation.report.history import read_history

    run = run_folder(config)
    report = Report(
        title="A vocoder, matched",
        comparison=comparison,
        lead="The same spectrograms of a text-to-spec model, made heard by the vocoder before and after matching.",
        language=config.language or "en",
        facts={"Vocoder before": config.base, "Run": run.path},
        history=read_history(run.metrics),
        notes=list(notes),
        config=config.model_dump(mode="json"),
    )
    return write_report(run.report, report)
