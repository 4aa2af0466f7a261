"""Delightful: the acoustic model of DelightfulTTS (Liu et al. 2021, arXiv 2110.12612) as tts-framework trains it.

Only what speaks: reference encoders and aligner serve training alone. Tensor names are tts-framework's. Letters in shapes:
S symbols, T frames, C channels.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import nn

from voxgraft.models.delightful.conformer import SLOPE, Conformer
from voxgraft.models.delightful.named import named, separable


class DelightfulOutput(NamedTuple):
    """mel [1, mels, T] log-mel; durations [1, S] frames; pitch, energy [1, S] in the units of training, energy or None."""

    mel: torch.Tensor
    durations: torch.Tensor
    pitch: torch.Tensor
    energy: torch.Tensor | None


class Delightful(nn.Module):
    """Symbols -> conformer -> prosody, pitch, energy -> as many frames as each symbol lasts -> conformer -> mel.

    VoiceSmith's older kind has `pitch_bins` rows for pitch instead of a convolution (`pitch_kernel` 0), no energy, and
    feed-forward parts only in its multilingual model.
    """

    def __init__(
        self,
        *,
        symbols: int,
        speakers: int,
        languages: int,
        mels: int,
        channels: int = 512,
        speaker_channels: int = 1024,
        language_channels: int = 1,
        encoder_layers: int = 6,
        encoder_heads: int = 8,
        encoder_kernel: int = 7,
        encoder_feed_forward: bool = True,
        decoder_layers: int = 6,
        decoder_heads: int = 8,
        decoder_kernel: int = 11,
        decoder_feed_forward: bool = True,
        decoder_knows_language: bool = True,
        utterance_prosody: int = 256,
        phoneme_prosody: int = 4,
        prosody_kernel: int = 5,
        variance_channels: int = 512,
        variance_kernel: int = 5,
        pitch_kernel: int = 3,
        pitch_bins: int = 0,
        energy: bool = True,
        dropout: float = 0.1,
        variance_dropout: float = 0.5,
    ) -> None:
        super().__init__()
        condition = speaker_channels + language_channels
        self.decoder_condition = condition if decoder_knows_language else speaker_channels
        self.src_word_emb = embedding(symbols, channels)
        self.speaker_embed = embedding(speakers, speaker_channels)
        self.lang_embed = embedding(languages, language_channels)
        self.encoder = Conformer(
            layers=encoder_layers,
            channels=channels,
            heads=encoder_heads,
            kernel=encoder_kernel,
            feed_forward=encoder_feed_forward,
            condition_channels=condition,
            dropout=dropout,
        )
        self.utterance_prosody_predictor = Predictor(
            channels, channels, prosody_kernel, dropout, predictor_bottleneck=utterance_prosody
        )
        self.phoneme_prosody_predictor = Predictor(
            channels, channels, prosody_kernel, dropout, predictor_bottleneck=phoneme_prosody
        )
        self.u_bottle_out = nn.Linear(utterance_prosody, channels)
        self.p_bottle_out = nn.Linear(phoneme_prosody, channels)
        width, kernel = variance_channels, variance_kernel
        pitch = Predictor(channels, width, kernel, variance_dropout, linear_layer=1)
        self.has_bins = pitch_bins > 0
        if self.has_bins:
            self.pitch_adaptor = BinnedPitch(pitch, pitch_bins, channels)
        else:
            self.pitch_adaptor_conv = named(pitch_predictor=pitch, pitch_emb=line_convolution(channels, pitch_kernel))
        self.has_energy = energy
        if energy:
            loudness = Predictor(channels, width, kernel, variance_dropout, linear_layer=1)
            self.energy_adaptor = named(energy_predictor=loudness, energy_emb=line_convolution(channels, pitch_kernel))
        self.length_regulator = named(
            duration_predictor=Predictor(channels, width, kernel, variance_dropout, linear_layer=1)
        )
        self.decoder = Conformer(
            layers=decoder_layers,
            channels=channels,
            heads=decoder_heads,
            kernel=decoder_kernel,
            feed_forward=decoder_feed_forward,
            condition_channels=self.decoder_condition,
            dropout=dropout,
        )
        self.to_mel = nn.Linear(channels, mels)

    def forward(
        self,
        symbols: torch.Tensor,
        speaker: torch.Tensor,
        language: torch.Tensor,
        *,
        durations: torch.Tensor | None = None,
        pace: float = 1.0,
        pitch_factor: float = 1.0,
    ) -> DelightfulOutput:
        """Speak one sentence: symbols [1, S], speaker [1], language [1].

        `pace` above 1 is slower; `durations` [1, S], in frames, replace the predicted ones. A sentence without a single
        frame gets one for each symbol.
        """
        condition = torch.cat((self.speaker_embed[speaker], self.lang_embed[language]), dim=-1).unsqueeze(1)
        x = self.encoder(self.src_word_emb[symbols], condition)
        x = x + self._prosody(x)
        if durations is None:
            durations = self._durations(x, pace)
        x, pitch = self._with_pitch(x, pitch_factor)
        energy = None
        if self.has_energy:
            energy = self.energy_adaptor.energy_predictor(x)
            x = x + self.energy_adaptor.energy_emb(energy.mT).mT
        frames = x.repeat_interleave(durations[0], dim=1)
        mel = self.to_mel(self.decoder(frames, condition[..., : self.decoder_condition]))
        return DelightfulOutput(mel.mT, durations, pitch[..., 0], None if energy is None else energy[..., 0])

    def _prosody(self, x: torch.Tensor) -> torch.Tensor:
        """What the whole sentence and each symbol add: [1, S, C]."""
        whole = normalised(self.utterance_prosody_predictor(x).mean(dim=1, keepdim=True))
        each = normalised(self.phoneme_prosody_predictor(x))
        return self.u_bottle_out(whole) + self.p_bottle_out(each)

    def _durations(self, x: torch.Tensor, pace: float) -> torch.Tensor:
        """Frames of each symbol, [1, S] whole numbers; the predictor's are logarithms of one more."""
        frames = self.length_regulator.duration_predictor(x)[..., 0].exp() - 1
        durations = (frames.round() * pace).clamp(min=0).long()
        return durations if durations.any() else torch.ones_like(durations)

    def _with_pitch(self, x: torch.Tensor, factor: float) -> tuple[torch.Tensor, torch.Tensor]:
        """x with its pitch, and the pitch [1, S, 1]."""
        if self.has_bins:
            return self.pitch_adaptor(x, factor)
        pitch = self.pitch_adaptor_conv.pitch_predictor(x) * factor
        return x + self.pitch_adaptor_conv.pitch_emb(pitch.mT).mT, pitch


