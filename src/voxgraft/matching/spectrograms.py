"""generate_mels: recordings as a text-to-spec model would write them, frame for frame as long as they are.

A vocoder that learns from these hears at training what it will be given later. Durations are forced to the recording's own;
pitch and energy are predicted, or forced too. Utterances are spoken whole: cut into sentences they would have other lengths
than their recordings. Letters in shapes: M mel bands, T frames.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from voxgraft.checkpoints import Checkpoint
from voxgraft.corpus.prepare.frames import PreparedFrames
from voxgraft.corpus.prepare.variance import VarianceStatistics
from voxgraft.errors import CorpusError
from voxgraft.export.acoustic.families import require_text_to_spec, spectrogram_of
from voxgraft.matching.mel_index import INDEX, MadeWith, MelIndex, read_index
from voxgraft.progress import track
from voxgraft.text.encode import encode_text
from voxgraft.training.tasks.acoustic.batches import Batch, make_batch
from voxgraft.training.tasks.acoustic.describe import statistics_of
from voxgraft.training.tasks.acoustic.examples import Example, GivenDurations, Names, make_examples
from voxgraft.training.tasks.acoustic.families.family import AcousticFamily
from voxgraft.training.tasks.acoustic.families.registry import acoustic_family
from voxgraft.training.tasks.acoustic.network import whole_network

# Utterances between two writings of the index: what a kill may cost.
KEPT_EVERY = 200
_SHOWN = 5


def generate_mels(
    checkpoint: Checkpoint,
    clips: Sequence[PreparedFrames],
    folder: str | Path,
    *,
    force_pitch: bool = False,
    force_energy: bool = False,
    durations: GivenDurations = None,
    device: str | torch.device = "cpu",
) -> MelIndex:
    """Make the spectrogram of every clip into FOLDER/HASH of the model, and return where they are; what is there already stays.

    `durations` finds those of a clip's symbols, where the model has no aligner of its own.

    Raises:
        CorpusError: naming all clips whose text, speaker, language or sound the model can't take, before anything is made; or
            one whose spectrogram came out in another length than its recording, or not finite.
        ExportError: the checkpoint is no text-to-spec model that speaks here.
        TrainingError: nothing here forces durations on its family.
    """
    require_text_to_spec(checkpoint)
    audio, family = spectrogram_of(checkpoint), acoustic_family(checkpoint.family)
    made_with = MadeWith(checkpoint.provenance.sha256, audio, force_pitch, force_energy)
    index = _begun(Path(folder) / _name(made_with), made_with)
    missing = [clip for clip in clips if not index.holds(clip.utterance.id, clip.content)]
    if not missing:
        return index
    network = whole_network(checkpoint).to(device)
    forces_durations = not family.aligns(network)
    _require_durations(checkpoint, forces_durations, durations)
    examples = examples_for(checkpoint, missing, durations if forces_durations else None)
    for number, example in enumerate(track(examples, "Making spectrograms"), 1):
        batch = make_batch(examples, [number - 1], aligns=not forces_durations).to(torch.device(device))
        mel = forced_mel(family, network, batch, force_pitch=force_pitch, force_energy=force_energy)
        require_exact(mel, example.prepared, audio.n_mels)
        index = index.with_mel(example.prepared.utterance.id, mel, example.prepared.content)
        if number % KEPT_EVERY == 0:
            index.write()
    index.write()
    return index


def forced_mel(
    family: AcousticFamily, network: nn.Module, batch: Batch, *, force_pitch: bool, force_energy: bool
) -> np.ndarray:
    """The spectrogram [M, T] of a batch of one, at the recording's own durations."""
    with torch.no_grad():
        mel = family.teacher_forced(network, batch, force_pitch=force_pitch, force_energy=force_energy)
    return np.asarray(mel[0].float().cpu().numpy(), np.float32)


def examples_for(
    checkpoint: Checkpoint, clips: Sequence[PreparedFrames], durations: GivenDurations = None
) -> tuple[Example, ...]:
    """Clips as the network takes them, whole, whatever their length. CorpusError names all that it can't take."""
    symbols, audio = checkpoint.symbols, spectrogram_of(checkpoint)
    assert symbols is not None, "required before"
    found = make_examples(
        clips,
        partial(encode_text, symbols=symbols),
        _statistics(checkpoint, clips),
        Names(checkpoint.speakers, checkpoint.languages, _only_language(clips, checkpoint)),
        hop=audio.hop,
        limits=(0.0, math.inf),
        durations=durations,
    )
    if found.findings:
        told = "; ".join(f"{finding.detail}" for finding in found.findings[:_SHOWN])
        more = f"; and {len(found.findings) - _SHOWN} more" if len(found.findings) > _SHOWN else ""
        raise CorpusError(
            f"the model can't follow {len(found.findings)} of {len(clips)} recordings: {told}{more}",
            file=checkpoint.provenance.path,
            field=found.findings[0].kind,
            remedy=found.findings[0].remedy,
        )
    return found.kept


def require_exact(mel: np.ndarray, clip: PreparedFrames, bands: int) -> None:
    """Raise CorpusError where a spectrogram is not as long as its recording, frame for frame, or holds what is no number."""
    wanted = (bands, clip.frames)
    if mel.shape != wanted:
        raise CorpusError(
            "the spectrogram that was made is not as long as its recording",
            file=clip.utterance.audio,
            field=clip.utterance.id,
            expected=f"{wanted[0]} bands, {wanted[1]} frames",
            got=f"{mel.shape[0]} bands, {mel.shape[1]} frames",
            remedy="Report it with the model; leave the recording out meanwhile.",
        )
    if not np.isfinite(mel).all():
        raise CorpusError(
            "the spectrogram that was made holds numbers that are not finite (NaN or Inf)",
            file=clip.utterance.audio,
            field=clip.utterance.id,
            remedy="The model was spoilt in training: take an earlier checkpoint.",
        )


def _statistics(checkpoint: Checkpoint, clips: Sequence[PreparedFrames]) -> VarianceStatistics:
    """The model's own; the recordings', where it does not know a speaker."""
    own = statistics_of(checkpoint)
    speakers = {clip.utterance.speaker or "" for clip in clips}
    if own is not None and (len(own.pitch) == 1 or speakers <= set(own.pitch)):
        return own
    return VarianceStatistics.of(clips)


def _only_language(clips: Sequence[PreparedFrames], checkpoint: Checkpoint) -> str | None:
    """Of recordings that name no language, where the model has but one."""
    return checkpoint.languages[0] if len(checkpoint.languages) == 1 else None


def _require_durations(checkpoint: Checkpoint, wanted: bool, durations: Any) -> None:
    if wanted and durations is None:
        raise CorpusError(
            "the model has no aligner, and no durations are given",
            file=checkpoint.provenance.path,
            field="acoustic.durations",
            remedy="Name the durations that it was trained with (acoustic.durations).",
        )


def _begun(folder: Path, made_with: MadeWith) -> MelIndex:
    """What an earlier call made with the same model and the same things forced; else nothing."""
    if (folder / INDEX).is_file():
        there = read_index(folder)
        if there.made_with == made_with:
            return there
    return MelIndex(folder, made_with)


def _name(made_with: MadeWith) -> str:
    forced = "".join(
        mark
        for mark, is_forced in (("-pitch", made_with.force_pitch), ("-energy", made_with.force_energy))
        if is_forced
    )
    return f"{made_with.acoustic[:16]}{forced}"
