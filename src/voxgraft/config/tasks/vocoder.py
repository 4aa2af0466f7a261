"""VocoderConfig: the settings that only a vocoder has; the loop's own are shared."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from voxgraft.config.kinds import PathText
from voxgraft.config.section import Section, contradiction
from voxgraft.config.tasks.spectrogram import SpectrogramConfig

VocoderFamily = Literal["hifigan", "univnet", "vocos"]
VocoderSize = Literal["tiny", "small", "full", "v1", "v2", "v3", "istft"]
Discriminators = Literal["auto", "none", "light", "hifigan", "univnet", "vocos"]


class VocoderRates(Section):
    """AdamW learning rates; null chooses what the family's authors take, and 1e-5 on generated spectrograms."""

    generator: float | None = Field(None, ge=0, description="Spectrogram to waveform.")
    discriminator: float | None = Field(
        None, ge=0, description="What tells recordings from generated sound; null is the generator's."
    )


class VocoderWeights(Section):
    """Weights of the generator's losses; null chooses what the family's authors take."""

    mel: float | None = Field(None, ge=0, description="L1 between log mel spectrograms.")
    stft: float | None = Field(None, ge=0, description="Multi-resolution STFT: convergence and L1 of log magnitudes.")
    adversarial: float | None = Field(None, ge=0, description="Least squares of the discriminators' output.")
    feature: float | None = Field(None, ge=0, description="L1 between the discriminators' features.")


class VocoderConfig(Section):
    """What only a vocoder has: its network, its discriminators and how they are trained."""

    family: VocoderFamily = Field("hifigan", description="Network of a vocoder from scratch; a base brings its own.")
    size: VocoderSize = Field(
        "small", description="Size of a network from scratch; v1, v2, v3 and istft are HiFi-GAN's."
    )
    spectrogram: SpectrogramConfig = Field(
        SpectrogramConfig(), description="Spectrogram that a vocoder from scratch reads; a base brings its own."
    )
    discriminator: Discriminators = Field(
        "auto",
        description="Networks that tell generated sound from recordings: light is small and fast, hifigan, univnet and vocos "
        "are their authors', none trains without; auto is what the base brings, else light.",
    )
    adversarial_from: int = Field(
        0, ge=0, description="Steps before the discriminators are used at all: the beginning is quicker without them."
    )
    discriminator_warmup: int | None = Field(
        None, ge=0, description="Steps in which new discriminators learn alone; null is 20 with a base, 0 from scratch."
    )
    freeze_discriminator: int = Field(
        0,
        ge=0,
        le=5,
        description="First layers of each discriminator that stay as they are, one more of those by scale; 3 for matching, "
        "as EveryVoice has it.",
    )
    segment: int = Field(8192, ge=2048, description="Samples of each clip that a step learns from.")
    generated: PathText | None = Field(
        None,
        description="Folder of spectrograms that an acoustic model generated of the corpus, ID.npy [mels, frames] each: the "
        "vocoder learns to make the recordings of them. Null learns from the recordings' own.",
    )
    generated_share: float = Field(
        1.0,
        ge=0,
        le=1,
        description="Share of the clips of a step whose spectrogram is the generated one; the rest get the recording's own.",
    )
    learning_rates: VocoderRates = Field(VocoderRates(), description="Learning rates.")
    betas: tuple[float, float] | None = Field(
        None, description="AdamW's; null chooses what the family's authors take, such as 0.8 and 0.99 for HiFi-GAN."
    )
    decay_per_epoch: float = Field(
        0.999,
        gt=0,
        le=1,
        description="What the learning rates are multiplied by with each epoch, besides training.decay.",
    )
    weight_decay: float = Field(0.01, ge=0, description="AdamW's.")
    weights: VocoderWeights = Field(VocoderWeights(), description="Weight of each loss of the generator.")
    validation_clips: int = Field(8, ge=1, description="Held-out clips of each validation.")

    @model_validator(mode="after")
    def _teach_something(self) -> VocoderConfig:
        if self.learning_rates.generator == 0:
            raise contradiction(
                "learning_rates",
                "the learning rate of the generator is 0: nothing would learn",
                "Give vocoder.learning_rates.generator a value, such as 2e-4.",
            )
        if self.betas is not None and not all(0 <= beta < 1 for beta in self.betas):
            raise contradiction("betas", "each is a share from 0 to below 1", "Set vocoder.betas such as [0.8, 0.99].")
        return self
