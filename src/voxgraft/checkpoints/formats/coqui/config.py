"""The configuration of a Coqui TTS checkpoint: in its file, or as config.json beside it. Plain data, nothing is run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from voxgraft.checkpoints.containers.torch.unpickle import read_torch_file
from voxgraft.checkpoints.source import CheckpointSource
from voxgraft.errors import CheckpointError
from voxgraft.json_file import read_json

NAME = "config.json"
_MAX_DEPTH = 12
# Old configurations have comments; texts are matched first, so that what looks like one in them stays.
_REMEDY = "Get the file again from where the model came from."
# Parts whose difference between the two copies of a configuration changes what the model is fed.
_DECISIVE = ("characters", "audio", "use_phonemes", "add_blank", "phoneme_language")


@dataclass(frozen=True)
class Config:
    """A configuration's fields; a model's own stand in `model_args`, or in older files at the top."""

    fields: Mapping[str, Any]

    def get(self, name: str) -> Any:
        """A field of the model or of the whole; None where neither has it."""
        for section in ("model_args", "generator_model_params"):
            own = self.fields.get(section)
            if isinstance(own, dict) and own.get(name) is not None:
                return own[name]
        return self.fields.get(name)

    @property
    def model(self) -> str | None:
        """The model's name, as Coqui's catalogue has it; vocoders may call it generator_model."""
        stated = self.fields.get("model") or self.fields.get("generator_model")
        return re.sub("_(generator|discriminator)", "", stated).lower()[:60] if isinstance(stated, str) else None


def is_config(fields: object) -> bool:
    """Whether this is a configuration of Coqui TTS: it names a model, and audio settings in Coqui's words."""
    if not isinstance(fields, dict) or Config(fields).model is None:
        return False
    audio = fields.get("audio")
    return isinstance(audio, dict) and ("sample_rate" in audio or "num_mels" in audio)


def read_data(path: Path) -> Any:
    """What a .json or a file of torch.save holds, as plain data; None for any other kind. Raises CheckpointError."""
    candidate = CheckpointSource(path)
    if candidate.torch is not None:
        return plain(read_torch_file(path).content)
    return read_json(path, comments=True) if candidate.head.lstrip()[:1] in (b"{", b"[", b"/") else None


def config_of(content: Mapping[Any, Any], beside: Path | None, notes: list[str]) -> Config:
    """The configuration that counts: config.json where it is Coqui's and of this model, as in Coqui, else the file's own."""
    own = plain(content.get("config"))
    own = own if is_config(own) else {}
    other = _beside(beside, notes)
    if own and other and Config(own).model != Config(other).model:
        notes.append(f"{NAME} beside it is of another model ({Config(other).model}) and not used")
        other = {}
    if own and other:
        contrary = [name for name in _DECISIVE if own.get(name) != other.get(name)]
        if contrary:
            notes.append(f"{NAME} and the configuration in the file differ in {', '.join(contrary)}: {NAME} counts")
    if not own and not other:
        notes.append(f"there is no configuration: put {NAME} beside it, so that symbols and audio settings are known")
    return Config(other or own)


def _beside(path: Path | None, notes: list[str]) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        fields = plain(read_json(path, comments=True))
    except CheckpointError as fault:
        notes.append(f"{path.name} beside it is not used: {fault.problem}")
        return {}
    if not is_config(fields):
        notes.append(f"{path.name} beside it is no configuration of Coqui TTS and not used")
        return {}
    return dict(fields)


def plain(value: Any, depth: int = 0) -> Any:
    """Plain data only: mappings with text keys (numbers become text), lists, texts, numbers; anything else becomes None."""
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if depth < _MAX_DEPTH and isinstance(value, dict):
        return {str(key): plain(item, depth + 1) for key, item in value.items() if type(key) in (str, int)}
    if depth < _MAX_DEPTH and isinstance(value, list | tuple):
        return [plain(item, depth + 1) for item in value]
    return None
