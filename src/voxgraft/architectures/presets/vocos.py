"""Vocos' size (Siuzdak 2023), and smaller ones; its transform is that of the spectrogram, 1024 points every 256 samples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_TRANSFORM = {"n_fft": 1024, "hop": 256}

PRESETS: Mapping[str, Mapping[str, Any]] = {
    "tiny": {"channels": 192, "hidden": 576, "layers": 6} | _TRANSFORM,
    "small": {"channels": 320, "hidden": 960, "layers": 8} | _TRANSFORM,
    "full": {"channels": 512, "hidden": 1536, "layers": 8} | _TRANSFORM,
}
