"""AudioSpec: everything that must agree before one model can read another's spectrograms."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Literal


@dataclass(frozen=True)
class AudioSpec:
    """How audio becomes a spectrogram. Two models fit together only if their specs are equal.

    Lengths are in samples, frequencies in Hz. `fmax=None` is half the sample rate. `power` is the exponent of the
    magnitude (1 magnitude, 2 power). `magnitude_floor` is added under the square root, `log_floor` clamps before
    the logarithm. `centre=False` pads (n_fft - hop) / 2 by reflection on both sides, as HiFi-GAN and VITS do.
    `preemphasis` c makes x[t] - c x[t-1] of the samples first. `log_gain` multiplies the logarithm (20 with base 10:
    decibels). Normalisation `range` then lays the levels `level_low`..`level_high` out over `range_low`..`range_high`,
    clipped to it or not; `mean-variance` needs statistics that stand in a file of their own. `bands` brings every band of
    a recording to mean 0 and deviation 1, `whisper` cuts off what is 8 below a recording's peak and takes x / 4 + 1.
    `log_floor_added`: the floor is added, not clamped to. `n_mels=0`: the model reads samples, brought to mean 0 and
    deviation 1 where the normalisation is `utterance`; a frame sees `win` of them and comes every `hop`.
    """

    sample_rate: int
    n_fft: int = 1024
    hop: int = 256
    win: int = 1024
    n_mels: int = 80
    fmin: float = 0.0
    fmax: float | None = None
    mel_scale: Literal["slaney", "htk"] = "slaney"
    mel_norm: Literal["slaney", "none"] = "slaney"
    power: float = 1.0
    magnitude_floor: float = 1e-6
    log_base: Literal["e", "10", "none"] = "e"
    log_floor: float = 1e-5
    normalisation: Literal["none", "range", "mean-variance", "bands", "whisper", "utterance"] = "none"
    centre: bool = False
    preemphasis: float = 0.0
    log_gain: float = 1.0
    level_low: float = 0.0
    level_high: float = 0.0
    range_low: float = 0.0
    range_high: float = 0.0
    clipped: bool = False
    log_floor_added: bool = False
    window: Literal["periodic", "symmetric"] = "periodic"

    @property
    def bins(self) -> int:
        """Frequency bins of the linear spectrogram."""
        return self.n_fft // 2 + 1

    def differences(self, other: AudioSpec) -> dict[str, tuple[object, object]]:
        """Fields that differ: name -> (ours, theirs)."""
        return {
            f.name: (getattr(self, f.name), getattr(other, f.name))
            for f in fields(self)
            if getattr(self, f.name) != getattr(other, f.name)
        }

    def to_dict(self) -> dict[str, object]:
        """Plain data for JSON and cache keys."""
        return asdict(self)
