"""Differentiable spectrograms in torch, equal to those of `audio.spectrogram`.

Letters: B batch, T samples, N frames, F = n_fft / 2 + 1 bins, M mel bands. Half precision is computed in
float32, under autocast too.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F

from voxgraft.audio.spec import AudioSpec
from voxgraft.audio.spectrogram import check_normalisation, hann_window
from voxgraft.audio.spectrogram import mel_filterbank as numpy_filterbank

_constants: dict[tuple[str, AudioSpec, torch.device], torch.Tensor] = {}


def mel_filterbank(spec: AudioSpec, device: torch.device | str = "cpu") -> torch.Tensor:
    """Triangular mel bands [M, F]; kept after the first call, not to be written to."""
    return _constant("mel", spec, torch.device(device))


def linear_spectrogram(audio: torch.Tensor, spec: AudioSpec) -> torch.Tensor:
    """audio [B, T] -> (re² + im² + magnitude_floor) ^ (power / 2) of each Hann-windowed frame [B, F, N]."""
    with torch.autocast(audio.device.type, enabled=False):
        margin = spec.n_fft // 2 if spec.centre else (spec.n_fft - spec.hop) // 2
        audio = full(audio)
        if spec.preemphasis:
            audio = audio - spec.preemphasis * F.pad(audio, (1, -1))
        padded = F.pad(audio.unsqueeze(1), (margin, margin), mode="reflect").squeeze(1)
        spectrum = torch.stft(
            padded,
            spec.n_fft,
            hop_length=spec.hop,
            win_length=spec.n_fft,
            window=_constant("window", spec, audio.device).to(padded.dtype),
            center=False,
            return_complex=True,
        )
        energy = torch.view_as_real(spectrum).square().sum(-1) + spec.magnitude_floor
        return energy.sqrt() if spec.power == 1 else energy ** (spec.power / 2)


def spectrogram_to_mel(spectrogram: torch.Tensor, spec: AudioSpec) -> torch.Tensor:
    """Linear spectrogram [B, F, N] -> log mel [B, M, N]."""
    with torch.autocast(spectrogram.device.type, enabled=False):
        spectrogram = full(spectrogram)
        energy = mel_filterbank(spec, spectrogram.device).to(spectrogram.dtype) @ spectrogram
        return _compress(energy, spec)


def _compress(energy: torch.Tensor, spec: AudioSpec) -> torch.Tensor:
    """As `audio.spectrogram.compress`: mel energies [B, M, N] -> levels [B, M, N]."""
    check_normalisation(spec)
    levels = energy
    if spec.log_base != "none":
        levels = energy.clamp(min=spec.log_floor).log()
        levels = levels if spec.log_base == "e" else levels / math.log(10)
    levels = levels * spec.log_gain if spec.log_gain != 1 else levels
    if spec.normalisation == "none":
        return levels
    scale = (spec.range_high - spec.range_low) / (spec.level_high - spec.level_low)
    laid_out = (levels - spec.level_low) * scale + spec.range_low
    return laid_out.clamp(spec.range_low, spec.range_high) if spec.clipped else laid_out


def mel_spectrogram(audio: torch.Tensor, spec: AudioSpec) -> torch.Tensor:
    """audio [B, T] -> log mel [B, M, N]."""
    return spectrogram_to_mel(linear_spectrogram(audio, spec), spec)


def full(x: torch.Tensor) -> torch.Tensor:
    """x in float32 where it was of half precision."""
    return x.float() if x.dtype in (torch.bfloat16, torch.float16) else x


def _constant(kind: str, spec: AudioSpec, device: torch.device) -> torch.Tensor:
    key = (kind, spec, device)
    if key not in _constants:
        values = numpy_filterbank(spec) if kind == "mel" else hann_window(spec)
        # A plain copy: the array is read-only, and inference mode would taint what is kept.
        with torch.inference_mode(False):
            _constants[key] = torch.tensor(values, device=device)
    return _constants[key]
