"""The losses of VITS's generator that need no discriminator."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from voxgraft.audio.spec import AudioSpec
from voxgraft.models.discriminators.losses import kl_loss
from voxgraft.models.spectral import mel_spectrogram, spectrogram_to_mel
from voxgraft.models.vits import VitsOutput
from voxgraft.models.vits.masks import segments


def reconstruction_terms(
    output: VitsOutput, spectrogram: torch.Tensor, spec: AudioSpec, frames: int
) -> dict[str, torch.Tensor]:
    """The losses that need no discriminator, unweighted: `mel` (L1 of log mels), `kl` and `duration` in nats."""
    wanted = spectrogram_to_mel(segments(spectrogram, output.starts, frames), spec)
    return {
        "mel": F.l1_loss(mel_spectrogram(output.audio.squeeze(1), spec), wanted),
        "kl": kl_loss(output.z_p, output.logs_q, output.m_p, output.logs_p, output.mask),
        "duration": output.duration_loss,
    }
