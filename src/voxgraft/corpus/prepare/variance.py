"""Statistics of pitch and energy, a set for each speaker: what both are normalised by, and the range of their bins."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from voxgraft.corpus.prepare.frames import PreparedFrames
from voxgraft.errors import CorpusError, shown

# The key of recordings without a speaker's name.
UNNAMED = ""
_FIELDS = ("mean", "std", "minimum", "maximum")
_LEAST_STD = 1e-6


@dataclass(frozen=True)
class ValueStatistics:
    """Of one speaker's values: in Hz for pitch, where only voiced frames count; the length of mel frames for energy."""

    mean: float
    std: float
    minimum: float
    maximum: float

    def normalised(self, values: np.ndarray) -> np.ndarray:
        """Values [T] with mean 0 and deviation 1, float32 [T]."""
        return ((np.asarray(values, np.float64) - self.mean) / self.std).astype(np.float32)

    def restored(self, values: np.ndarray) -> np.ndarray:
        """The inverse of `normalised`, float32 [T]."""
        return (np.asarray(values, np.float64) * self.std + self.mean).astype(np.float32)

    @property
    def bounds(self) -> tuple[float, float]:
        """The least and the greatest value, normalised."""
        return (self.minimum - self.mean) / self.std, (self.maximum - self.mean) / self.std


@dataclass(frozen=True)
class VarianceStatistics:
    """Pitch and energy of each speaker by name; recordings without one are under "" (`UNNAMED`)."""

    pitch: Mapping[str, ValueStatistics]
    energy: Mapping[str, ValueStatistics]

    @staticmethod
    def of(prepared: Iterable[PreparedFrames]) -> VarianceStatistics:
        """Of recordings, one by one. CorpusError: a speaker has nothing voiced, or a value is not a number."""
        pitch: dict[str, RunningSums] = {}
        energy: dict[str, RunningSums] = {}
        for entry in prepared:
            speaker = entry.utterance.speaker or UNNAMED
            contour = entry.pitch
            _require_numbers(entry, "pitch", contour)
            _require_numbers(entry, "energy", entry.energy)
            pitch.setdefault(speaker, RunningSums()).add(contour[contour > 0])
            energy.setdefault(speaker, RunningSums()).add(entry.energy)
        return VarianceStatistics(
            {speaker: sums.statistics("pitch", speaker) for speaker, sums in pitch.items()},
            {speaker: sums.statistics("energy", speaker) for speaker, sums in energy.items()},
        )

    def normalised_pitch(self, entry: PreparedFrames) -> np.ndarray:
        """An utterance's contour without gaps, by its speaker's mean and deviation: float32 [T]; 0 where nothing is voiced."""
        statistics = self.of_speaker(self.pitch, entry.utterance.speaker)
        contour = entry.interpolated_pitch
        return statistics.normalised(contour) if contour.any() else np.zeros(len(contour), np.float32)

    def normalised_energy(self, entry: PreparedFrames) -> np.ndarray:
        """An utterance's energy by its speaker's mean and deviation: float32 [T]."""
        return self.of_speaker(self.energy, entry.utterance.speaker).normalised(entry.energy)

    @property
    def pitch_bounds(self) -> tuple[float, float]:
        """The range of normalised pitch over all speakers, which its bins divide."""
        return _bounds(self.pitch)

    @property
    def energy_bounds(self) -> tuple[float, float]:
        """The range of normalised energy over all speakers, which its bins divide."""
        return _bounds(self.energy)

    def of_speaker(self, values: Mapping[str, ValueStatistics], speaker: str | None) -> ValueStatistics:
        """`pitch` or `energy` of one speaker; the only one there is serves everybody. CorpusError: there is no such speaker."""
        name = speaker or UNNAMED
        if name in values:
            return values[name]
        if len(values) == 1:
            return next(iter(values.values()))
        raise CorpusError(
            "pitch and energy of this speaker are not known",
            field="speaker",
            expected=", ".join(sorted(map(repr, values)))[:200],
            got=repr(name),
            remedy="Give a speaker that the model was trained on, or train with recordings of this one.",
        )

    def to_dict(self) -> dict[str, dict[str, dict[str, float]]]:
        """Plain data: `{"pitch": {speaker: {"mean": …}}, "energy": …}`."""
        return {
            name: {speaker: asdict(statistics) for speaker, statistics in values.items()}
            for name, values in (("pitch", self.pitch), ("energy", self.energy))
        }

    @staticmethod
    def from_dict(values: Any) -> VarianceStatistics:
        """The inverse of `to_dict`; also EveryVoice's `stats`, which has one set of numbers for everybody. CorpusError."""
        if not isinstance(values, Mapping):
            raise _malformed("statistics", values)
        return VarianceStatistics(_read(values, "pitch"), _read(values, "energy"))


