"""What an exported text-to-spec model says of itself, in its own .onnx under `voxgraft_acoustic`.

The model's inputs: `input` int64 [1, N], `input_lengths` int64 [1], `noise_scale` and `length_scale` float32 [1], `sid` int64 [1]
with several speakers; and, which may be left out, `pitch_scale` and `energy_scale` float32 [1] and `lid` int64 [1]. Its outputs:
`mel` float32 [1, M, T], `durations` int64 [1, N] in frames.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from voxgraft.audio.spec import AudioSpec
from voxgraft.errors import CheckpointError
from voxgraft.text.symbols import SymbolTable

METADATA_KEY = "voxgraft_acoustic"
_REMEDY = "Export the model again with `voxgraft export --to onnx`."
Name = Annotated[str, Field(min_length=1, max_length=1000)]


class AcousticSettings(BaseModel):
    """`speakers` and `languages` are in the order of their ids; one or none where the model doesn't tell them apart. `controls` are
    the scales that it heeds. `statistics` are of pitch and energy, `about` is for people."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    family: Name
    name: Name
    symbols: SymbolTable
    audio: AudioSpec
    speakers: tuple[Name, ...] = Field((), max_length=2**16)
    languages: tuple[Name, ...] = Field((), max_length=2**16)
    controls: tuple[Name, ...] = Field((), max_length=16)
    length_scale: float = Field(1.0, gt=0, le=100, allow_inf_nan=False)
    noise_scale: float = Field(0.667, ge=0, le=100, allow_inf_nan=False)
    statistics: dict[str, Any] = {}
    about: dict[str, Any] = {}

    @field_validator("audio")
    @classmethod
    def _possible(cls, audio: AudioSpec) -> AudioSpec:
        for name, low, high in (("sample_rate", 4000, 192_000), ("hop", 1, 1 << 16), ("n_mels", 1, 1 << 12)):
            size = getattr(audio, name)
            if type(size) is not int or not low <= size <= high:
                raise ValueError(f"{name} is {size!r}, expected {low} to {high}")
        return audio

    def to_json(self) -> str:
        """The text that the .onnx holds."""
        plain = {name: getattr(self, name) for name in type(self).model_fields}
        plain |= {"symbols": self.symbols.to_dict(), "audio": self.audio.to_dict()}
        return json.dumps(plain, ensure_ascii=False, sort_keys=True)


def is_acoustic(metadata: Mapping[str, str]) -> bool:
    """Whether a .onnx with this metadata is a text-to-spec model of ours."""
    return METADATA_KEY in metadata


def read_acoustic_settings(metadata: Mapping[str, str], path: Path) -> AcousticSettings:
    """Of the metadata of a .onnx. Raises CheckpointError naming the file and the field."""
    text = metadata.get(METADATA_KEY)
    if text is None:
        raise CheckpointError(
            "no text-to-spec model that voxgraft exported",
            file=path,
            field=METADATA_KEY,
            expected="the settings of one in its metadata",
            got="none",
            remedy=_REMEDY,
        )
    try:
        return AcousticSettings.model_validate(json.loads(text))
    except ValidationError as fault:
        first = fault.errors(include_url=False)[0]
        field = ".".join(str(part) for part in (METADATA_KEY, *first["loc"]))
        raise CheckpointError(str(first["msg"])[:200], file=path, field=field, remedy=_REMEDY) from fault
    except (ValueError, TypeError, RecursionError) as fault:
        raise CheckpointError(str(fault)[:200], file=path, field=METADATA_KEY, remedy=_REMEDY) from fault
