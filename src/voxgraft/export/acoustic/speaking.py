"""How each family of text-to-spec networks is spoken with: one call for all, so that it can be traced, forced and tested.

Letters in shapes: B batch (1 for families that speak one sentence at a time), N symbols, T frames, M mel bands.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn


@dataclass(frozen=True)
class Scales:
    """Numbers, or tensors of one number, for tracing: pace (above 1 is slower), pitch, energy, variation of the sound."""

    length: Any = 1.0
    pitch: Any = 1.0
    energy: Any = 1.0
    noise: Any = 0.0


Spoken = tuple[torch.Tensor, torch.Tensor]
Speak = Callable[
    [nn.Module, torch.Tensor, torch.Tensor, Scales, torch.Tensor | None, torch.Tensor | None],
    Spoken,
]


def speak(
    family: str,
    network: nn.Module,
    ids: torch.Tensor,
    lengths: torch.Tensor,
    scales: Scales,
    speaker: torch.Tensor | None,
    language: torch.Tensor | None,
) -> Spoken:
    """ids [B, N] int64, lengths [B], speaker and language [B] -> mel [B, M, T], durations [B, N] in frames."""
    return _SPEAK[family](network, ids, lengths, scales, speaker, language)


def _fastspeech2(
    network: Any,
    ids: torch.Tensor,
    lengths: torch.Tensor,
    scales: Scales,
    speaker: torch.Tensor | None,
    language: torch.Tensor | None,
) -> Spoken:
    said = network.infer(
        ids,
        lengths,
        speaker=speaker,
        language=language,
        duration_scale=scales.length,
        pitch_scale=scales.pitch,
        energy_scale=scales.energy,
    )
    return said.refined, said.durations


def _delightful(
    network: Any,
    ids: torch.Tensor,
    lengths: torch.Tensor,
    scales: Scales,
    speaker: torch.Tensor | None,
    language: torch.Tensor | None,
) -> Spoken:
    first = torch.zeros_like(lengths)
    said = network(
        ids,
        first if speaker is None else speaker,
        first if language is None else language,
        pace=scales.length,
        pitch_factor=scales.pitch,
        energy_factor=scales.energy,
    )
    return said.mel, said.durations


def _glow_tts(
    network: Any,
    ids: torch.Tensor,
    lengths: torch.Tensor,
    scales: Scales,
    speaker: torch.Tensor | None,
    language: torch.Tensor | None,
) -> Spoken:
    said = network.infer(ids, lengths, speaker=speaker, noise_scale=scales.noise, length_scale=scales.length)
    return said.mel, said.durations.long()


_SPEAK: Mapping[str, Speak] = {"fastspeech2": _fastspeech2, "delightful": _delightful, "glow_tts": _glow_tts}