class RunningSums:
    """Running sums, so that a corpus of any size takes the memory of one clip."""

    def __init__(self) -> None:
        self.count, self.mean, self.squares = 0, 0.0, 0.0
        self.least, self.greatest = math.inf, -math.inf

    def add(self, values: np.ndarray) -> None:
        """Join more values (Chan et al. 1979: no cancellation however many there are)."""
        if not len(values):
            return
        mean, count = float(np.mean(values, dtype=np.float64)), len(values)
        delta, total = mean - self.mean, self.count + count
        squares = float(np.sum(np.square(values - mean, dtype=np.float64)))
        self.squares += squares + delta * delta * self.count * count / total
        self.mean += delta * count / total
        self.count = total
        self.least, self.greatest = min(self.least, float(values.min())), max(self.greatest, float(values.max()))

    def statistics(self, name: str, speaker: str) -> ValueStatistics:
        """Of all that was added; CorpusError where that is nothing: no frame of `speaker` is voiced."""
        if not self.count:
            raise CorpusError(
                "nothing in these recordings is voiced, so that their pitch has no mean",
                field=f"{name} of speaker {speaker!r}" if speaker else name,
                remedy="Check that they hold speech, and at the right speed; `voxgraft corpus check` listens to all.",
            )
        std = math.sqrt(self.squares / max(1, self.count - 1))
        return ValueStatistics(self.mean, max(std, _LEAST_STD), self.least, self.greatest)


def _bounds(values: Mapping[str, ValueStatistics]) -> tuple[float, float]:
    ranges = [statistics.bounds for statistics in values.values()]
    return min(low for low, _ in ranges), max(high for _, high in ranges)


def _require_numbers(entry: PreparedFrames, name: str, values: np.ndarray) -> None:
    if not np.isfinite(values).all():
        raise CorpusError(
            f"its {name} has values that are not numbers (NaN or Inf)",
            file=entry.utterance.audio,
            field=name,
            remedy="Remove the project's cache folder and try again; if it stays, leave the recording out.",
        )


# What EveryVoice calls these fields.
_THEIR_NAMES = {"minimum": "min", "maximum": "max"}


def _read(values: Mapping[str, Any], name: str) -> dict[str, ValueStatistics]:
    part = values.get(name)
    if not isinstance(part, Mapping) or not part:
        raise _malformed(name, part)
    speakers = {UNNAMED: part} if "mean" in part and not isinstance(part["mean"], Mapping) else part
    return {str(speaker): _numbers(f"{name} of {speaker!r}", one) for speaker, one in speakers.items()}


def _numbers(field: str, values: Any) -> ValueStatistics:
    found = [values.get(n, values.get(_THEIR_NAMES.get(n, n))) for n in _FIELDS] if isinstance(values, Mapping) else []
    if not found or any(isinstance(v, bool) or not isinstance(v, int | float) or not math.isfinite(v) for v in found):
        raise _malformed(field, values)
    mean, std, least, greatest = (float(v) for v in found)
    if std <= 0 or least > greatest:
        raise _malformed(field, values)
    return ValueStatistics(mean, std, least, greatest)


def _malformed(field: str, values: Any) -> CorpusError:
    return CorpusError(
        "is no statistics of pitch or energy",
        field=field,
        expected="the numbers mean, std, minimum and maximum",
        got=shown(values),
        remedy="Prepare the corpus again, or take another checkpoint.",
    )
