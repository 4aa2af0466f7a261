"""The spectrograms of tts-framework, VoiceSmith and maum-ai's UnivNet, as far as a file tells which one it was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from voxgraft.audio.spec import AudioSpec
from voxgraft.checkpoints.containers.torch.tensor import TorchTensor
from voxgraft.errors import CheckpointError
from voxgraft.yaml_file import parse_yaml

# 20 to 11025 Hz at either rate.
_UNIVNET = AudioSpec(22050, 1024, 256, 1024, 100, 20.0, 11025.0, magnitude_floor=1e-9)
_HIFIGAN = {
    1024: replace(_UNIVNET, n_mels=80),
    2048: AudioSpec(44100, 2048, 512, 2048, 80, 20.0, 11025.0, magnitude_floor=1e-9),
}
_HIFIGAN_MELS = 80
_UNIVNET_MELS = 100

# maum-ai's settings -> ours.
_SETTINGS = {
    "sampling_rate": "sample_rate",
    "filter_length": "n_fft",
    "hop_length": "hop",
    "win_length": "win",
    "n_mel_channels": "n_mels",
    "mel_fmin": "fmin",
    "mel_fmax": "fmax",
}
_MOST = 2**20


def acoustic_audio(variant: str, mels: int, notes: list[str]) -> AudioSpec | None:
    """What a DelightfulTTS of `mels` bands was trained on; None where two settings are possible."""
    if variant == "tts-framework" and mels == _HIFIGAN_MELS:
        notes.append(
            f"{mels} mel bands are tts-framework's at 22050 Hz (a frame every 256 samples) and at 44100 Hz (every 512): "
            "which one it was is not recorded"
        )
        return None
    return _preset(mels, notes)


def univnet_audio(mels: int, upsampling: int, notes: list[str]) -> AudioSpec:
    """What a UnivNet of tts-framework or VoiceSmith was trained on."""
    spec = _preset(mels, notes)
    _compare(spec, upsampling, notes)
    return spec


def _preset(mels: int, notes: list[str]) -> AudioSpec:
    if mels != _UNIVNET_MELS:
        notes.append(
            f"its mel bands are {mels}, not the usual {_UNIVNET_MELS}: the other settings are assumed the usual"
        )
    return replace(_UNIVNET, n_mels=mels)


def hifigan_audio(basis: object, mels: int, upsampling: int, notes: list[str]) -> AudioSpec | None:
    """What a HiFi-GAN of tts-framework was trained on, by the mel filterbank [mels, bins] that it carries along."""
    bins = basis.shape[1] if isinstance(basis, TorchTensor) and len(basis.shape) == 2 else 0
    spec = _HIFIGAN.get(2 * (bins - 1))
    if spec is None:
        notes.append("it carries no mel filterbank that tells its sample rate")
        return None
    spec = replace(spec, n_mels=mels)
    _compare(spec, upsampling, notes)
    return spec


def _compare(spec: AudioSpec, upsampling: int, notes: list[str]) -> None:
    if upsampling != spec.hop:
        notes.append(
            f"it makes {upsampling} samples of a frame, and frames are {spec.hop} apart: what it says lasts "
            f"{upsampling / spec.hop:g} times as long"
        )


def recorded_audio(content: Mapping[Any, Any], mels: int, path: Path, notes: list[str]) -> AudioSpec | None:
    """What maum-ai's training recorded, as YAML under `hp_str`; the tensors' number of mel bands wins."""
    text = content.get("hp_str")
    try:
        document = parse_yaml(text.encode(), path) if isinstance(text, str) else {}
    except CheckpointError as fault:
        notes.append(f"its settings (hp_str) can't be read: {fault.problem}")
        return None
    stated = document.get("audio")
    found = (
        {ours: _number(stated.get(theirs)) for theirs, ours in _SETTINGS.items()} if isinstance(stated, dict) else {}
    )
    if not all(found.get(name) for name in ("sample_rate", "n_fft", "hop", "win")):
        notes.append("its audio settings are not recorded")
        return None
    if found.get("n_mels") not in (None, mels):
        notes.append(f"its settings say {found['n_mels']:g} mel bands, the tensors {mels}: the tensors win")
    return AudioSpec(
        sample_rate=int(found["sample_rate"] or 0),
        n_fft=int(found["n_fft"] or 0),
        hop=int(found["hop"] or 0),
        win=int(found["win"] or 0),
        n_mels=mels,
        fmin=found.get("fmin") or 0.0,
        fmax=found.get("fmax"),
        magnitude_floor=1e-9,
    )


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and 0 <= value < _MOST else None
