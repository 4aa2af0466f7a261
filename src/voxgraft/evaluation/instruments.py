"""Instruments: what a clip is measured with, loaded once; what is not installed is named, with the reason."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

import numpy as np

from voxgraft.errors import EvaluationError, VoxgraftError
from voxgraft.evaluation.metrics.dnsmos import Dnsmos
from voxgraft.evaluation.metrics.mcd import mel_cepstral_distortion
from voxgraft.evaluation.metrics.pitch import f0_rmse
from voxgraft.evaluation.metrics.recogniser import Recogniser
from voxgraft.evaluation.metrics.speaker import SpeakerEncoder
from voxgraft.evaluation.metrics.world import Analysis, World

T = TypeVar("T")
# What is given as a recogniser where none is wanted.
NO_RECOGNISER = "none"
METRIC_NAMES = ("cer", "wer", "speaker_similarity", "dnsmos", "mcd", "f0_rmse")


class Clip(NamedTuple):
    """Float32 mono audio [T] and its sample rate in Hz."""

    audio: np.ndarray
    sample_rate: int

    @property
    def seconds(self) -> float:
        """Length."""
        return len(self.audio) / self.sample_rate


@dataclass(frozen=True)
class Instruments:
    """Each is None where its package is missing; `absent` then says why, metric by metric."""

    recogniser: Recogniser | None = None
    encoder: SpeakerEncoder | None = None
    dnsmos: Dnsmos | None = None
    world: World | None = None
    absent: dict[str, str] = field(default_factory=dict)


def load_instruments(
    *,
    language: str = "en",
    recogniser: str = "auto",
    threads: int = 2,
    wanted: Collection[str] = METRIC_NAMES,
    required: bool = False,
) -> Instruments:
    """Load what the `wanted` metrics need and what can be had; `required` raises for what can't.

    A recogniser that was asked for by name must load in any case; `none` is no recogniser, and its measures are turned off.
    """
    if recogniser == NO_RECOGNISER:
        wanted = set(wanted) - {"cer", "wer"}
    absent = dict.fromkeys(set(METRIC_NAMES) - set(wanted), "turned off")

    def attempt(metrics: Sequence[str], make: Callable[[], T], needed: bool = required) -> T | None:
        if not set(metrics) & set(wanted):
            return None
        try:
            return make()
        except VoxgraftError as fault:
            if needed:
                raise
            absent.update(dict.fromkeys(metrics, f"{fault.summary}; {fault.remedy}"))
            return None

    return Instruments(
        recogniser=attempt(
            ("cer", "wer"),
            lambda: Recogniser(recogniser, language=language, threads=threads),
            needed=required or recogniser != "auto",
        ),
        encoder=attempt(("speaker_similarity",), SpeakerEncoder),
        dnsmos=attempt(("dnsmos",), lambda: Dnsmos(threads)),
        world=attempt(("mcd", "f0_rmse"), World),
        absent=absent,
    )


def finite(audio: np.ndarray, who: str) -> np.ndarray:
    """The audio as float32 [T]; a voice that speaks NaN is broken, not silent."""
    audio = np.asarray(audio, dtype=np.float32).reshape(-1)
    if not np.isfinite(audio).all():
        raise EvaluationError(
            f"{who} spoke samples that are not finite numbers", remedy="Train again with lower learning rates."
        )
    return audio


def compare_pitch_and_timbre(spoken: Analysis | None, recorded: Analysis | None) -> dict[str, float | None]:
    """MCD and pitch error of one clip against the recording of the same text."""
    if spoken is None or recorded is None:
        return {"mcd": None, "f0_rmse": None}
    return {"mcd": mel_cepstral_distortion(spoken, recorded), "f0_rmse": f0_rmse(spoken, recorded)}
