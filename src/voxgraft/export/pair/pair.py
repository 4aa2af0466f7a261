"""Pair: a text-to-spec model and the vocoder that renders it, loaded and found to fit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from voxgraft.audio.fit import spec_fit, told
from voxgraft.checkpoints.checkpoint import Checkpoint
from voxgraft.errors import ExportError
from voxgraft.export.acoustic.families import (
    READS,
    Tables,
    controls_of,
    named,
    require_task,
    require_text_to_spec,
    spectrogram_of,
    tables_of,
)
from voxgraft.export.piper.metadata import VoiceMetadata, base_of
from voxgraft.export.source import describe_voice
from voxgraft.graft.vocoder import hop_mismatch
from voxgraft.progress import notice

if TYPE_CHECKING:
    from torch import nn


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
    from voxgraft.export.pair.rendering import load_rendering

    require_pair(acoustic, vocoder)
    return Pair(acoustic, vocoder, load_network(acoustic), load_rendering(vocoder))


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


def describe_pair(
    pair: Pair, *, name: str | None = None, language: str | None = None, consent: str | None = None
) -> VoiceMetadata:
    """What is known of the voice that a pair makes. Raises ExportError where nobody says which language it speaks."""
    known = describe_voice(pair.acoustic, name=name, language=language, consent=consent)
    licences = (*known.licences, *((pair.vocoder.provenance.licence,) if pair.vocoder.provenance.licence else ()))
    speakers, languages = pair.tables.speakers, named(pair.acoustic.languages, pair.tables.languages)
    return replace(
        known,
        licences=tuple(dict.fromkeys(licences)),
        speakers=named(pair.acoustic.speakers, speakers),
        languages=languages,
        default_language=languages.index(language) if language in languages else 0,
        controls=controls_of(pair.acoustic.family, pair.acoustic.architecture),
        vocoder=base_of(pair.vocoder),
    )
