"""The spectrogram that a VITS voice was trained on: what its files state, else what its network says."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from voxgraft.audio.spec import AudioSpec

_HIGHEST = 1e6
_LONGEST = 2**20


def spectrogram_of(
    architecture: Mapping[str, Any],
    sample_rate: int,
    *,
    n_fft: object = None,
    hop: object = None,
    win: object = None,
    n_mels: object = None,
    fmin: object = None,
    fmax: object = None,
) -> AudioSpec:
    """The spec at a rate in Hz, from values as a file states them; those that are absent or impossible count as not stated.

    The posterior encoder's bins then say the size of the transform, which is the window's too, and the upsampling the hop.
    """
    size = _count(n_fft) or 2 * (architecture["spec_channels"] - 1)
    return AudioSpec(
        sample_rate=sample_rate,
        n_fft=size,
        hop=_count(hop) or math.prod(architecture["upsample_rates"]),
        win=_count(win) or size,
        n_mels=_count(n_mels) or 80,
        fmin=_hertz(fmin) or 0.0,
        fmax=_hertz(fmax),
    )


def _count(value: object) -> int | None:
    return value if type(value) is int and 0 < value < _LONGEST else None


def _hertz(value: object) -> float | None:
    return float(value) if type(value) in (int, float) and 0 <= value < _HIGHEST else None  # type: ignore[operator,arg-type]
