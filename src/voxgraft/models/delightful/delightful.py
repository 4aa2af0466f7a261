"""Delightful: the acoustic model of DelightfulTTS (Liu et al. 2021, arXiv 2110.12612) as tts-framework and VoiceSmith train it.

Tensor names are tts-framework's. Letters in shapes: B batch, N symbols, T frames, M mel bands, C channels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import nn

from voxgraft.models.alignment import maximum_path
from voxgraft.models.delightful.aligner import Aligner
from voxgraft.models.delightful.conformer import Conformer
from voxgraft.models.delightful.named import named
from voxgraft.models.delightful.prosody import PhonemeProsody, UtteranceProsody
from voxgraft.models.delightful.variance import BinnedPitch, Predictor, embedding, line_convolution, normalised
from voxgraft.models.fastspeech2.variance_adaptor import averages
from voxgraft.models.vits.masks import path_from_durations, sequence_mask

# Kept in the checkpoint, though no file of another system has them: where the schedule of the losses is, the corpus' lowest
# and highest pitch in deviations, and the mean and deviation that make these the network's own units.
STATE = ("loss_step", "pitches_stat", "pitch_scale")


class DelightfulOutput(NamedTuple):
    """mel [B, M, T] log-mel; durations [B, N] frames; pitch, energy [B, N] in the units of training, energy or None."""

    mel: torch.Tensor
    durations: torch.Tensor
    pitch: torch.Tensor
    energy: torch.Tensor | None


class DelightfulPass(NamedTuple):
    """What a training pass gives, 0 in all padding.

    mel [B, M, T]; log_durations [B, N] predicted, of one more frame; durations [B, N] used; pitch and energy [B, N] in
    deviations, predicted and wanted, energy None where the model has none; utterance [B, 1, U] and phoneme [B, N, P]
    prosody, predicted and as the reference encoders hear it; soft and log_scores [B, T, N] of the aligner; path [B, N, T];
    text_mask [B, 1, N] and mask [B, 1, T].
    """

    mel: torch.Tensor
    log_durations: torch.Tensor
    durations: torch.Tensor
    pitch: torch.Tensor
    pitch_target: torch.Tensor
    energy: torch.Tensor | None
    energy_target: torch.Tensor | None
    utterance: torch.Tensor
    utterance_target: torch.Tensor
    phoneme: torch.Tensor
    phoneme_target: torch.Tensor
    soft: torch.Tensor
    log_scores: torch.Tensor
    path: torch.Tensor
    text_mask: torch.Tensor
    mask: torch.Tensor


class Delightful(nn.Module):
    """Symbols -> conformer -> prosody, pitch, energy -> as many frames as each symbol lasts -> conformer -> mel.

    VoiceSmith's older kind has `pitch_bins` rows for pitch instead of a convolution (`pitch_kernel` 0), no energy, and
    feed-forward parts only in its multilingual model. With `reference_prosody` the decoder learns from what the reference
    encoders hear, which teaches them, as in the paper and VoiceSmith; without, from what is predicted, as in tts-framework,
    whose reference encoders stay as they are. `pitch_in_hertz`: tts-framework's pitch is not normalised.
    """

    loss_step: torch.Tensor
    pitches_stat: torch.Tensor
    pitch_scale: torch.Tensor

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
        pitch_in_hertz: bool = False,
        energy: bool = True,
        reference_filters: Sequence[int] = (32, 32, 64, 64, 128, 128),
        reference_strides: Sequence[int] = (1, 2, 1, 2, 1),
        reference_units: int = 32,
        reference_tokens: int = 32,
        reference_prosody: bool = True,
        dropout: float = 0.1,
        reference_dropout: float = 0.2,
        variance_dropout: float = 0.5,
    ) -> None:
        super().__init__()
        condition = speaker_channels + language_channels
        self.decoder_condition = condition if decoder_knows_language else speaker_channels
        self.reference_prosody, self.pitch_in_hertz = reference_prosody, pitch_in_hertz
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
        reference: dict[str, Any] = {
            "mels": mels,
            "channels": channels,
            "filters": reference_filters,
            "strides": reference_strides,
            "units": reference_units,
        }
        self.utterance_prosody_encoder = UtteranceProsody(
            **reference, outputs=utterance_prosody, tokens=reference_tokens, dropout=reference_dropout
        )
        self.phoneme_prosody_encoder = PhonemeProsody(
            **reference, heads=encoder_heads, outputs=phoneme_prosody, dropout=dropout
        )
        self.u_bottle_out = nn.Linear(utterance_prosody, channels)
        self.p_bottle_out = nn.Linear(phoneme_prosody, channels)
        self.aligner = Aligner(mels, channels)
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
        self.register_buffer("loss_step", torch.zeros((), dtype=torch.int64))
        self.register_buffer("pitches_stat", torch.zeros(2))
        self.register_buffer("pitch_scale", torch.tensor([0.0, 1.0]))
        self.register_load_state_dict_pre_hook(_with_state)

    def forward(
        self,
        symbols: torch.Tensor,
        speaker: torch.Tensor,
        language: torch.Tensor,
        *,
        lengths: torch.Tensor | None = None,
        durations: torch.Tensor | None = None,
        pitch: torch.Tensor | None = None,
        energy: torch.Tensor | None = None,
        pace: float | torch.Tensor = 1.0,
        pitch_factor: float | torch.Tensor = 1.0,
        energy_factor: float | torch.Tensor = 1.0,
        longest: int | None = None,
    ) -> DelightfulOutput:
        """Speak: symbols [B, N], speaker [B], language [B], lengths [B] where sentences are not equally long.

        `pace` above 1 is slower; `durations` [B, N] in frames, `pitch` and `energy` [B, N] in deviations replace what is
        predicted, which the factors multiply. A sentence without a single frame gets one for each symbol. The mels are as
        long as the longest, or `longest` frames.
        """
        text_mask = None if lengths is None else sequence_mask(lengths, symbols.shape[1])
        condition = self._condition(speaker, language)
        x = self._encoded(symbols, condition, text_mask)
        x = x + self._added(*self._predicted(x, text_mask), text_mask)
        if durations is None:
            durations = self._durations(x, text_mask, pace)
        said = self._pitch(x, text_mask)
        mean, deviation = self.pitch_scale
        said = (said - mean) * pitch_factor + mean if pitch is None else pitch * deviation + mean
        x = self._with_pitch(x, said, text_mask)
        loudness = None
        if self.has_energy:
            loudness = self._energy(x, text_mask) * energy_factor if energy is None else energy
            x = self._with_energy(x, loudness, text_mask)
        frames = durations.sum(1)
        mask = sequence_mask(frames, frames.max() if longest is None else longest)
        mel = self._decoded(x, durations, condition, text_mask, mask, padded=lengths is not None)
        return DelightfulOutput(mel, durations, said, loudness)

    def learn(
        self,
        ids: torch.Tensor,
        lengths: torch.Tensor,
        mel: torch.Tensor,
        frames: torch.Tensor,
        pitch: torch.Tensor,
        energy: torch.Tensor,
        speaker: torch.Tensor,
        language: torch.Tensor,
        *,
        prior: torch.Tensor | None = None,
        durations: torch.Tensor | None = None,
    ) -> DelightfulPass:
        """A training pass over ids [B, N] with lengths [B] and mel [B, M, T] with frames [B]; speaker and language [B].

        pitch and energy [B, T] are deviations, by frame; `prior` [B, T, N] is the aligner's. Without `durations` [B, N]
        they are what the aligner finds.
        """
        text_mask, mask = sequence_mask(lengths, ids.shape[1]), sequence_mask(frames, mel.shape[2])
        condition = self._condition(speaker, language)
        x = self._encoded(ids, condition, text_mask)
        predicted, heard = self._predicted(x, text_mask), self._heard(x, text_mask, mel, frames)
        x = x + self._added(*(heard if self.reference_prosody else predicted), text_mask)
        soft, log_scores = self.aligner(mel, x, text_mask, mask, prior)
        if durations is None:
            durations = _likeliest(soft, text_mask, mask)
        path = path_from_durations(durations.unsqueeze(1).to(x.dtype), text_mask, mask)
        # Durations are learned from what the text says, and change nothing in it.
        log_durations = self.length_regulator.duration_predictor(x.detach(), text_mask)[..., 0]
        mean, deviation = self.pitch_scale
        wanted_pitch, pitch_said = averages(pitch, path), self._pitch(x, text_mask)
        x = self._with_pitch(x, wanted_pitch * deviation + mean, text_mask)
        wanted_energy = energy_said = None
        if self.has_energy:
            wanted_energy, energy_said = averages(energy, path), self._energy(x, text_mask)
            x = self._with_energy(x, wanted_energy, text_mask)
        return DelightfulPass(
            mel=self._decoded(x, durations, condition, text_mask, mask, padded=True),
            log_durations=log_durations,
            durations=durations,
            pitch=(pitch_said - mean) / deviation * text_mask.squeeze(1),
            pitch_target=wanted_pitch,
            energy=energy_said,
            energy_target=wanted_energy,
            utterance=predicted[0],
            utterance_target=heard[0].detach(),
            phoneme=predicted[1] * text_mask.transpose(-2, -1),
            phoneme_target=heard[1].detach() * text_mask.transpose(-2, -1),
            soft=soft,
            log_scores=log_scores,
            path=path,
            text_mask=text_mask,
            mask=mask,
        )

    @torch.no_grad()
    def align(
        self,
        ids: torch.Tensor,
        lengths: torch.Tensor,
        mel: torch.Tensor,
        frames: torch.Tensor,
        speaker: torch.Tensor,
        language: torch.Tensor,
        *,
        prior: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Durations [B, N] in frames, int64, that the aligner finds; arguments as of `learn`."""
        text_mask, mask = sequence_mask(lengths, ids.shape[1]), sequence_mask(frames, mel.shape[2])
        x = self._encoded(ids, self._condition(speaker, language), text_mask)
        found = self._heard(x, text_mask, mel, frames) if self.reference_prosody else self._predicted(x, text_mask)
        soft, _ = self.aligner(mel, x + self._added(*found, text_mask), text_mask, mask, prior)
        return _likeliest(soft, text_mask, mask)

    def predicted_durations(self, ids: torch.Tensor, lengths: torch.Tensor, *who: torch.Tensor) -> torch.Tensor:
        """What symbols [B, N] would take, float frames [B, N]; `who` are speaker and language [B]."""
        text_mask = sequence_mask(lengths, ids.shape[1])
        x = self._encoded(ids, self._condition(*who), text_mask)
        x = x + self._added(*self._predicted(x, text_mask), text_mask)
        return torch.expm1(self.length_regulator.duration_predictor(x, text_mask)[..., 0]).clamp(min=0)

    def _condition(self, speaker: torch.Tensor, language: torch.Tensor) -> torch.Tensor:
        return torch.cat(
            (F.embedding(speaker, self.speaker_embed), F.embedding(language, self.lang_embed)), dim=-1
        ).unsqueeze(1)

    def _encoded(self, ids: torch.Tensor, condition: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        x = F.embedding(ids, self.src_word_emb)
        return self.encoder(x if mask is None else x * mask.transpose(-2, -1), condition, mask)

    def _predicted(self, x: torch.Tensor, mask: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor]:
        """Prosody of the whole sentence [B, 1, U] and of each symbol [B, N, P], from the text."""
        whole = self.utterance_prosody_predictor(x, mask)
        count = x.shape[1] if mask is None else mask.sum((1, 2)).view(-1, 1, 1)
        return normalised(whole.sum(1, keepdim=True) / count), normalised(self.phoneme_prosody_predictor(x, mask))

    def _heard(
        self, x: torch.Tensor, mask: torch.Tensor, mel: torch.Tensor, frames: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The same, from the recording."""
        whole = self.utterance_prosody_encoder(mel, frames)
        return normalised(whole), normalised(self.phoneme_prosody_encoder(x, mask, mel, frames))

    def _added(self, whole: torch.Tensor, each: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        """What prosody adds to the text: [B, N, C]."""
        added = self.u_bottle_out(whole) + self.p_bottle_out(each)
        return added if mask is None else added * mask.transpose(-2, -1)

    def _durations(self, x: torch.Tensor, mask: torch.Tensor | None, pace: float | torch.Tensor) -> torch.Tensor:
        """Frames of each symbol, [B, N] whole numbers; the predictor's are logarithms of one more."""
        frames = self.length_regulator.duration_predictor(x, mask)[..., 0].exp() - 1
        durations = (frames.round() * pace).clamp(min=0).long()
        inside = torch.ones_like(durations) if mask is None else mask.squeeze(1).long()
        nothing = (durations.sum(1, keepdim=True) == 0).long()
        return durations * inside + nothing * inside

    def _pitch(self, x: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        """Predicted pitch [B, N] in the network's units."""
        adaptor = self.pitch_adaptor if self.has_bins else self.pitch_adaptor_conv
        return adaptor.pitch_predictor(x, mask)[..., 0]

    def _with_pitch(self, x: torch.Tensor, pitch: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        adaptor = self.pitch_adaptor if self.has_bins else self.pitch_adaptor_conv
        return _with_line(x, pitch, adaptor.pitch_emb, mask)

    def _energy(self, x: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        return self.energy_adaptor.energy_predictor(x, mask)[..., 0]

    def _with_energy(self, x: torch.Tensor, energy: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        return _with_line(x, energy, self.energy_adaptor.energy_emb, mask)

    def _decoded(
        self,
        x: torch.Tensor,
        durations: torch.Tensor,
        condition: torch.Tensor,
        text_mask: torch.Tensor | None,
        mask: torch.Tensor,
        *,
        padded: bool,
    ) -> torch.Tensor:
        """Lay the text along the frames and make a mel of it: [B, M, T]."""
        inside = x.new_ones(len(x), 1, x.shape[1]) if text_mask is None else text_mask
        path = path_from_durations(durations.unsqueeze(1).to(x.dtype), inside, mask)
        laid = self.decoder(
            path.transpose(-2, -1) @ x, condition[..., : self.decoder_condition], mask if padded else None
        )
        mel = self.to_mel(laid).transpose(-2, -1)
        return mel * mask if padded else mel


def _with_line(x: torch.Tensor, line: torch.Tensor, layer: Any, mask: torch.Tensor | None) -> torch.Tensor:
    """x [B, N, C] with what a layer makes of a line of numbers [B, N], padding apart."""
    line = line.unsqueeze(1)
    added = layer(line if mask is None else line * mask).transpose(-2, -1)
    return x + (added if mask is None else added * mask.transpose(-2, -1))


def _likeliest(soft: torch.Tensor, text_mask: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Durations [B, N] of the likeliest monotonic path through soft [B, T, N]."""
    scores = torch.log(soft.detach()).transpose(-2, -1)
    return maximum_path(scores, text_mask.transpose(-2, -1) * mask).sum(2).long()


def _with_state(module: nn.Module, state: dict[str, torch.Tensor], prefix: str, *_: Any) -> None:
    """A file of another system has none of STATE: the network keeps its own."""
    for name in STATE:
        state.setdefault(prefix + name, getattr(module, name).detach())
