"""Tiny VITS bases, as checkpoints: authentic names and shapes, small numbers."""

from __future__ import annotations

from pathlib import Path

import pytest

from voxgraft.audio.spec import AudioSpec
from voxgraft.checkpoints.checkpoint import Checkpoint, Provenance
from voxgraft.text.symbols import SymbolTable

torch = pytest.importorskip("torch")

TINY = {
    "spec_channels": 33, "inter_channels": 8, "hidden_channels": 8, "filter_channels": 16, "heads": 2, "layers": 1,
    "kernel_size": 3, "dropout": 0.1, "resblock": "2", "resblock_kernels": (3, 5), "resblock_dilations": ((1, 2), (2, 6)),
    "upsample_rates": (4, 2), "upsample_initial_channel": 16, "upsample_kernels": (8, 4), "stochastic_duration": True,
}  # fmt: skip

SYMBOLS = SymbolTable({s: (i,) for i, s in enumerate("_^$ abcdefg.,")}, rows=16, text_kind="espeak", voice="en-us")


def make_vits(seed: int, speakers: int, gin_channels: int = 12, **changes):
    """A Vits in which no tensor is zero, so that every mapping mistake shows."""
    from voxgraft.models.vits import Vits

    with torch.random.fork_rng():
        torch.manual_seed(seed)
        gin = gin_channels if speakers > 1 else 0
        model = Vits(**(TINY | {"symbols": 16, "speakers": speakers, "gin_channels": gin} | changes))
        for tensor in model.parameters():
            if not tensor.any():
                torch.nn.init.normal_(tensor, std=0.1)
    return model.eval()


def as_checkpoint(tensors, speakers=("sam",), sha256="0" * 64, **changes) -> Checkpoint:
    """A Checkpoint of a Vits's tensors."""
    gin = 12 if len(speakers) > 1 else 0
    fields = {
        "family": "vits",
        "architecture": TINY | {"symbols": 16, "speakers": len(speakers), "gin_channels": gin},
        "tensors": {name: tensor.numpy() for name, tensor in tensors.items()},
        "provenance": Provenance(Path("base.ckpt"), "test", sha256),
        "symbols": SYMBOLS,
        "audio": AudioSpec(sample_rate=22050, n_fft=64, hop=8, win=64),
        "speakers": speakers,
    }
    return Checkpoint(**(fields | changes))
