"""What our own files say about themselves: plain data under the key `voxgraft`, checked when it is read back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from voxgraft.audio.mfcc import MfccSpec
from voxgraft.audio.spec import AudioSpec
from voxgraft.checkpoints.checkpoint import Checkpoint
from voxgraft.errors import CheckpointError
from voxgraft.json_file import json_fault
from voxgraft.text.symbols import SymbolTable
from voxgraft.validated import validated

KEY = "voxgraft"
_REMEDY = "The file is damaged: take an older checkpoint of the run, or export again."


class Metadata(BaseModel):
    """All optional: the tensors say the rest. Unknown fields belong to others and are left alone."""

    model_config = ConfigDict(extra="allow")

    family: str = "vits"
    architecture: dict[str, Any] = Field(default_factory=dict)
    symbols: SymbolTable | None = None
    audio: AudioSpec | None = None
    features: MfccSpec | None = None
    sample_rate: int | None = Field(None, ge=4000, le=192_000)
    hop: int = Field(256, ge=1, le=2**16)
    quality: str | None = None
    name: str | None = None
    speakers: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    language: dict[str, Any] | None = None
    inference: dict[str, float] | None = None
    scales: dict[str, float] | None = None
    epoch: int | None = None
    step: int | None = None
    licence: str | None = None
    licences: tuple[str, ...] = ()
    source: str | None = None
    dataset: str | None = None
    config: dict[str, Any] = Field(default_factory=dict)

    def audio_spec(self) -> AudioSpec | None:
        """The spectrogram that the model was trained with."""
        return self.audio or (AudioSpec(sample_rate=self.sample_rate, hop=self.hop) if self.sample_rate else None)

    def stated_licence(self) -> str | None:
        """The licence, or the licences that bind the voice together."""
        return self.licence or ", ".join(dict.fromkeys(self.licences)) or None

    def language_codes(self) -> tuple[str, ...]:
        """Codes such as en_US."""
        code = (self.language or {}).get("code")
        return self.languages or ((code,) if isinstance(code, str) else ())


def read_metadata(data: object, path: Path) -> Metadata:
    """Check what a file says under `voxgraft`: a mapping, or one as JSON. Raises CheckpointError naming the field."""
    try:
        document = json.loads(data) if isinstance(data, str | bytes) else data
        return validated(Metadata, document, path, _REMEDY, within=(KEY,))
    except (ValueError, TypeError, RecursionError) as fault:
        raise CheckpointError(json_fault(fault), file=path, field=KEY, remedy=_REMEDY) from fault


def metadata_of(checkpoint: Checkpoint) -> dict[str, Any]:
    """What to write under `voxgraft` so that reading gives the same checkpoint back."""
    return {
        "family": checkpoint.family,
        "architecture": dict(checkpoint.architecture),
        "symbols": checkpoint.symbols.to_dict() if checkpoint.symbols else None,
        "audio": checkpoint.audio.to_dict() if checkpoint.audio else None,
        "features": checkpoint.features.to_dict() if checkpoint.features else None,
        "sample_rate": checkpoint.audio.sample_rate if checkpoint.audio else None,
        "quality": checkpoint.quality,
        "speakers": list(checkpoint.speakers),
        "languages": list(checkpoint.languages),
        "inference": dict(checkpoint.inference),
        "epoch": checkpoint.epoch,
        "step": checkpoint.step,
        "licence": checkpoint.provenance.licence,
        "source": checkpoint.provenance.source,
        "dataset": checkpoint.provenance.dataset,
        "config": dict(checkpoint.config),
    }


def as_recorded(architecture: Mapping[str, Any]) -> dict[str, Any]:
    """Our keywords of a VITS model under the names that Piper records them by."""
    names = {
        "symbols": "num_symbols",
        "heads": "n_heads",
        "layers": "n_layers",
        "dropout": "p_dropout",
        "speakers": "num_speakers",
        "resblock_kernels": "resblock_kernel_sizes",
        "resblock_dilations": "resblock_dilation_sizes",
        "upsample_kernels": "upsample_kernel_sizes",
    }
    return {names.get(name, name): value for name, value in architecture.items()}
