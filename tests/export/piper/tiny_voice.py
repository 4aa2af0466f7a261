"""A tiny VITS with every part alive, and what is known about it."""

from __future__ import annotations

from typing import Any

import torch

from voxgraft.audio.spec import AudioSpec
from voxgraft.config.presets import default_symbols
from voxgraft.export.piper.metadata import BaseProvenance, VoiceMetadata
from voxgraft.models.vits import Vits
from voxgraft.text.languages import language_of

TINY: dict[str, Any] = {
    "symbols": 256,
    "spec_channels": 513,
    "inter_channels": 16,
    "hidden_channels": 16,
    "filter_channels": 32,
    "heads": 2,
    "layers": 1,
    "kernel_size": 3,
    "dropout": 0.1,
    "resblock": "2",
    "resblock_kernels": (3, 5, 7),
    "resblock_dilations": ((1, 2), (2, 6), (3, 12)),
    "upsample_rates": (8, 8, 4),
    "upsample_initial_channel": 32,
    "upsample_kernels": (16, 16, 8),
}


def tiny_vits(speakers: int = 1, **changes: Any) -> Vits:
    """A tiny model without a zero tensor: zero-initialised flows would hide mistakes."""
    torch.manual_seed(0)
    gin = {"speakers": speakers, "gin_channels": 8} if speakers > 1 else {}
    model = Vits(**TINY | gin | changes)
    with torch.no_grad():
        for parameter in model.parameters():
            if not parameter.any():
                torch.nn.init.normal_(parameter, std=0.02)
        # Loud enough that silence would be noticed, lively enough that noise in the latent would.
        for layer in (model.dec.conv_pre, model.dec.conv_post):
            layer.weight.mul_(8)
        for layer in model.dec.ups:
            layer.weight_g.mul_(8)
    return model


def tiny_metadata(count: int = 1, **changes: Any) -> VoiceMetadata:
    """Metadata of `tiny_vits(count)`."""
    fields: dict[str, Any] = {
        "name": "tiny",
        "audio": AudioSpec(16000),
        "symbols": default_symbols("en-us"),
        "language": language_of("en-us"),
        "quality": "low",
        "speakers": tuple(f"speaker{n}" for n in range(count)) if count > 1 else (),
        "licences": ("CC0", "CC-BY-SA-3.0"),
        "base": BaseProvenance("en_US-joe-medium.onnx", "ab" * 32, "CC0"),
        "corpus_sha256": "cd" * 32,
        "consent": "given in writing",
    }
    return VoiceMetadata(**fields | changes)
