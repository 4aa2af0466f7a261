"""DelightfulTTS: `full` is tts-framework's, `small` VoiceSmith's for English in width, `tiny` trains in minutes on two cores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def _of(channels: int, layers: int, heads: int, speaker_channels: int, feed_forward: bool) -> dict[str, Any]:
    stacks = {
        f"{stack}_{name}": value
        for stack in ("encoder", "decoder")
        for name, value in {"layers": layers, "heads": heads, "feed_forward": feed_forward}.items()
    }
    return {"channels": channels, "variance_channels": channels, "speaker_channels": speaker_channels, **stacks}


PRESETS: Mapping[str, Mapping[str, Any]] = {
    "tiny": _of(128, 2, 2, 64, False) | {"utterance_prosody": 64},
    "small": _of(256, 4, 4, 256, False),
    "full": _of(512, 6, 8, 1024, True),
}
