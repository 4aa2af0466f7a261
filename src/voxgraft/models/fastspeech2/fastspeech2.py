"""FastSpeech 2 (Ren et al. 2021) of Conformers with a learned aligner, tensor for tensor as EveryVoice has it.

Letters in shapes: B batch, N symbols, T frames, M mel bands, C channels, F phonological features.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn

from voxgraft.models.fastspeech2.aligner import Aligner, hard_alignment
from voxgraft.models.fastspeech2.conformer import Conformer
from voxgraft.models.fastspeech2.postnet import Postnet
from voxgraft.models.fastspeech2.style import StyleEncoder
from voxgraft.models.fastspeech2.variance_adaptor import PHONE, Predictor, VarianceAdaptor, averages
from voxgraft.models.vits.masks import sequence_mask

PARTS = {
    "text_encoder": "encoder",
    "variance_adaptor": "variance_adaptor",
    "decoder": "decoder",
    "postnet": "postnet",
    "style": "gst",
    "speaker_embedding": "speaker_embedding",
    "language_embedding": "language_embedding",
}


@dataclass(frozen=True)
class FastSpeech2Output:
    """mel [B, M, T] before and refined [B, M, T] after the postnet, mask [B, T], log_durations and durations [B, N].

    pitch and energy as predicted, [B, N] or by frame [B, T]. A training pass adds their targets of the same shapes, and
    soft, log_scores [B, T, N] and path [B, N, T] of the aligner.
    """

    mel: torch.Tensor
    refined: torch.Tensor
    mask: torch.Tensor
    log_durations: torch.Tensor
    durations: torch.Tensor
    pitch: torch.Tensor
    energy: torch.Tensor
    pitch_target: torch.Tensor | None = None
    energy_target: torch.Tensor | None = None
    soft: torch.Tensor | None = None
    log_scores: torch.Tensor | None = None
    path: torch.Tensor | None = None


class Positions(nn.Module):
    """Sines and cosines of positions 0, 1, …: length -> [length, C]."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("inv_freq", 1 / 10000 ** (torch.arange(0.0, channels, 2.0) / channels))

    def forward(self, length: int) -> torch.Tensor:
        angles = torch.arange(length, device=self.inv_freq.device, dtype=self.inv_freq.dtype)[:, None] * self.inv_freq
        return torch.cat([angles.sin(), angles.cos()], dim=1)


