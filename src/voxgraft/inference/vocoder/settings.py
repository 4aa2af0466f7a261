"""What an exported vocoder says of itself, in the metadata of its ONNX file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from voxgraft.audio.spec import AudioSpec
from voxgraft.errors import CheckpointError

KEY = "voxgraft"
KIND = "vocoder"
_REMEDY = "Export the vocoder again with voxgraft export."


@dataclass(frozen=True)
class VocoderSettings:
    """`audio` is the spectrogram that it reads; None where the file does not say."""

    family: str | None = None
    audio: AudioSpec | None = None
    name: str | None = None

    def to_metadata(self) -> dict[str, Any]:
        """Plain data for the file."""
        audio = self.audio.to_dict() if self.audio is not None else None
        return {"kind": KIND, "family": self.family, "audio": audio, "name": self.name}


def settings_in(metadata: Mapping[str, str], path: Path) -> VocoderSettings:
    """What a file's metadata say. CheckpointError where they are damaged; nothing known for others' files."""
    if KEY not in metadata:
        return VocoderSettings(audio=None)
    try:
        found = json.loads(metadata[KEY])
        audio = found.get("audio")
        known = {field.name for field in fields(AudioSpec)}
        spec = AudioSpec(**{name: value for name, value in audio.items() if name in known}) if audio else None
    except (ValueError, TypeError, AttributeError) as fault:
        raise CheckpointError(
            "what the file says of itself can't be read", file=path, field=KEY, got=str(fault)[:120], remedy=_REMEDY
        ) from fault
    return VocoderSettings(found.get("family"), spec, found.get("name"))
