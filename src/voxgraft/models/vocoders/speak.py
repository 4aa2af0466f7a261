"""One way to let any vocoder speak, whether it wants noise besides the spectrogram or not."""

from __future__ import annotations

import torch
from torch import nn

SEED = 20


def noise_channels(generator: nn.Module) -> int:
    """Channels of noise that it takes; 0 where it takes none."""
    return int(getattr(generator, "noise_channels", 0))


def waveform(generator: nn.Module, mel: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
    """mel [B, M, T] and noise [B, C, T], which most vocoders do not look at -> audio [B, 1, T * hop]."""
    audio: torch.Tensor = generator(mel, noise) if noise_channels(generator) else generator(mel)
    return audio


@torch.no_grad()
def speak(generator: nn.Module, mel: torch.Tensor, seed: int = SEED) -> torch.Tensor:
    """mel [B, M, T] -> audio [B, 1, T * hop]; the same noise every time."""
    if noise_channels(generator):
        audio: torch.Tensor = generator.infer(mel, seed)
        return audio
    audio = generator(mel)
    return audio
