"""Vocoders side by side: each makes sound of the same spectrograms, which is held against the recordings they are of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from voxgraft.audio.spec import AudioSpec
from voxgraft.errors import EvaluationError
from voxgraft.evaluation.compare import Comparison
from voxgraft.evaluation.instruments import Clip, Instruments, finite
from voxgraft.evaluation.judge import HeldOut
from voxgraft.evaluation.metrics.spectral import flatness_error, mel_distance, mr_stft_distance
from voxgraft.evaluation.metrics.transcript import character_errors, word_errors
from voxgraft.evaluation.scores import VOCODER_METRICS, ClipScore, Scores
from voxgraft.progress import progress

# mel [M, N] -> audio [T], float32.
Vocode = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Spectrogram:
    """What a vocoder is given of a recording, and the recording as it was prepared: mel [M, N], audio [T], pitch [N] in Hz,
    0 where unvoiced."""

    id: str
    text: str
    mel: np.ndarray
    audio: np.ndarray
    pitch: np.ndarray


def compare_vocoders(
    vocoders: Mapping[str, Vocode], spectrograms: Sequence[Spectrogram], spec: AudioSpec, instruments: Instruments
) -> Comparison:
    """Measure every vocoder (roles `base`, `result`) on the same spectrograms, against their recordings.

    EvaluationError where there is no spectrogram, or a vocoder makes samples that are not finite.
    """
    if not spectrograms:
        raise EvaluationError("no recording to evaluate on", remedy="Hold out some recordings (corpus.held_out).")
    scores: dict[str, Scores] = {}
    clips: dict[str, dict[str, Clip]] = {}
    with progress("comparing vocoders", (len(vocoders) + 1) * len(spectrograms)) as advance:
        for role, vocode in vocoders.items():
            spoken = [finite(vocode(found.mel), f"the {role} vocoder") for found in spectrograms]
            rows = []
            for found, audio in zip(spectrograms, spoken, strict=True):
                rows.append(_score(found, audio, spec, instruments))
                advance()
            scores[role] = Scores(tuple(rows), VOCODER_METRICS)
            clips[role] = {f.id: Clip(audio, spec.sample_rate) for f, audio in zip(spectrograms, spoken, strict=True)}
        rows = []
        for found in spectrograms:
            rows.append(_heard(found, found.audio, spec, instruments))
            advance()
    scores["recordings"] = Scores(tuple(rows), VOCODER_METRICS)
    clips["recordings"] = {found.id: Clip(found.audio, spec.sample_rate) for found in spectrograms}
    lines = tuple(HeldOut(f.id, f.text, clips["recordings"][f.id]) for f in spectrograms)
    absent = {name: why for name, why in instruments.absent.items() if name in ("cer", "dnsmos")}
    notes = (
        "Intervals: 95 % bootstrap over texts.",
        "The vocoders read spectrograms that the text-to-spec model made of the texts, as long as the recordings.",
    )
    return Comparison(scores, clips, lines, (0,), absent, notes)


def _score(found: Spectrogram, audio: np.ndarray, spec: AudioSpec, tools: Instruments) -> ClipScore:
    return replace(
        _heard(found, audio, spec, tools),
        seed=0,
        mel_distance=mel_distance(audio, found.audio, spec),
        mr_stft=mr_stft_distance(audio, found.audio, spec.sample_rate),
        flatness=flatness_error(audio, found.audio, found.pitch > 0, spec),
    )


def _heard(found: Spectrogram, audio: np.ndarray, spec: AudioSpec, tools: Instruments) -> ClipScore:
    heard = tools.recogniser.transcribe(audio, spec.sample_rate) if tools.recogniser else None
    return ClipScore(
        id=found.id,
        text=found.text,
        seed=None,
        seconds=len(audio) / spec.sample_rate,
        heard=heard,
        characters=None if heard is None else character_errors(found.text, heard),
        words=None if heard is None else word_errors(found.text, heard),
        dnsmos=tools.dnsmos.score(audio, spec.sample_rate) if tools.dnsmos and len(audio) else None,
    )
