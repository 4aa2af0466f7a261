"""AcousticConfig: the settings that only a text-to-spec model has; the loop's own are shared."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from voxgraft.config.kinds import PathOrName, PathText
from voxgraft.config.section import Section, contradiction
from voxgraft.config.tasks.spectrogram import SpectrogramConfig

AcousticFamily = Literal["fastspeech2", "delightful", "glow_tts"]
Size = Literal["tiny", "small", "full"]
Phase = Literal["continue", "restart", "done"]


class AcousticRates(Section):
    """AdamW learning rate of each part; 0 freezes it, null is left to us. `training.freeze` freezes whole parts too."""

    symbols: float | None = Field(None, ge=0, description="Symbols' vectors; new ones learn faster unless this is set.")
    encoder: float | None = Field(None, ge=0, description="Text encoder.")
    variance: float | None = Field(None, ge=0, description="Predictors of duration, pitch, energy and prosody.")
    decoder: float | None = Field(
        None, ge=0, description="Decoder, postnet or flow: from text along the frames to mel."
    )
    aligner: float | None = Field(None, ge=0, description="Aligner of text and recordings, used in training only.")
    speakers: float | None = Field(None, ge=0, description="Vectors of speakers and languages.")
    style: float | None = Field(None, ge=0, description="Style tokens and what chooses among them.")

    @model_validator(mode="after")
    def _teach_something(self) -> AcousticRates:
        if all(getattr(self, name) == 0 for name in type(self).model_fields):
            raise contradiction(
                "decoder",
                "all learning rates are 0: nothing would learn",
                "Give one part or more a learning rate, such as acoustic.learning_rates.decoder: 2e-4.",
            )
        return self


class AcousticConfig(Section):
    """What only a text-to-spec model has: its network, what it learns from and how."""

    family: AcousticFamily = Field("fastspeech2", description="Network of a model from scratch; a base brings its own.")
    size: Size = Field(
        "small",
        description="Size of a network from scratch: tiny trains in minutes on two cores, full is the authors'.",
    )
    spectrogram: SpectrogramConfig = Field(
        SpectrogramConfig(), description="Spectrogram of a model from scratch; a base brings its own."
    )
    vocoder: PathOrName | None = Field(
        None, description="Vocoder that makes its spectrograms heard: a path or a name; null takes the one that fits."
    )
    learning_rates: AcousticRates = Field(AcousticRates(), description="Learning rate of each part.")
    weight_decay: float = Field(1e-6, ge=0, description="Weight decay of AdamW.")
    weights: dict[str, float] = Field(
        {},
        description="Weights of losses by their names, as metrics.jsonl has them; those that are not named are the authors'.",
    )
    phase: Phase = Field(
        "continue",
        description="Where the losses that are brought in little by little begin on a base: where it stopped, anew, or at their "
        "full weight. From scratch they begin anew.",
    )
    ramp_steps: int | None = Field(
        None, ge=1, description="Optimiser steps in which they are brought in; null is as the authors have it."
    )
    realign_every: int = Field(50, ge=1, description="Most steps that a clip's alignment is used for.")
    durations: PathText | None = Field(
        None, description="File or folder with the duration of each symbol; null lets the model align by itself."
    )
    source: PathText | None = Field(
        None, description="Recordings of the base's own voices, mixed in against over-fitting; null mixes in none."
    )
    source_share: float = Field(0.2, gt=0, lt=1, description="Share of each batch that is from acoustic.source.")
