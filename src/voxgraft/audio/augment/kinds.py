"""The augmentations that there are, with their keys, as Coqui STT names them.

Source: https://github.com/coqui-ai/STT/blob/main/doc/AUGMENTATION.rst. A key without a default has to be given.
Defaults are Coqui's but for two: `codec` begins at the lowest bit rate that libsndfile can write, and the deviation of
`add` and `multiply` must be named, for theirs (5) leaves nothing of the features.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Domain = Literal["sample", "signal", "spectrogram", "features"]
# In the order in which they are applied.
DOMAINS: tuple[Domain, ...] = ("sample", "signal", "spectrogram", "features")
CHOICES: tuple[Domain, ...] = ("signal", "spectrogram", "features")
INFINITE = float("inf")


@dataclass(frozen=True)
class Key:
    """A number that an augmentation takes: unit and bounds."""

    unit: str
    default: float | None
    low: float = -INFINITE
    high: float = INFINITE
    whole: bool = False


@dataclass(frozen=True)
class Kind:
    """One augmentation: its domain (the default one where it may be chosen), its numbers, and its texts."""

    domain: Domain
    keys: Mapping[str, Key]
    texts: tuple[str, ...] = ()
    chooses_domain: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Everything that may stand in the brackets."""
        return ("p", *self.texts, *self.keys, *(("domain",) if self.chooses_domain else ()))


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "overlay": Kind(
            "sample",
            {"snr": Key("dB", 3.0, -60, 120), "layers": Key("layers", 1, 0, 100, whole=True)},
            texts=("source",),
        ),
        "codec": Kind("sample", {"bitrate": Key("bit/s", 6000, 6000, 256_000, whole=True)}),
        "reverb": Kind("sample", {"delay": Key("ms", 20.0, 0.1, 1000), "decay": Key("dB", 10.0, 0.5, 120)}),
        "resample": Kind("sample", {"rate": Key("Hz", 8000, 1000, 384_000, whole=True)}),
        "volume": Kind("sample", {"dbfs": Key("dBFS", 3.0103, -120, 3.0103)}),
        "pitch": Kind("spectrogram", {"pitch": Key("times", 1.075, 0.25, 4)}),
        "tempo": Kind("spectrogram", {"factor": Key("times", 1.1, 0.25, 4)}),
        "warp": Kind(
            "spectrogram",
            {
                "nt": Key("lines", 1, 0, 100, whole=True),
                "nf": Key("lines", 1, 0, 100, whole=True),
                "wt": Key("of half the distance", 0.1, 0, 1),
                "wf": Key("of half the distance", 0.0, 0, 1),
            },
        ),
        "frequency_mask": Kind(
            "spectrogram",
            {"n": Key("masks", 3, 0, 100, whole=True), "size": Key("bands of 31.25 Hz", 2, 1, 10_000, whole=True)},
        ),
        "time_mask": Kind(
            "spectrogram",
            {"n": Key("masks", 3, 0, 1000, whole=True), "size": Key("ms", 10.0, 0, 60_000)},
            chooses_domain=True,
        ),
        "dropout": Kind("spectrogram", {"rate": Key("share", 0.05, 0, 1)}, chooses_domain=True),
        "add": Kind("features", {"stddev": Key("deviation", None, 0, 1e6)}, chooses_domain=True),
        "multiply": Kind("features", {"stddev": Key("deviation", None, 0, 1e6)}, chooses_domain=True),
    }
)