class FastSpeech2(nn.Module):
    """Text, as `symbols` or as phonological `features`, to a mel spectrogram of `mels` bands.

    `aligner_channels=0` is a model without an aligner, `postnet_layers=0` one without a postnet, `style_tokens=0` one
    without styles. `multispeaker` and `multilingual` say whether there is a table of speakers, of languages.
    """

    def __init__(
        self,
        *,
        mels: int,
        channels: int,
        encoder_layers: int,
        encoder_heads: int,
        encoder_filter_channels: int,
        encoder_kernel: int,
        decoder_layers: int,
        decoder_heads: int,
        decoder_filter_channels: int,
        decoder_kernel: int,
        duration_layers: int,
        duration_channels: int,
        duration_kernel: int,
        pitch_layers: int,
        pitch_channels: int,
        pitch_kernel: int,
        energy_layers: int,
        energy_channels: int,
        energy_kernel: int,
        symbols: int = 0,
        features: int = 0,
        encoder_dropout: float = 0.2,
        decoder_dropout: float = 0.2,
        duration_depthwise: bool = True,
        duration_dropout: float = 0.5,
        pitch_depthwise: bool = True,
        pitch_dropout: float = 0.5,
        pitch_bins: int = 256,
        pitch_level: str = PHONE,
        energy_depthwise: bool = True,
        energy_dropout: float = 0.5,
        energy_bins: int = 256,
        energy_level: str = PHONE,
        postnet_layers: int = 5,
        postnet_channels: int = 512,
        postnet_kernel: int = 5,
        aligner_channels: int = 80,
        style_tokens: int = 0,
        style_heads: int = 4,
        style_units: int = 128,
        style_convolutions: Sequence[int] = (32, 32, 64, 64, 128, 128),
        speakers: int = 1,
        multispeaker: bool = False,
        languages: int = 1,
        multilingual: bool = False,
    ) -> None:
        super().__init__()
        if bool(symbols) == bool(features):
            raise ValueError("a model reads either symbols or features")
        if symbols:
            self.text_input_layer = nn.Embedding(symbols, channels, padding_idx=0)
        else:
            self.feature_input_layer = nn.Linear(features, channels, bias=False)
        self.position_embedding = Positions(channels)
        if style_tokens:
            self.gst = StyleEncoder(mels, channels, style_tokens, style_heads, style_units, style_convolutions)
        self.encoder = Conformer(
            channels, encoder_layers, encoder_heads, encoder_filter_channels, encoder_kernel, encoder_dropout
        )
        self.variance_adaptor = VarianceAdaptor(
            duration=Predictor(
                channels, duration_channels, duration_layers, duration_kernel, duration_depthwise, duration_dropout
            ),
            pitch=Predictor(channels, pitch_channels, pitch_layers, pitch_kernel, pitch_depthwise, pitch_dropout),
            energy=Predictor(channels, energy_channels, energy_layers, energy_kernel, energy_depthwise, energy_dropout),
            channels=channels,
            pitch_bins=pitch_bins,
            energy_bins=energy_bins,
            pitch_level=pitch_level,
            energy_level=energy_level,
            aligner=Aligner(mels, channels, aligner_channels) if aligner_channels else None,
        )
        self.decoder = Conformer(
            channels, decoder_layers, decoder_heads, decoder_filter_channels, decoder_kernel, decoder_dropout
        )
        self.mel_linear = nn.Linear(channels, mels)
        # Zero says that nobody has trained it, or told it of recordings yet.
        nn.init.zeros_(self.mel_linear.bias)
        if postnet_layers:
            self.postnet = Postnet(mels, postnet_channels, postnet_layers, postnet_kernel)
        if multispeaker:
            self.speaker_embedding = nn.Embedding(speakers, channels)
        if multilingual:
            self.language_embedding = nn.Embedding(languages, channels)

    def embed_text(self, text: torch.Tensor) -> torch.Tensor:
        """ids [B, N] int64, or features [B, N, F] -> [B, N, C]."""
        layer = self.text_input_layer if hasattr(self, "text_input_layer") else self.feature_input_layer
        return layer(text)

    def encode(
        self,
        embedded: torch.Tensor,
        text_mask: torch.Tensor,
        speaker: torch.Tensor | None = None,
        language: torch.Tensor | None = None,
        style: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Embedded text [B, N, C], text_mask [B, N], speaker and language [B] int64, style a mel [B, M, T] -> [B, N, C]."""
        x = embedded + self.position_embedding(embedded.shape[1]) * text_mask.unsqueeze(-1)
        x = self.encoder(x, text_mask == 0)
        if hasattr(self, "gst"):
            x = x + (self.gst(style) if style is not None else self.gst.token(len(x))).unsqueeze(1)
        for table, chosen in (("speaker_embedding", speaker), ("language_embedding", language)):
            if hasattr(self, table):
                if chosen is None:
                    raise ValueError(f"this model has a {table.replace('_', ' ')}: say which one")
                x = x + getattr(self, table)(chosen).unsqueeze(1)
        return x

    def decode(self, x: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Text along the frames [B, T, C], mask [B, T] -> mel before and after the postnet, [B, M, T] each."""
        x = self.decoder(x + self.position_embedding(x.shape[1]) * mask.unsqueeze(-1), mask == 0)
        mel = self.mel_linear(x).transpose(1, 2)
        return mel, mel + self.postnet(mel) if hasattr(self, "postnet") else mel

    def forward(
        self,
        text: torch.Tensor,
        lengths: torch.Tensor,
        mel: torch.Tensor,
        frames: torch.Tensor,
        pitch: torch.Tensor,
        energy: torch.Tensor,
        *,
        prior: torch.Tensor | None = None,
        durations: torch.Tensor | None = None,
        speaker: torch.Tensor | None = None,
        language: torch.Tensor | None = None,
    ) -> FastSpeech2Output:
        """A training pass over text [B, N] (or [B, N, F]) with lengths [B] and mel [B, M, T] with frames [B].

        pitch and energy [B, T] are by frame, in deviations from their means. `prior` [B, T, N] is the aligner's.
        `durations` [B, N] in frames, int64, are what the text is laid out by; without them the aligner's likeliest path is,
        for which a GPU has to be waited for. A model without an aligner needs them.
        """
        embedded = self.embed_text(text)
        text_mask, mask = sequence_mask(lengths, text.shape[1]), sequence_mask(frames, mel.shape[2])
        x = self.encode(embedded, text_mask.squeeze(1), speaker, language, style=mel)
        soft = log_scores = path = None
        if hasattr(self.variance_adaptor, "attention"):
            soft, log_scores = self.variance_adaptor.attention(mel, embedded.transpose(1, 2), text_mask, prior)
            if durations is None:
                path = hard_alignment(soft, text_mask, mask)
                durations = path.sum(2).long()
        elif durations is None:
            raise ValueError("this model has no aligner: give durations")
        path = path_of(durations, mask) if path is None else path
        pitch, energy = self.at_level("pitch", pitch, path), self.at_level("energy", energy, path)
        adapted = self.variance_adaptor(
            x, text_mask.squeeze(1), durations=durations, pitch=pitch, energy=energy, frames=mel.shape[2]
        )
        before, after = self.decode(adapted.x, adapted.mask)
        return FastSpeech2Output(
            before,
            after,
            adapted.mask,
            adapted.log_durations,
            durations,
            adapted.pitch,
            adapted.energy,
            pitch,
            energy,
            soft,
            log_scores,
            path,
        )

    def at_level(self, name: str, values: torch.Tensor, path: torch.Tensor) -> torch.Tensor:
        """`pitch` or `energy` by frame [B, T] as the model predicts it: by symbol [B, N] along path [B, N, T], or by frame."""
        level = getattr(self.variance_adaptor, f"{name}_level")
        return averages(values, path) if level == PHONE else values

    @torch.no_grad()
    def align(
        self, text: torch.Tensor, lengths: torch.Tensor, mel: torch.Tensor, frames: torch.Tensor, prior: torch.Tensor
    ) -> torch.Tensor:
        """The aligner's likeliest durations [B, N] in frames, int64, of what `forward` takes. A GPU has to be waited for."""
        text_mask, mask = sequence_mask(lengths, text.shape[1]), sequence_mask(frames, mel.shape[2])
        embedded = self.embed_text(text).transpose(1, 2)
        soft, _ = self.variance_adaptor.attention(mel, embedded, text_mask, prior)
        return hard_alignment(soft, text_mask, mask).sum(2).long()

    def infer(
        self,
        text: torch.Tensor,
        lengths: torch.Tensor,
        *,
        speaker: torch.Tensor | None = None,
        language: torch.Tensor | None = None,
        style: torch.Tensor | None = None,
        durations: torch.Tensor | None = None,
        pitch: torch.Tensor | None = None,
        energy: torch.Tensor | None = None,
        frames: int | None = None,
        duration_scale: float = 1.0,
        pitch_scale: float = 1.0,
        energy_scale: float = 1.0,
    ) -> FastSpeech2Output:
        """text [B, N] int64 (or features [B, N, F]), lengths [B] -> mels as long as the longest of the batch.

        `style` [B, M, T] is a mel to sound like, `durations` [B, N] force the length of each symbol, in frames; `pitch` and
        `energy` as `at_level` gives them. `frames` is the length of the longest, where that is known.
        """
        text_mask = sequence_mask(lengths, text.shape[1]).squeeze(1)
        x = self.encode(self.embed_text(text), text_mask, speaker, language, style)
        adapted = self.variance_adaptor(
            x,
            text_mask,
            durations=durations,
            pitch=pitch,
            energy=energy,
            frames=frames,
            duration_scale=duration_scale,
            pitch_scale=pitch_scale,
            energy_scale=energy_scale,
        )
        mel, refined = self.decode(adapted.x, adapted.mask)
        return FastSpeech2Output(
            mel, refined, adapted.mask, adapted.log_durations, adapted.durations, adapted.pitch, adapted.energy
        )


def path_of(durations: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Which frames are whose: durations [B, N], mask [B, 1, T] -> path [B, N, T] of 0 and 1."""
    ends = durations.cumsum(1).unsqueeze(-1)
    frames = torch.arange(mask.shape[-1], device=mask.device)
    return ((frames < ends) & (frames >= ends - durations.unsqueeze(-1))).to(mask.dtype) * mask
