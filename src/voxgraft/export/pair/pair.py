"""Pair: a text-to-spec model and the vocoder that renders it, loaded and found to fit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from voxgraft.architectures.families import family_of
from voxgraft.audio.fit import spec_fit, told
from voxgraft.audio.spec import AudioSpec
from voxgraft.checkpoints.checkpoint import Checkpoint
from voxgraft.errors import ExportError
from voxgraft.export.acoustic.families import CONTROLS, Tables, tables_of
from voxgraft.export.piper.metadata import VoiceMetadata, base_of
from voxgraft.export.source import describe_voice
from voxgraft.graft.vocoder import hop_mismatch
from voxgraft.progress import notice

if TYPE_CHECKING:
    from torch import nn

WRITES, READS = "text-to-spec", "spec-to-wav"


@dataclass(frozen=True)
class Pair:
    """Both checkpoints with their networks in evaluation: `acoustic` as `export.acoustic.speaking.speak` takes it, `vocoder` from
    mel [1, M, T] to samples [1, 1, S]."""

    acoustic: Checkpoint
    vocoder: Checkpoint
    acoustic_network: nn.Module
    vocoder_network: nn.Module

    @property
    def tables(self) -> Tables:
        """How many speakers and languages the model tells apart."""
        return tables_of(self.acoustic.family, self.acoustic.architecture)


def load_pair(acoustic: Checkpoint, vocoder: Checkpoint) -> Pair:
    """The networks of both. Raises ExportError where they don't fit together, or one can't be loaded."""
    from voxgraft.export.acoustic.load import load_network

    require_pair(acoustic, vocoder)
    return Pair(acoustic, vocoder, load_network(acoustic), load_network(vocoder).generator)


def require_pair(acoustic: Checkpoint, vocoder: Checkpoint) -> None:
    """Raise ExportError naming the fields where a vocoder can't read what a model writes; slight differences are told."""
    require_text_to_spec(acoustic)
    require_task(vocoder, READS, "a vocoder")
    writes, reads = spectrogram_of(acoustic), spectrogram_of(vocoder)
    fit = spec_fit(writes, reads)
    name = vocoder.provenance.path.name
    if fit.grave:
        raise ExportError(
            f"the vocoder {name} can't read these spectrograms: {told(fit.grave)}",
            file=acoustic.provenance.path,
            field=", ".join(fit.grave),
            remedy="Take a vocoder for such spectrograms, or match one: `voxgraft match`.",
        )
    if fit.slight:
        notice(
            f"note: the spectrograms of {acoustic.provenance.path.name} and {name} differ a little: {told(fit.slight)}"
        )
    wrong = hop_mismatch(vocoder)
    if wrong is not None:
        raise ExportError(wrong, file=vocoder.provenance.path, field="hop", remedy="Take another vocoder.")


def require_text_to_spec(checkpoint: Checkpoint) -> None:
    """Raise ExportError where a checkpoint is no text-to-spec model of a family that speaks here, or lacks its symbols."""
    require_task(checkpoint, WRITES, "a text-to-spec model")
    path = checkpoint.provenance.path
    if checkpoint.family not in CONTROLS:
        raise ExportError(
            f"{family_of(checkpoint.family).title} can be read, but not spoken with here",
            file=path,
            field="family",
            expected=", ".join(family_of(name).title for name in CONTROLS),
            got=checkpoint.family,
            remedy="Take a model of one of these families.",
        )
    if checkpoint.symbols is None:
        why = "it reads phonological features" if checkpoint.architecture.get("features") else "it doesn't say"
        raise ExportError(
            "which symbols its inputs mean is not known",
            file=path,
            field="symbols",
            got=why,
            remedy="Take a model that reads characters or phones, with its configuration beside it.",
        )


def require_task(checkpoint: Checkpoint, task: str, title: str) -> None:
    """Raise ExportError where a checkpoint is of another kind."""
    family = family_of(checkpoint.family)
    if family.kind != task:
        raise ExportError(
            f"this is no {title.split(' ', 1)[1]}",
            file=checkpoint.provenance.path,
            field="family",
            expected=f"{title} ({task})",
            got=f"{family.title} ({family.kind})",
            remedy=f"Give {title}.",
        )


def spectrogram_of(checkpoint: Checkpoint) -> AudioSpec:
    """The spectrograms that a model writes or reads. Raises ExportError where it doesn't say."""
    if checkpoint.audio is None:
        raise ExportError(
            "the checkpoint doesn't say how its spectrograms are made",
            file=checkpoint.provenance.path,
            field="audio",
            remedy="Put its configuration beside it.",
        )
    return checkpoint.audio


def describe_pair(
    pair: Pair, *, name: str | None = None, language: str | None = None, consent: str | None = None
) -> VoiceMetadata:
    """What is known of the voice that a pair makes. Raises ExportError where nobody says which language it speaks."""
    known = describe_voice(pair.acoustic, name=name, language=language, consent=consent)
    licences = (*known.licences, *((pair.vocoder.provenance.licence,) if pair.vocoder.provenance.licence else ()))
    speakers, languages = pair.tables.speakers, pair.tables.languages
    return replace(
        known,
        licences=tuple(dict.fromkeys(licences)),
        speakers=named(pair.acoustic.speakers, speakers),
        languages=named(pair.acoustic.languages, languages),
        controls=CONTROLS[pair.acoustic.family],
        vocoder=base_of(pair.vocoder),
    )


def named(names: tuple[str, ...], rows: int) -> tuple[str, ...]:
    """A name for each row of a table of several, the number where there is none; none at all for a single one."""
    return tuple(names[row] if row < len(names) else str(row) for row in range(rows)) if rows > 1 else ()