class Predictor(nn.Module):
    """Two separable convolutions and a projection, which goes by the name it is given with: [B, S, C] -> [B, S, outputs]."""

    def __init__(self, inputs: int, width: int, kernel: int, dropout: float, **projection: int) -> None:
        super().__init__()
        ((self.projection, outputs),) = projection.items()
        self.layers = nn.ModuleList(
            (
                named(conv=separable(inputs, width, kernel)),
                nn.LeakyReLU(SLOPE),
                nn.LayerNorm(width),
                nn.Dropout(dropout),
                named(conv=separable(width, width, kernel)),
                nn.LeakyReLU(SLOPE),
                nn.LayerNorm(width),
                nn.Dropout(dropout),
            )
        )
        self.add_module(self.projection, nn.Linear(width, outputs))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for layer in self.layers:
            x = layer(x.mT).mT if isinstance(layer, nn.Sequential) else layer(x)
        return self.get_submodule(self.projection)(x)


class BinnedPitch(nn.Module):
    """VoiceSmith's pitch: each range of it has a row of a table."""

    def __init__(self, predictor: Predictor, bins: int, channels: int) -> None:
        super().__init__()
        self.pitch_predictor = predictor
        self.register_buffer("pitch_bins", torch.linspace(-3, 3, bins - 1))
        self.pitch_embedding = nn.ParameterDict({"embeddings": embedding(bins, channels)})

    def forward(self, x: torch.Tensor, factor: float) -> tuple[torch.Tensor, torch.Tensor]:
        """x [1, S, C] -> x with its pitch, and the pitch [1, S, 1]."""
        pitch = self.pitch_predictor(x) * factor
        return x + self.pitch_embedding["embeddings"][torch.bucketize(pitch[..., 0], self.pitch_bins)], pitch


def embedding(rows: int, channels: int) -> nn.Parameter:
    """A table whose rows have a length of about the root of 2."""
    return nn.Parameter(torch.randn(rows, channels) * (2 / channels) ** 0.5)


def line_convolution(channels: int, kernel: int) -> nn.Conv1d:
    """A line of numbers as channels: [B, 1, S] -> [B, C, S]."""
    return nn.Conv1d(1, channels, kernel, padding=kernel // 2)


def normalised(x: torch.Tensor) -> torch.Tensor:
    """Mean 0 and deviation 1 over the last axis."""
    return F.layer_norm(x, x.shape[-1:])
