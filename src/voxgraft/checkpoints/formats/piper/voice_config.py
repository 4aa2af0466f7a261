"""VoiceConfig: the .onnx.json that stands beside every Piper voice, checked field by field.

Fields: https://github.com/rhasspy/piper (what its runtime requires and its trainer writes).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from voxgraft.audio.spec import AudioSpec
from voxgraft.errors import CheckpointError
from voxgraft.json_file import read_json
from voxgraft.text.piper_ids import MARKS, from_id_map
from voxgraft.text.symbols import SymbolTable

MAX_BYTES = 16 * 2**20
_REMEDY = "Use the .onnx.json that was published with this voice."


def _as_list(value: object) -> object:
    return [value] if isinstance(value, int) else value


def _joined(value: object) -> object:
    whole = isinstance(value, list) and all(isinstance(symbol, str) for symbol in value)
    return "".join(value) if whole and isinstance(value, list) else value


Id = Annotated[int, Field(ge=0, le=2**20)]
Cluster = Annotated[str, BeforeValidator(_joined)]
Ids = Annotated[tuple[Id, ...], BeforeValidator(_as_list), Field(max_length=64)]


class _Section(BaseModel):
    """Others' files: unknown fields are kept, known ones must be right."""

    model_config = ConfigDict(frozen=True, extra="allow")


class VoiceAudio(_Section):
    """`audio`: rate in Hz, quality as its maker named it, hop in samples (newer files)."""

    sample_rate: int = Field(ge=4000, le=192_000)
    quality: str | None = None


class VoiceEspeak(_Section):
    """`espeak`: the voice that phonemises."""

    voice: str = Field(max_length=200)


class VoiceInference(_Section):
    """`inference`: what the voice sounds best with."""

    noise_scale: float = Field(0.667, ge=0, le=10)
    length_scale: float = Field(1.0, gt=0, le=100)
    noise_w: float = Field(0.8, ge=0, le=10)


class VoiceLanguage(_Section):
    """`language`: `code` such as en_US."""

    code: str | None = None


class VoiceConfig(_Section):
    """A Piper voice's configuration. `espeak` may be absent only where the voice reads plain text."""

    audio: VoiceAudio
    num_symbols: int = Field(ge=1, le=2**20)
    num_speakers: int = Field(ge=1, le=2**20)
    phoneme_id_map: dict[str, Ids]
    espeak: VoiceEspeak | None = None
    phoneme_type: str = "espeak"
    inference: VoiceInference = VoiceInference()
    speaker_id_map: dict[str, Id] = Field(default_factory=dict)
    vowel_clusters: tuple[Cluster, ...] | None = None
    language: VoiceLanguage | None = None
    dataset: str | None = None
    hop_length: int = Field(256, ge=1, le=2**16)

    @model_validator(mode="after")
    def _hangs_together(self) -> VoiceConfig:
        if self.phoneme_type == "espeak" and self.espeak is None:
            raise ValueError("espeak.voice is missing")
        for symbol, ids in self.phoneme_id_map.items():
            if not ids and symbol not in MARKS:
                raise ValueError(f"phoneme_id_map: {symbol!r} has no id")
            if max(ids, default=-1) >= self.num_symbols:
                raise ValueError(f"phoneme_id_map: {symbol!r} has id {max(ids)}, but num_symbols is {self.num_symbols}")
        for speaker, number in self.speaker_id_map.items():
            if number >= self.num_speakers:
                raise ValueError(
                    f"speaker_id_map: {speaker!r} has id {number}, but num_speakers is {self.num_speakers}"
                )
        return self

    def symbols(self, rows: int) -> SymbolTable:
        """The symbol table for an embedding of `rows` rows; ValueError where an id lies outside."""
        return from_id_map(
            self.phoneme_id_map,
            rows,
            "espeak" if self.phoneme_type == "espeak" else "text",
            self.espeak.voice if self.espeak else None,
            self.vowel_clusters or (),
        )

    def speakers(self, count: int) -> tuple[str, ...]:
        """A name for every speaker id; the id itself where nobody named it."""
        names = {number: name for name, number in self.speaker_id_map.items()}
        if count == 1:
            return (names.get(0) or self.dataset or "default",)
        return tuple(names.get(number, str(number)) for number in range(count))

    def audio_spec(self) -> AudioSpec:
        """The spectrogram that Piper trains this voice with."""
        return AudioSpec(sample_rate=self.audio.sample_rate, hop=self.hop_length)


def read_voice_config(path: str | Path) -> VoiceConfig:
    """Read and check a voice's .onnx.json. Raises CheckpointError naming the field."""
    return parse_voice_config(read_voice_json(Path(path)), Path(path))


def parse_voice_config(data: object, path: Path) -> VoiceConfig:
    """Check a voice's configuration that was read from `path`."""
    try:
        return VoiceConfig.model_validate(data)
    except ValidationError as fault:
        first = fault.errors(include_url=False)[0]
        raise CheckpointError(
            first["msg"].removeprefix("Value error, "),
            file=path,
            field=".".join(str(part) for part in first["loc"]) or None,
            got=None if first["type"] in ("missing", "value_error") else _short(first["input"]),
            remedy=_REMEDY,
        ) from fault


def read_voice_json(path: Path) -> Any:
    """A voice's .onnx.json, of at most 16 MB, before any of it is checked. Raises CheckpointError."""
    return read_json(path, limit=MAX_BYTES, remedy=_REMEDY)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
