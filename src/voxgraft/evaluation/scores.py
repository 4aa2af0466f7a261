"""Scores: what was measured on each clip, and what it comes to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from voxgraft.evaluation.bootstrap import Interval, Part, change_interval, ratio_interval
from voxgraft.evaluation.metrics.transcript import ErrorCount


@dataclass(frozen=True)
class ClipScore:
    """One clip. None is a measure that was not made, or has no value for this clip."""

    id: str
    text: str
    seed: int | None
    seconds: float
    heard: str | None = None
    characters: ErrorCount | None = None
    words: ErrorCount | None = None
    speaker_similarity: float | None = None
    dnsmos: float | None = None
    mcd: float | None = None
    f0_rmse: float | None = None
    mel_distance: float | None = None
    mr_stft: float | None = None
    flatness: float | None = None

    @property
    def cer(self) -> float | None:
        """Character error rate of this clip alone."""
        return self.characters.edits / self.characters.length if self.characters and self.characters.length else None


@dataclass(frozen=True)
class Metric:
    """A column of the table: how it is called, which way is better, and what it means."""

    name: str
    title: str
    unit: str
    better: Literal["lower", "higher"]
    digits: int
    factor: float
    meaning: str
    parts: Callable[[ClipScore], tuple[float, float] | None]


def _errors(count: ErrorCount | None) -> tuple[float, float] | None:
    return None if count is None else (count.edits, count.length)


def _value(value: float | None) -> tuple[float, float] | None:
    return None if value is None else (value, 1.0)


METRICS = (
    Metric(
        "cer", "CER", "%", "lower", 1, 100.0,
        "characters that a recogniser hears wrongly, pooled over clips", lambda row: _errors(row.characters),
    ),
    Metric(
        "wer", "WER", "%", "lower", 1, 100.0,
        "words that a recogniser hears wrongly, pooled over clips", lambda row: _errors(row.words),
    ),
    Metric(
        "speaker_similarity", "Similarity", "", "higher", 2, 1.0,
        "cosine of a clip's Resemblyzer embedding to the mean of the target's recordings",
        lambda row: _value(row.speaker_similarity),
    ),
    Metric(
        "dnsmos", "DNSMOS", "", "higher", 2, 1.0,
        "sound quality from 1 to 5 as a network guesses it", lambda row: _value(row.dnsmos),
    ),
    Metric(
        "mcd", "MCD", "dB", "lower", 1, 1.0,
        "mel-cepstral distortion against the recording of the same text", lambda row: _value(row.mcd),
    ),
    Metric(
        "f0_rmse", "Pitch error", "cents", "lower", 0, 1.0,
        "root mean square pitch difference to the recording of the same text", lambda row: _value(row.f0_rmse),
    ),
)  # fmt: skip


_HEARD = tuple(metric for metric in METRICS if metric.name in ("cer", "dnsmos"))
# Of sound that a vocoder made of the spectrogram of a recording.
VOCODER_METRICS = (
    Metric(
        "mel_distance", "Mel distance", "", "lower", 3, 1.0,
        "mean difference of the log-mel spectrograms of vocoded and recorded speech", lambda row: _value(row.mel_distance),
    ),
    Metric(
        "mr_stft", "MR-STFT", "", "lower", 3, 1.0,
        "spectral convergence and log-magnitude difference at three resolutions", lambda row: _value(row.mr_stft),
    ),
    Metric(
        "flatness", "Flatness error", "dB", "lower", 2, 1.0,
        "difference of spectral flatness in voiced frames: metallic sound has much of it", lambda row: _value(row.flatness),
    ),
    *_HEARD,
)  # fmt: skip


@dataclass(frozen=True)
class Scores:
    """A voice's clips and what they come to, by the metrics that it is measured with."""

    rows: tuple[ClipScore, ...]
    metrics: tuple[Metric, ...] = METRICS

    def parts(self, metric: Metric) -> list[Part]:
        """(text, numerator, denominator) of every clip that has the metric."""
        found = [(row.id, metric.parts(row)) for row in self.rows]
        return [(text, *part) for text, part in found if part is not None]

    def summary(self) -> dict[str, Interval | None]:
        """Every metric: (value, low, high), or None where no clip has it."""
        return {metric.name: ratio_interval(self.parts(metric)) for metric in self.metrics}


def change(before: Scores, after: Scores) -> dict[str, Interval | None]:
    """What `after` has more than `before` on the texts that both spoke, paired text by text: (value, low, high)."""
    return {metric.name: change_interval(before.parts(metric), after.parts(metric)) for metric in before.metrics}
