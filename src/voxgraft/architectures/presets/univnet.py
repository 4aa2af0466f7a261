"""UnivNet's two sizes (Jang et al. 2021: c32 and c16), and a smaller one; hop 256."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_C32 = {"noise_channels": 64, "channels": 32, "strides": (8, 8, 4), "dilations": (1, 3, 9, 27)}

PRESETS: Mapping[str, Mapping[str, Any]] = {
    "tiny": _C32 | {"channels": 8, "predictor_channels": 32},
    "small": _C32 | {"channels": 16},
    "full": _C32,
}
