"""export_vocoder: a vocoder as one ONNX file that runs without torch, verified before it takes its name."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from voxgraft.checkpoints import Checkpoint
from voxgraft.errors import ExportError
from voxgraft.export.vocoder.load import load_generator
from voxgraft.export.whole import whole_or_nothing
from voxgraft.files import write_atomically
from voxgraft.inference.vocoder.settings import KEY, VocoderSettings
from voxgraft.inference.vocoder.vocoder import SEED, Vocoder

if TYPE_CHECKING:
    import torch
    from torch import nn

LENGTHS = (4, 17, 50)
TOLERANCE = 1e-4


def export_vocoder(checkpoint: Checkpoint, path: str | Path, *, spectrum: bool = False) -> Path:
    """Write a checkpoint's vocoder: mel in, audio out; with `spectrum` a Vocos for sherpa-onnx, which transforms by itself.

    What the file says of itself (family, AudioSpec, architecture, licence) is in its metadata. Raises ExportError where it
    is no vocoder, or where onnxruntime makes other sound of it than torch; then nothing is written.
    """
    from voxgraft.export.vocoder.graph import trace

    path = Path(path)
    generator = load_generator(checkpoint)
    if spectrum and not hasattr(generator, "spectrum"):
        raise ExportError(
            "only Vocos ends in a spectrum",
            field="--to",
            got=checkpoint.family,
            remedy="Export this vocoder as onnx: sherpa-onnx reads HiFi-GAN's as it is.",
        )
    graph = trace(generator, checkpoint.architecture["mels"], spectrum=spectrum)
    for key, value in runtime_metadata(checkpoint, path.stem, spectrum=spectrum).items():
        graph.metadata_props.add(key=key, value=value)
    with whole_or_nothing(path.parent, path.name) as partial:
        write_atomically(partial / path.name, graph.SerializeToString())
        verify(partial / path.name, generator, checkpoint.architecture["mels"])
    return path


def runtime_metadata(checkpoint: Checkpoint, name: str, *, spectrum: bool) -> dict[str, str]:
    """`metadata_props` of the file: what sherpa-onnx looks for, and what voxgraft reads back."""
    audio = checkpoint.audio
    own = VocoderSettings(checkpoint.family, audio, name).to_metadata()
    own |= {
        "architecture": dict(checkpoint.architecture),
        "licence": checkpoint.provenance.licence,
        "step": checkpoint.step,
        "epoch": checkpoint.epoch,
        "base_sha256": checkpoint.provenance.sha256 or None,
    }
    found = {KEY: json.dumps(own, ensure_ascii=False, sort_keys=True), "model_type": checkpoint.family}
    if audio is not None:
        found |= {"sample_rate": str(audio.sample_rate), "n_mels": str(audio.n_mels)}
    if spectrum:
        points, hop = checkpoint.architecture["n_fft"], checkpoint.architecture["hop"]
        found |= {
            "n_fft": str(points),
            "hop_length": str(hop),
            "win_length": str(points),
            "window_type": "hann",
            "center": "1",
            "pad_mode": "reflect",
            "normalized": "0",
        }
    return found


def verify(path: Path, generator: nn.Module, mels: int) -> float:
    """The largest difference between what onnxruntime and torch make of spectrograms of several lengths, of -1..1.

    ExportError where it is more than TOLERANCE.
    """
    import torch

    vocoder, worst = Vocoder.load(path, threads=1), 0.0
    for frames in LENGTHS:
        mel = np.random.default_rng(frames).standard_normal((2, mels, frames)).astype(np.float32) - 4
        theirs = vocoder.speak(mel)
        ours = _by_torch(generator, torch.from_numpy(mel)).numpy()
        fits = ours.shape == theirs.shape
        # Sound beyond -1..1, which a network that is hardly trained may make, is held to its own size.
        scale = max(1.0, float(np.abs(ours).max()))
        difference = float(np.abs(ours - theirs).max()) / scale if fits else math.inf
        worst = max(worst, difference)
        if not difference <= TOLERANCE:
            raise ExportError(
                "the exported vocoder doesn't sound as the network does",
                field=f"a spectrogram of {frames} frames",
                expected=f"{list(ours.shape)} at most {TOLERANCE:g} apart",
                got=f"{difference:.2g}" if fits else list(theirs.shape),
                remedy="Nothing was written; report it with the versions of torch and onnxruntime that `pip list` shows.",
            )
    return worst


def _by_torch(generator: nn.Module, mel: torch.Tensor) -> torch.Tensor:
    """[B, M, T] -> [B, samples], with the noise that onnxruntime gets."""
    import torch

    from voxgraft.models.vocoders.speak import noise_channels
    from voxgraft.models.vocoders.univnet import UnivNet

    with torch.no_grad():
        if isinstance(generator, UnivNet):
            shape = (len(mel), noise_channels(generator), mel.shape[2])
            noise = torch.from_numpy(np.random.default_rng(SEED).standard_normal(shape, np.float32))
            return generator.with_tail(mel, noise).squeeze(1)
        audio: torch.Tensor = generator(mel).squeeze(1)
        return audio
