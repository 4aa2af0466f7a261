"""HiFi-GAN's three sizes (Kong et al. 2020, appendix A.1), iSTFTNet's (Kaneko et al. 2022, C8C8I), and smaller ones; hop 256."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_PAIRS = ((1, 3, 5), (1, 3, 5), (1, 3, 5))
_V1 = {
    "resblock": "1",
    "resblock_kernels": (3, 7, 11),
    "resblock_dilations": _PAIRS,
    "upsample_rates": (8, 8, 2, 2),
    "upsample_initial_channel": 512,
    "upsample_kernels": (16, 16, 4, 4),
}
_V3 = {
    "resblock": "2",
    "resblock_kernels": (3, 5, 7),
    "resblock_dilations": ((1, 2), (2, 6), (3, 12)),
    "upsample_rates": (8, 8, 4),
    "upsample_initial_channel": 256,
    "upsample_kernels": (16, 16, 8),
}
_V2 = _V1 | {"upsample_initial_channel": 128}
# The last upsampling by 4 is the hop of an inverse Fourier transform of 16 points.
_ISTFT = _V1 | {"upsample_rates": (8, 8), "upsample_kernels": (16, 16), "istft_points": 16}

PRESETS: Mapping[str, Mapping[str, Any]] = {
    "tiny": _V3 | {"upsample_initial_channel": 128},
    "small": _V2,
    "full": _V1,
    "v1": _V1,
    "v2": _V2,
    "v3": _V3,
    "istft": _ISTFT,
}
