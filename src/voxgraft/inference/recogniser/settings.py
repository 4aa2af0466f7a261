"""What a recogniser's .onnx.json says: what it hears, what its outputs spell, how it goes on. The same stands in the .onnx.

The model's inputs: `features` float32, [1, frames, values], with `bands_first` [1, values, frames], or [1, samples] for one
that takes samples; perhaps `lengths` int64 [1], how many of them are meant; perhaps the states of streaming. Its first output: [1, output frames, symbols],
logits or logarithms of probabilities; perhaps `output_lengths` int64 [1]; and the states to go on with.
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from voxgraft.audio.mfcc import MfccSpec
from voxgraft.audio.recogniser_features import FeatureSpec, hears_samples
from voxgraft.audio.spec import AudioSpec
from voxgraft.errors import CheckpointError, shown
from voxgraft.files import replacing, write_atomically
from voxgraft.json_file import json_fault, read_json
from voxgraft.text.symbols import SymbolTable
from voxgraft.validated import validated

FORMAT = "voxgraft-recogniser"
METADATA_KEY = "voxgraft_recogniser"
LARGEST_FILE = 16 * 2**20
_MOST_VALUES = 1 << 24
_REMEDY = "Take the .onnx.json that was exported with this model, or export it again."
Name = Annotated[str, Field(min_length=1, max_length=200)]
Size = Annotated[int, Field(ge=1, le=_MOST_VALUES)]


class StreamState(BaseModel):
    """One state of streaming: the input that takes it, the output that gives the next one, float32 of `shape`; it
    begins with zeros."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    input: Name
    output: Name
    shape: tuple[Size, ...]

    @field_validator("shape")
    @classmethod
    def _bounded(cls, shape: tuple[int, ...]) -> tuple[int, ...]:
        if math.prod(shape) > _MOST_VALUES:
            raise ValueError(f"more than {_MOST_VALUES} values")
        return shape


class DecoderDefaults(BaseModel):
    """How this recogniser decodes unless told otherwise. `beams` 1 takes the likeliest path."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    beams: int = Field(1, ge=1, le=100_000)
    alpha: float = Field(0.7, ge=0, le=100, allow_inf_nan=False)
    beta: float = Field(1.5, ge=-100, le=100, allow_inf_nan=False)


class RecogniserSettings(BaseModel):
    """`audio` is what it hears, an output comes every `frame_seconds`. `context` frames of features on either side of a
    piece are put in with it and have no output (zeros where there are none). With `states` it can stream. No piece is
    longer than `longest_seconds`. `about` is for people: licence, base, scores."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    family: Name
    symbols: SymbolTable
    audio: FeatureSpec
    frame_seconds: float = Field(gt=0, le=10, allow_inf_nan=False)
    context: int = Field(0, ge=0, le=1000)
    states: tuple[StreamState, ...] = Field((), max_length=64)
    bands_first: bool = False
    longest_seconds: float = Field(30.0, ge=1, le=600, allow_inf_nan=False)
    decoder: DecoderDefaults = DecoderDefaults()
    language: str | None = Field(None, max_length=100)
    name: str | None = Field(None, max_length=500)
    about: dict[str, Any] = {}

    @property
    def sample_rate(self) -> int:
        """Samples per second that the model hears."""
        return self.audio.sample_rate

    @property
    def hears_samples(self) -> bool:
        """Whether the model takes samples instead of features."""
        return hears_samples(self.audio)

    @field_validator("audio", mode="before")
    @classmethod
    def _told_apart(cls, audio: object) -> object:
        if not isinstance(audio, dict):
            return audio
        kind = MfccSpec if "coefficients" in audio else AudioSpec
        unknown = sorted(set(audio) - {field.name for field in fields(kind)})
        if unknown:
            raise ValueError(f"unknown: {', '.join(unknown)[:100]}")
        return kind(**audio)

    @field_validator("audio")
    @classmethod
    def _possible(cls, audio: FeatureSpec) -> FeatureSpec:
        sizes = {"win": (1, 1 << 16), "hop": (1, 1 << 16), "n_fft": (1, 1 << 16), "n_mels": (0, 1 << 12)}
        for name, (low, high) in ({"sample_rate": (1000, 768_000)} | sizes).items():
            size = getattr(audio, name)
            if type(size) is not int or not low <= size <= high:
                raise ValueError(f"{name} is {shown(size, 40)}, expected {low} to {high}")
        if audio.win > audio.n_fft:
            raise ValueError(f"a window of {audio.win} samples does not fit {audio.n_fft}")
        return audio

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON, under the format's name."""
        return {
            "format": FORMAT,
            "version": 1,
            **self.model_dump(mode="json", exclude={"symbols", "audio"}),
            "symbols": self.symbols.to_dict(),
            "audio": self.audio.to_dict(),
        }


class _Document(RecogniserSettings):
    format: Literal["voxgraft-recogniser"]
    version: Literal[1]


def write_recogniser_settings(
    model: Path, settings: RecogniserSettings, metadata: Mapping[str, str] | None = None
) -> Path:
    """Write settings beside a .onnx and into it, with what other runtimes look for; the path of the .onnx.json.

    A later entry in the .onnx takes the place of an earlier one.
    """
    document = json.dumps(settings.to_dict(), ensure_ascii=False, indent=1)
    with replacing(model) as temporary:
        shutil.copyfile(model, temporary)
        with open(temporary, "ab") as file:
            for name, value in {**(metadata or {}), METADATA_KEY: document}.items():
                # ModelProto.metadata_props; messages that follow each other are one.
                file.write(_field(14, _field(1, name.encode()) + _field(2, value.encode())))
    beside = settings_path(model)
    write_atomically(beside, document + "\n")
    return beside


def settings_path(model: Path) -> Path:
    """Where a model's settings stand: model.onnx -> model.onnx.json."""
    return model.with_name(model.name + ".json")


def read_recogniser_settings(model: Path, embedded: str | None = None) -> RecogniserSettings:
    """The settings beside a .onnx, or else those `embedded` in it. Raises CheckpointError naming file and field."""
    path = settings_path(model)
    if not path.is_file():
        if embedded is None:
            raise CheckpointError(
                "a recogniser needs its settings, and they are neither beside it nor in it",
                file=model,
                expected=path.name,
                remedy="Put the .onnx.json that was exported with it next to the .onnx.",
            )
        return _parsed(_loaded(embedded, model), model)
    return _parsed(read_json(path, limit=LARGEST_FILE, remedy=_REMEDY), path)


def _loaded(text: str, model: Path) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as fault:
        raise CheckpointError(f"not JSON: {json_fault(fault)}", file=model, remedy=_REMEDY) from fault


def _parsed(document: Any, path: Path) -> RecogniserSettings:
    if isinstance(document, dict) and "phoneme_id_map" in document:
        raise CheckpointError(
            "this is a voice that speaks, not a recogniser", file=path, remedy="Run it with `voxgraft say`."
        )
    try:
        known = validated(_Document, document, path, _REMEDY)
    except (ValueError, TypeError) as fault:
        raise CheckpointError(f"can't be right: {str(fault)[:120]}", file=path, remedy=_REMEDY) from fault
    return RecogniserSettings(**{name: getattr(known, name) for name in RecogniserSettings.model_fields})


def _field(number: int, content: bytes) -> bytes:
    """A protocol buffer's field of bytes."""
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    digits = bytearray()
    while value > 0x7F:
        digits.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*digits, value])
