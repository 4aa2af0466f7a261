"""VoiceConfig: the settings that only a voice has; the loop's own are shared."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from voxgraft.config.section import Section, contradiction

Quality = Literal["x_low", "low", "medium", "high"]


class RecoveryConfig(Section):
    """Self-distillation of the parts that an exported voice lacks."""

    steps: int = Field(400, ge=1, description="Most steps; recovery stops earlier on a plateau.")
    batch: int = Field(8, ge=1, description="Crops a step.")
    crop: int = Field(64, ge=8, description="Frames of each crop.")
    learning_rate: float = Field(1e-3, gt=0, description="AdamW learning rate of the recovered parts.")
    patience: int = Field(2, ge=1, description="Checks without improvement of mel L1 before recovery stops.")
    check_every: int = Field(25, ge=1, description="Steps between checks.")


class LearningRates(Section):
    """AdamW learning rate of each part; 0 freezes it. `training.freeze` freezes whole parts too."""

    text_encoder: float = Field(
        0.0, ge=0, description="Symbols to the prior; 0 keeps the base's reading stable while the sound changes."
    )
    duration: float = Field(0.0, ge=0, description="Duration predictor; 0 keeps the base's timing.")
    flow: float = Field(1e-4, ge=0, description="Normalising flow between prior and posterior.")
    posterior: float = Field(2e-4, ge=0, description="Posterior encoder, used in training only.")
    decoder: float = Field(2e-4, ge=0, description="Latent to waveform.")
    speaker_embedding: float = Field(2e-4, ge=0, description="Speakers' vectors; unused with one speaker.")
    discriminator: float = Field(5e-4, ge=0, description="Discriminator of the waveform, used in training only.")

    @model_validator(mode="after")
    def _teach_something(self) -> LearningRates:
        parts = [name for name in type(self).model_fields if name != "discriminator"]
        if not any(getattr(self, part) for part in parts):
            raise contradiction(
                next(part for part in parts if part in self.model_fields_set),
                "all learning rates of the voice are 0: nothing would learn",
                "Give one part or more a learning rate, such as voice.learning_rates.decoder: 2e-4.",
            )
        return self


class LossWeights(Section):
    """Weights of the generator's losses (VITS, Kim et al. 2021, section 2.4)."""

    mel: float = Field(45.0, ge=0, description="L1 between mel spectrograms.")
    kl: float = Field(1.0, ge=0, description="Distance of the posterior to the prior.")
    duration: float = Field(1.0, ge=0, description="Negative log-likelihood of the durations.")
    adversarial: float = Field(1.0, ge=0, description="Least squares of the discriminator's output.")
    feature: float = Field(2.0, ge=0, description="L1 between the discriminator's features.")
    from_text: float = Field(
        0.0,
        ge=0,
        description="L1 between mel spectrograms on the way from text, as the voice will speak; 0 leaves it out.",
    )


class VoiceConfig(Section):
    """What only a voice has: its network, its sound and how they are trained."""

    quality: Quality | None = Field(None, description="x_low, low, medium or high; null takes the base's.")
    noise_scale: float | None = Field(
        0.333,
        ge=0,
        le=2,
        description="Spread of the sound that the voice is validated and exported with; null keeps the base's. "
        "Briefly trained voices are cleaner and better understood with half of Piper's usual 0.667.",
    )
    sentences: tuple[str, ...] = Field(
        (), description="Fixed sentences of each validation; empty takes the built-in ones."
    )
    cer_margin: float = Field(
        0.04, ge=0, description="How much worse than the base's the character error rate of the best may be."
    )
    window: int | None = Field(
        80,
        ge=32,
        description="Frames around the segment that posterior and flow see; null is whole clips, as VITS does.",
    )
    segment: int = Field(8192, ge=1024, description="Samples that the decoder is trained on, of each clip.")
    realign_every: int = Field(500, ge=1, description="Most steps that a clip's alignment is used for.")
    latent_noise: float | None = Field(
        None,
        ge=0,
        le=2,
        description="Share of the latents' deviation that the decoder hears in training; null is what the voice will speak "
        "with (voice.noise_scale), and all of it, as in VITS, from scratch.",
    )
    discriminator: Literal["none", "light", "piper"] = Field(
        "light",
        description="Network that tells speech from recordings: light is small and fast, piper is what Piper trains with, "
        "none trains without.",
    )
    discriminator_warmup: int = Field(20, ge=0, description="Steps in which a new discriminator learns alone.")
    replay: float = Field(
        0.2,
        ge=0,
        lt=1,
        description="Share of the clips that the base speaks, where the run keeps voices (graft.keep_speakers) that the corpus "
        "has no recordings of, so that they are not forgotten; 0 leaves them out.",
    )
    rates_by_size: bool = Field(
        True,
        description="Each tensor's rate is in proportion to its size (root mean square; 0.03 takes it as it is), so that no "
        "layer of the base is changed out of proportion. Off from scratch, unless named.",
    )
    learning_rates: LearningRates = Field(LearningRates(), description="Learning rate of each part.")
    weights: LossWeights = Field(LossWeights(), description="Weight of each loss.")
    recovery: RecoveryConfig = Field(
        RecoveryConfig(), description="Self-distillation of the parts that an exported voice lacks."
    )
