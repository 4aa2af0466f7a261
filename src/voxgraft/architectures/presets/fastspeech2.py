"""FastSpeech 2: `full` is EveryVoice's, the others are narrower and shallower."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def _of(channels: int, filter_channels: int, layers: int, postnet: int, dropout: float) -> dict[str, Any]:
    """`layers` Conformer layers on either side of predictors as wide as they are."""
    halves = {
        f"{half}_{name}": value
        for half in ("encoder", "decoder")
        for name, value in {
            "layers": layers,
            "heads": 2,
            "filter_channels": filter_channels,
            "kernel": 9,
            "dropout": dropout,
        }.items()
    }
    predictors = {
        f"{what}_{name}": value
        for what in ("duration", "pitch", "energy")
        for name, value in {"layers": 5 if layers > 2 else 3, "channels": channels, "kernel": 3}.items()
    }
    return {"channels": channels, "postnet_channels": postnet, **halves, **predictors}


PRESETS: Mapping[str, Mapping[str, Any]] = {
    "tiny": _of(128, 512, 2, 128, 0.1),
    "small": _of(192, 768, 3, 256, 0.1),
    "full": _of(256, 1024, 4, 512, 0.2),
}
