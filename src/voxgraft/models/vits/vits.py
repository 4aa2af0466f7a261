"""VITS (Kim et al. 2021), parameter for parameter as Piper has it.

Letters in shapes: B batch, N symbols, T spectrogram frames, D latent channels, C hidden channels, S segment frames.
Names from the paper: z the latent of the recording, z_p the same seen through the flow, m_p and logs_p mean and log
deviation of the prior, m_q and logs_q those of the posterior.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch import nn

from voxgraft.models.alignment import log_likelihoods, maximum_path
from voxgraft.models.spectral import full
from voxgraft.models.vits.decoder import Decoder
from voxgraft.models.vits.duration import DurationPredictor, StochasticDurationPredictor
from voxgraft.models.vits.flow import CouplingFlow
from voxgraft.models.vits.masks import path_from_durations, random_starts, segments, sequence_mask
from voxgraft.models.vits.posterior import PosteriorEncoder
from voxgraft.models.vits.text_encoder import TextEncoder

PARTS = {
    "text_encoder": "enc_p",
    "duration": "dp",
    "flow": "flow",
    "posterior": "enc_q",
    "decoder": "dec",
    "speaker_embedding": "emb_g",
}


@dataclass(frozen=True)
class TextEncoding:
    """What the text says: hidden [B, C, N], m_p and logs_p [B, D, N] a symbol, mask [B, 1, N]."""

    hidden: torch.Tensor
    m_p: torch.Tensor
    logs_p: torch.Tensor
    mask: torch.Tensor


@dataclass(frozen=True)
class Posterior:
    """What the recording says: z, m_q and logs_q [B, D, T], mask [B, 1, T]."""

    z: torch.Tensor
    m_q: torch.Tensor
    logs_q: torch.Tensor
    mask: torch.Tensor


@dataclass(frozen=True)
class VitsOutput:
    """One training pass.

    audio [B, 1, S * hop] is the decoded segment that begins at frame starts [B]; path [B, N, T] and durations [B, N]
    the alignment; z, z_p, m_p, logs_p, m_q, logs_q [B, D, T] with the prior laid out along the frames; text_mask
    [B, 1, N] and mask [B, 1, T]; duration_loss a scalar, nats a symbol.
    """

    audio: torch.Tensor
    starts: torch.Tensor
    path: torch.Tensor
    durations: torch.Tensor
    z: torch.Tensor
    z_p: torch.Tensor
    m_p: torch.Tensor
    logs_p: torch.Tensor
    m_q: torch.Tensor
    logs_q: torch.Tensor
    text_mask: torch.Tensor
    mask: torch.Tensor
    duration_loss: torch.Tensor


class Vits(nn.Module):
    """Text and speaker to waveform in one network. A part whose parameters are frozen costs no gradient work."""

    def __init__(
        self,
        *,
        symbols: int,
        spec_channels: int,
        inter_channels: int,
        hidden_channels: int,
        filter_channels: int,
        heads: int,
        layers: int,
        kernel_size: int,
        dropout: float,
        resblock: str,
        resblock_kernels: Sequence[int],
        resblock_dilations: Sequence[Sequence[int]],
        upsample_rates: Sequence[int],
        upsample_initial_channel: int,
        upsample_kernels: Sequence[int],
        speakers: int = 1,
        gin_channels: int = 0,
        stochastic_duration: bool = True,
        flows: int = 4,
        flow_layers: int = 4,
        flow_kernel: int = 5,
        flow_dilation: int = 1,
        posterior_layers: int = 16,
        posterior_kernel: int = 5,
        posterior_dilation: int = 1,
    ) -> None:
        super().__init__()
        gin_channels = gin_channels if speakers > 1 else 0
        self.speakers = speakers
        self.spec_channels = spec_channels
        self.enc_p = TextEncoder(
            symbols, inter_channels, hidden_channels, filter_channels, heads, layers, kernel_size, dropout
        )
        self.dec = Decoder(
            inter_channels,
            resblock,
            resblock_kernels,
            resblock_dilations,
            upsample_rates,
            upsample_initial_channel,
            upsample_kernels,
            gin_channels,
        )
        self.enc_q = PosteriorEncoder(
            spec_channels,
            inter_channels,
            hidden_channels,
            gin_channels,
            posterior_layers,
            posterior_kernel,
            posterior_dilation,
        )
        self.flow = CouplingFlow(
            inter_channels, hidden_channels, gin_channels, flows, flow_layers, flow_kernel, flow_dilation
        )
        self.dp: StochasticDurationPredictor | DurationPredictor
        if stochastic_duration:
            self.dp = StochasticDurationPredictor(hidden_channels, 3, 0.5, 4, gin_channels)
        else:
            self.dp = DurationPredictor(hidden_channels, 256, 3, 0.5, gin_channels)
        self.hop = 1
        for rate in upsample_rates:
            self.hop *= rate
        if speakers > 1:
            self.emb_g = nn.Embedding(speakers, gin_channels)

    def freeze(self, parts: Iterable[str]) -> Vits:
        """Stop training `parts` (keys of PARTS): no gradients, and no dropout even in training mode. Returns the model."""
        for part in parts:
            module = getattr(self, PARTS[part], None)
            if module is not None:
                module.requires_grad_(False)
        return self.train(self.training)

    def train(self, mode: bool = True) -> Vits:
        """Training mode for every part that is not frozen."""
        super().train(mode)
        for module in self.children():
            if mode and is_frozen(module):
                module.eval()
        return self

    def embed_speaker(self, speaker: torch.Tensor | None) -> torch.Tensor | None:
        """speaker [B] int64 -> [B, G, 1]; None for a model of one speaker."""
        if self.speakers < 2:
            return None
        if speaker is None:
            raise ValueError(f"this model has {self.speakers} speakers: say which one")
        return self.emb_g(speaker).unsqueeze(-1)

    def encode_text(self, ids: torch.Tensor, lengths: torch.Tensor) -> TextEncoding:
        """ids [B, N] int64, lengths [B] -> the prior a symbol."""
        with _no_grad_if_frozen(self.enc_p):
            return TextEncoding(*self.enc_p(ids, lengths))

    def encode_posterior(
        self,
        spectrogram: torch.Tensor,
        lengths: torch.Tensor,
        g: torch.Tensor | None = None,
        generator: torch.Generator | None = None,
    ) -> Posterior:
        """spectrogram [B, bins, T] linear magnitudes, lengths [B], g from `embed_speaker` -> a latent drawn from the posterior."""
        mask = sequence_mask(lengths, spectrogram.shape[-1])
        with _no_grad_if_frozen(self.enc_q, g):
            m_q, logs_q = self.enc_q(spectrogram, mask, g)
        noise = torch.randn(m_q.shape, generator=generator, device=m_q.device)
        return Posterior((m_q + noise * torch.exp(logs_q)) * mask, m_q, logs_q, mask)

    def align(self, text: TextEncoding, z_p: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """The likeliest monotonic alignment: z_p [B, D, T], mask [B, 1, T] -> path [B, N, T]; without gradient."""
        scores = log_likelihoods(z_p, text.m_p, text.logs_p)
        return maximum_path(scores, text.mask.transpose(1, 2) * mask)

    def expand_prior(self, text: TextEncoding, path: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Lay the prior out along the frames: path [B, N, T] -> m_p, logs_p [B, D, T]."""
        path = path.to(text.m_p.dtype)
        return text.m_p @ path, text.logs_p @ path

    def duration_loss(
        self,
        text: TextEncoding,
        durations: torch.Tensor,
        g: torch.Tensor | None = None,
        generator: torch.Generator | None = None,
    ) -> torch.Tensor:
        """Negative log-likelihood of durations [B, N] in frames, nats a symbol: a scalar. The text encoder gets no gradient."""
        # Splines need float32, and there is little to win: this is a hundredth of the work.
        with _no_grad_if_frozen(self.dp), torch.autocast(durations.device.type, enabled=False):
            hidden = full(text.hidden.detach())
            g = None if g is None else full(g.detach())
            durations = durations.unsqueeze(1).to(hidden.dtype)
            total = self.dp.negative_log_likelihood(hidden, text.mask, durations, g, generator)
            return total.sum() / text.mask.sum()

    def decode(self, z: torch.Tensor, g: torch.Tensor | None = None) -> torch.Tensor:
        """z [B, D, T] -> audio [B, 1, T * hop]."""
        return self.dec(z, g)

    def forward(
        self,
        ids: torch.Tensor,
        lengths: torch.Tensor,
        spectrogram: torch.Tensor,
        spectrogram_lengths: torch.Tensor,
        speaker: torch.Tensor | None = None,
        *,
        segment_frames: int = 32,
        generator: torch.Generator | None = None,
    ) -> VitsOutput:
        """A training pass over ids [B, N] with lengths [B] and spectrogram [B, bins, T] with spectrogram_lengths [B].

        `segment_frames` frames of each clip, at a random place, are decoded. `generator` draws all the noise but dropout.
        """
        g = self.embed_speaker(speaker)
        text = self.encode_text(ids, lengths)
        posterior = self.encode_posterior(spectrogram, spectrogram_lengths, g, generator)
        z_p = self.flow(posterior.z, posterior.mask, g)
        path = self.align(text, z_p, posterior.mask)
        durations = path.sum(2)
        m_p, logs_p = self.expand_prior(text, path)
        duration_loss = self.duration_loss(text, durations, g, generator)
        starts = random_starts(spectrogram_lengths, segment_frames, generator)
        audio = self.decode(segments(posterior.z, starts, segment_frames), g)
        return VitsOutput(
            audio=audio,
            starts=starts,
            path=path,
            durations=durations,
            z=posterior.z,
            z_p=z_p,
            m_p=m_p,
            logs_p=logs_p,
            m_q=posterior.m_q,
            logs_q=posterior.logs_q,
            text_mask=text.mask,
            mask=posterior.mask,
            duration_loss=duration_loss,
        )

    def infer(
        self,
        ids: torch.Tensor,
        lengths: torch.Tensor,
        *,
        noise_scale: float | torch.Tensor = 0.667,
        length_scale: float | torch.Tensor = 1.0,
        noise_w: float | torch.Tensor = 0.8,
        speaker: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Speak: ids [B, N], lengths [B] -> audio [B, 1, samples], as long as the longest of the batch.

        `noise_scale` is the deviation of the latent's noise, `noise_w` that of the durations, `length_scale` stretches time.
        """
        z, mask, g = self.infer_latent(
            ids, lengths, noise_scale=noise_scale, length_scale=length_scale, noise_w=noise_w, speaker=speaker
        )
        return self.decode(z * mask, g)

    def infer_latent(
        self,
        ids: torch.Tensor,
        lengths: torch.Tensor,
        *,
        noise_scale: float | torch.Tensor = 0.667,
        length_scale: float | torch.Tensor = 1.0,
        noise_w: float | torch.Tensor = 0.8,
        speaker: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]:
        """The first half of `infer`: z [B, D, T], mask [B, 1, T] and the embedded speaker, which `decode` makes audio of."""
        g = self.embed_speaker(speaker)
        text = self.encode_text(ids, lengths)
        log_durations = self.dp(text.hidden, text.mask, g, noise_w)
        durations = torch.ceil(torch.exp(log_durations) * text.mask * length_scale)
        frames = durations.sum((1, 2)).clamp(min=1).long()
        mask = sequence_mask(frames, frames.max())
        path = path_from_durations(durations, text.mask, mask)
        m_p, logs_p = self.expand_prior(text, path)
        z_p = m_p + torch.randn_like(m_p) * torch.exp(logs_p) * noise_scale
        return self.flow(z_p, mask, g, reverse=True), mask, g


def is_frozen(module: nn.Module) -> bool:
    """Whether it has parameters and none of them trains."""
    parameters = list(module.parameters())
    return bool(parameters) and not any(parameter.requires_grad for parameter in parameters)


def _no_grad_if_frozen(module: nn.Module, *inputs: torch.Tensor | None) -> AbstractContextManager[None]:
    needed = any(x is not None and x.requires_grad for x in inputs)
    return torch.no_grad() if is_frozen(module) and not needed else nullcontext()
