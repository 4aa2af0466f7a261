"""Glow-TTS: `full` is the paper's and Coqui TTS', the others have fewer and narrower blocks of the flow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def _of(channels: int, layers: int, blocks: int, flow_layers: int) -> dict[str, Any]:
    return {
        "hidden_channels_enc": channels,
        "hidden_channels_dec": channels,
        "hidden_channels_dp": 256 if channels > 128 else 2 * channels,
        "encoder_layers": layers,
        "encoder_filter_channels": 4 * channels,
        "num_flow_blocks_dec": blocks,
        "num_block_layers": flow_layers,
    }


PRESETS: Mapping[str, Mapping[str, Any]] = {
    "tiny": _of(96, 3, 4, 3),
    "small": _of(128, 4, 8, 4),
    "full": _of(192, 6, 12, 4),
}
