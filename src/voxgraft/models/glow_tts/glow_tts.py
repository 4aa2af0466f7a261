"""Glow-TTS (Kim et al. 2020, arXiv 2005.11129), tensor for tensor as Coqui TTS has it.

Letters in shapes: B batch, N symbols, T frames, M mel bands, G channels of a speaker's vector.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import nn

from voxgraft.models.alignment import log_likelihoods, maximum_path
from voxgraft.models.glow_tts.flow import FlowDecoder
from voxgraft.models.glow_tts.text_encoder import TRANSFORMER, TextEncoder, TextEncoding
from voxgraft.models.vits.masks import path_from_durations, sequence_mask


class GlowPass(NamedTuple):
    """What a training pass gives.

    latent [B, M, T'], and mean and log_deviation [B, M, T'] of the prior along the likeliest alignment, T' the whole
    pairs of frames; log_determinant [B] of the flow; log_durations [B, N] as predicted, durations [B, N] as aligned, in
    frames; text_mask [B, 1, N].
    """

    latent: torch.Tensor
    mean: torch.Tensor
    log_deviation: torch.Tensor
    log_determinant: torch.Tensor
    log_durations: torch.Tensor
    durations: torch.Tensor
    text_mask: torch.Tensor


class GlowSpeech(NamedTuple):
    """mel [B, M, T], frames [B] of each, durations [B, N] in frames, int64, which sum to them."""

    mel: torch.Tensor
    frames: torch.Tensor
    durations: torch.Tensor


class GlowTts(nn.Module):
    """Symbols -> a normal distribution for each -> as many frames as each lasts -> the flow, backwards -> mel.

    Keywords are Coqui's, its `encoder_params` spelt out. `multispeaker` is a model with a table of speakers, their vectors as
    wide as the text encoder where `speaker_channels` is 0; `speaker_channels` without a table is one that is given vectors
    of a speaker encoder at each use.
    """

    def __init__(
        self,
        *,
        symbols: int,
        mels: int,
        speakers: int = 1,
        hidden_channels_enc: int = 192,
        hidden_channels_dec: int = 192,
        hidden_channels_dp: int = 256,
        encoder_type: str = TRANSFORMER,
        encoder_layers: int = 6,
        encoder_heads: int = 2,
        encoder_filter_channels: int = 768,
        encoder_kernel: int = 3,
        encoder_window: int = 0,
        encoder_reach: int | None = None,
        encoder_norm: str = "1",
        encoder_dilations: Sequence[int] = (),
        encoder_convolutions: int = 2,
        encoder_dropout: float = 0.1,
        use_encoder_prenet: bool = True,
        mean_only: bool = True,
        num_flow_blocks_dec: int = 12,
        kernel_size_dec: int = 5,
        dilation_rate: int = 1,
        num_block_layers: int = 4,
        num_splits: int = 4,
        num_squeeze: int = 2,
        sigmoid_scale: bool = False,
        speaker_channels: int = 0,
        multispeaker: bool = False,
        dropout_p_dp: float = 0.1,
        dropout_p_dec: float = 0.05,
    ) -> None:
        super().__init__()
        self.squeeze = num_squeeze
        if multispeaker and not speaker_channels:
            speaker_channels = hidden_channels_enc
        self.speaker_channels = speaker_channels
        self.encoder = TextEncoder(
            symbols=symbols,
            mels=mels,
            channels=hidden_channels_enc,
            kind=encoder_type,
            prenet=use_encoder_prenet,
            layers=encoder_layers,
            heads=encoder_heads,
            filter_channels=encoder_filter_channels,
            kernel=encoder_kernel,
            window=encoder_window,
            reach=encoder_reach,
            norm=encoder_norm,
            dilations=encoder_dilations,
            convolutions=encoder_convolutions,
            dropout=encoder_dropout,
            mean_only=mean_only,
            duration_channels=hidden_channels_dp,
            duration_dropout=dropout_p_dp,
            speaker_channels=speaker_channels,
        )
        self.decoder = FlowDecoder(
            mels=mels,
            channels=hidden_channels_dec,
            kernel=kernel_size_dec,
            dilation=dilation_rate,
            blocks=num_flow_blocks_dec,
            layers=num_block_layers,
            dropout=dropout_p_dec,
            splits=num_splits,
            squeeze=num_squeeze,
            sigmoid_scale=sigmoid_scale,
            speaker_channels=speaker_channels,
        )
        if multispeaker:
            self.emb_g = nn.Embedding(speakers, speaker_channels)
            nn.init.uniform_(self.emb_g.weight, -0.1, 0.1)

    def embed_speaker(self, speaker: torch.Tensor | None) -> torch.Tensor | None:
        """speaker [B] int64, or vectors [B, G] -> [B, G, 1] of length 1; None for a model of one speaker."""
        if not self.speaker_channels:
            return None
        if speaker is None:
            raise ValueError("this model has many speakers: say which one")
        vectors = speaker if speaker.is_floating_point() else self.emb_g(speaker)
        return F.normalize(vectors).unsqueeze(-1)

    def forward(
        self,
        ids: torch.Tensor,
        lengths: torch.Tensor,
        mel: torch.Tensor,
        frames: torch.Tensor,
        speaker: torch.Tensor | None = None,
        *,
        durations: torch.Tensor | None = None,
    ) -> GlowPass:
        """A training pass over ids [B, N] with lengths [B] and mel [B, M, T] with frames [B].

        Without `durations` [B, N] they are those of the likeliest alignment: CorpusError where a clip has fewer frames than
        symbols.
        """
        g = self.embed_speaker(speaker)
        text = self.encoder(ids, lengths, g)
        frames = frames // self.squeeze * self.squeeze
        mask = sequence_mask(frames, mel.shape[2] // self.squeeze * self.squeeze)
        latent, log_determinant = self.decoder(mel[:, :, : mask.shape[2]] * mask, mask, g)
        path = self._path(text, latent, mask, durations)
        return GlowPass(
            latent=latent,
            mean=text.mean @ path,
            log_deviation=text.log_deviation @ path,
            log_determinant=log_determinant,
            log_durations=text.log_durations,
            durations=path.sum(2),
            text_mask=text.mask,
        )

    def infer(
        self,
        ids: torch.Tensor,
        lengths: torch.Tensor,
        *,
        speaker: torch.Tensor | None = None,
        noise_scale: float | torch.Tensor = 0.0,
        length_scale: float | torch.Tensor = 1.0,
        durations: torch.Tensor | None = None,
    ) -> GlowSpeech:
        """Speak: ids [B, N], lengths [B] -> mels as long as the longest of the batch.

        `noise_scale` is the deviation of the latent's noise, `length_scale` stretches time; `durations` [B, N], in frames,
        replace the predicted ones. Where a flow over pairs of frames is given an odd number, the last falls off: the last
        symbol is that much shorter.
        """
        g = self.embed_speaker(speaker)
        text = self.encoder(ids, lengths, g)
        if durations is None:
            wanted = (torch.exp(text.log_durations) - 1) * length_scale
            durations = torch.ceil(wanted).clamp(min=1)
        durations = durations.to(text.mean.dtype) * text.mask.squeeze(1)
        # Never nothing at all, though it be one symbol of one frame.
        frames = durations.sum(1).long().clamp(min=self.squeeze)
        mask = sequence_mask(frames, frames.max())
        path = path_from_durations(durations.unsqueeze(1), text.mask, mask)
        mean, log_deviation = text.mean @ path, text.log_deviation @ path
        latent = mean + torch.exp(log_deviation) * torch.randn_like(mean) * noise_scale
        mel = self.decoder.backward_flow(latent * mask, mask, g)
        whole = frames // self.squeeze * self.squeeze
        last = torch.arange(ids.shape[1], device=ids.device)[None, :] == (lengths - 1)[:, None]
        return GlowSpeech(
            mel, whole, (durations.long() + last * (whole - durations.sum(1).long())[:, None]).clamp(min=0)
        )

    @torch.no_grad()
    def teacher_forced(
        self,
        ids: torch.Tensor,
        lengths: torch.Tensor,
        mel: torch.Tensor,
        frames: torch.Tensor,
        speaker: torch.Tensor | None = None,
        *,
        noise_scale: float = 0.0,
        durations: torch.Tensor | None = None,
    ) -> GlowSpeech:
        """What the model makes of the text in the time that a recording takes: exactly as many frames as that has.

        As `forward`, but a recording that is no whole number of pairs of frames is lengthened by its last one first, and
        so is its last symbol.
        """
        g = self.embed_speaker(speaker)
        text = self.encoder(ids, lengths, g)
        longest = mel.shape[2]
        mel, whole = _lengthened(mel, frames, self.squeeze)
        mask = sequence_mask(whole, mel.shape[2])
        if durations is None:
            latent, _ = self.decoder(mel * mask, mask, g)
            path = self._path(text, latent, mask)
        else:
            last = F.one_hot(lengths - 1, ids.shape[1])
            path = self._path(text, mel, mask, durations + last * (whole - frames)[:, None])
        mean, log_deviation = text.mean @ path, text.log_deviation @ path
        latent = (mean + torch.exp(log_deviation) * torch.randn_like(mean) * noise_scale) * mask
        spoken = self.decoder.backward_flow(latent, mask, g)[:, :, :longest]
        spoken = F.pad(spoken, (0, longest - spoken.shape[2])) * sequence_mask(frames, longest)
        inside = sequence_mask(frames, mel.shape[2])
        return GlowSpeech(spoken, frames, (path * inside).sum(2).long())

    @torch.no_grad()
    def align(
        self,
        ids: torch.Tensor,
        lengths: torch.Tensor,
        mel: torch.Tensor,
        frames: torch.Tensor,
        speaker: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Durations [B, N] in frames, int64, of the likeliest alignment; they sum to the frames. Arguments as of `forward`.

        CorpusError where a clip has fewer frames than symbols.
        """
        g = self.embed_speaker(speaker)
        text = self.encoder(ids, lengths, g)
        mel, whole = _lengthened(mel, frames, self.squeeze)
        mask = sequence_mask(whole, mel.shape[2])
        latent, _ = self.decoder(mel * mask, mask, g)
        # The frame that was repeated belongs to nobody.
        inside = sequence_mask(frames, mel.shape[2])
        return self._path(text, latent, inside).sum(2).long()

    def predicted_durations(
        self, ids: torch.Tensor, lengths: torch.Tensor, speaker: torch.Tensor | None = None
    ) -> torch.Tensor:
        """What symbols [B, N] would take, float frames [B, N], before they are made whole."""
        text = self.encoder(ids, lengths, self.embed_speaker(speaker))
        return torch.expm1(text.log_durations).clamp(min=0) * text.mask.squeeze(1)

    def _path(
        self, text: TextEncoding, latent: torch.Tensor, mask: torch.Tensor, durations: torch.Tensor | None = None
    ) -> torch.Tensor:
        """The path [B, N, T] of durations, or the likeliest: latent [B, M, T], mask [B, 1, T], durations [B, N]."""
        if durations is not None:
            return path_from_durations(durations.unsqueeze(1).to(mask.dtype), text.mask, mask)
        scores = log_likelihoods(latent, text.mean, text.log_deviation)
        return maximum_path(scores, text.mask.transpose(1, 2) * mask).to(text.mean.dtype)

    def initialise(self, mel: torch.Tensor, frames: torch.Tensor, speaker: torch.Tensor | None = None) -> None:
        """Fit the normalisations of a new flow to recordings (Kingma and Dhariwal 2018): mel [B, M, T], frames [B].

        A flow that has been trained would forget what it knows: see `initialised`.
        """
        training = self.training
        self.eval()
        mask = sequence_mask(frames, mel.shape[2])
        self.decoder.initialise(mel * mask, mask, self.embed_speaker(speaker))
        self.train(training)

    @property
    def initialised(self) -> bool:
        """Whether the flow's normalisations are anything but their first zeros."""
        return self.decoder.initialised

    def fold(self) -> GlowTts:
        """Make it ready to speak only: weight norms folded, inverses kept. Outputs stay the same. Returns the model."""
        self.decoder.fold()
        return self


def _lengthened(mel: torch.Tensor, frames: torch.Tensor, multiple: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Repeat each clip's last frame until it has a multiple of them: mel [B, M, T], frames [B] -> [B, M, T'], frames [B]."""
    whole = -(-frames // multiple) * multiple
    places = torch.arange(int(whole.max()), device=mel.device)[None].minimum(frames[:, None] - 1)
    return mel.gather(2, places[:, None].expand(-1, mel.shape[1], -1)), whole
