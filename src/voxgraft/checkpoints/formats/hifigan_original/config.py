"""The configuration of an original HiFi-GAN: config.json beside its weights."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from voxgraft.audio.spec import AudioSpec
from voxgraft.checkpoints.formats.coqui.audio import audio_spec as coqui_audio
from voxgraft.errors import CheckpointError
from voxgraft.json_file import read_json

NAMES = ("config.json", "{stem}.json", "{name}.json")
_COUNTS = {"sampling_rate": 192_000, "n_fft": 2**16, "hop_size": 2**16, "win_size": 2**16}
# The authors add this under the root of a magnitude.
_FLOOR = 1e-9


def config_beside(path: Path, notes: list[str]) -> Mapping[str, Any]:
    """The settings in config.json, or in a JSON called as the file is; empty where there are none."""
    for name in NAMES:
        place = path.with_name(name.format(stem=path.stem, name=path.name))
        if not place.is_file() or place == path:
            continue
        try:
            found = read_json(place, comments=True)
        except CheckpointError as fault:
            notes.append(f"{place.name} can't be read: {fault.problem}")
            continue
        if isinstance(found, dict):
            return found
    return {}


def audio_beside(path: Path, mels: int, notes: list[str]) -> AudioSpec | None:
    """The spectrogram of a HiFi-GAN, by the configuration beside it, the authors' or Coqui TTS'; None, and noted, without."""
    return audio_spec(config_beside(path, notes), mels, notes)


def audio_spec(config: Mapping[str, Any], mels: int, notes: list[str]) -> AudioSpec | None:
    """The spectrogram that a configuration describes, with as many bands as the tensors have."""
    if isinstance(config.get("audio"), dict):
        found = coqui_audio(config["audio"], notes)
        return found if found is None or found.n_mels == mels else None
    sizes = {name: config.get(name) for name in _COUNTS}
    if not all(type(size) is int and 0 < size <= _COUNTS[name] for name, size in sizes.items()):
        notes.append("how its spectrograms are made is not recorded: put its config.json beside it")
        return None
    if config.get("num_mels", mels) != mels:
        notes.append(
            f"config.json says num_mels={str(config['num_mels'])[:20]}, the tensors say {mels}: the tensors win"
        )
    highest, lowest = config.get("fmax"), config.get("fmin", 0)
    return AudioSpec(
        sample_rate=int(sizes["sampling_rate"] or 0),
        n_fft=int(sizes["n_fft"] or 0),
        hop=int(sizes["hop_size"] or 0),
        win=int(sizes["win_size"] or 0),
        n_mels=mels,
        fmin=float(lowest) if isinstance(lowest, int | float) and lowest >= 0 else 0.0,
        fmax=float(highest) if isinstance(highest, int | float) and highest > 0 else None,
        magnitude_floor=_FLOOR,
    )
