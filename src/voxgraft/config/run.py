"""RunConfig: every setting of one project, with its meaning, unit and default."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Quality = Literal["x_low", "low", "medium", "high"]
Device = Literal["auto", "cpu", "cuda", "mps"]
Part = Literal["text_encoder", "duration", "flow", "posterior", "decoder", "speaker_embedding"]


class Section(BaseModel):
    """A part of the configuration: frozen, and a misspelt key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class CorpusConfig(Section):
    """Which recordings, and how they are prepared."""

    path: str | None = Field(None, description="Folder or metadata.csv to import; null uses the imported manifest.")
    validation: int = Field(8, ge=1, description="Utterances set aside for validation, speaker by speaker, by text.")
    held_out: tuple[str, ...] = Field(
        (), description="Ids that are never trained or validated on, kept for evaluation."
    )
    loudness: float | None = Field(-23.0, le=0, description="Target loudness in LUFS; null leaves levels alone.")
    trim: bool = Field(True, description="Trim silence at both ends.")
    shortest: float = Field(0.5, gt=0, description="Clips under this many seconds are left out.")
    longest: float = Field(15.0, gt=0, description="Clips over this many seconds are left out.")
    skip_bad: bool = Field(False, description="Leave out clips that fail the check instead of stopping.")


class RecoveryConfig(Section):
    """Self-distillation of the parts that an exported voice lacks."""

    steps: int = Field(400, ge=1, description="Most steps; recovery stops earlier on a plateau.")
    batch: int = Field(8, ge=1, description="Crops a step.")
    crop: int = Field(64, ge=8, description="Frames of each crop.")
    learning_rate: float = Field(1e-3, gt=0)
    patience: int = Field(3, ge=1, description="Checks without improvement of mel L1 before recovery stops.")
    check_every: int = Field(25, ge=1, description="Steps between checks.")


class LearningRates(Section):
    """AdamW learning rate of each part; 0 freezes it. `--set training.freeze=[...]` freezes whole parts too."""

    text_encoder: float = Field(0.0, ge=0)
    duration: float = Field(0.0, ge=0)
    flow: float = Field(2e-4, ge=0)
    posterior: float = Field(2e-4, ge=0)
    decoder: float = Field(2e-4, ge=0)
    speaker_embedding: float = Field(2e-4, ge=0)
    discriminator: float = Field(2e-4, ge=0)


class LossWeights(Section):
    """Weights of the generator's losses (VITS, Kim et al. 2021, section 2.4)."""

    mel: float = Field(45.0, ge=0)
    kl: float = Field(1.0, ge=0)
    duration: float = Field(1.0, ge=0)
    adversarial: float = Field(1.0, ge=0)
    feature: float = Field(2.0, ge=0)


class TrainingConfig(Section):
    """The loop."""

    steps: int = Field(2000, ge=1, description="Optimiser steps of the generator.")
    minutes: float | None = Field(None, gt=0, description="Stop after this many minutes, whatever the steps.")
    batch: int | Literal["auto"] = Field("auto", description="Clips a step; auto fits memory.")
    accumulate: int = Field(1, ge=1, description="Batches whose gradients are added before each step.")
    precision: Literal["auto", "fp32", "bf16"] = Field("auto", description="auto measures bf16 against fp32 once.")
    segment: int = Field(8192, ge=1024, description="Samples that the decoder is trained on, of each clip.")
    discriminator: Literal["none", "light", "piper"] = Field(
        "light", description="piper is HiFi-GAN's, as Piper has it."
    )
    discriminator_warmup: int = Field(50, ge=0, description="Steps in which new discriminators learn alone.")
    learning_rates: LearningRates = LearningRates()
    freeze: tuple[Part, ...] = Field((), description="Parts that stay as they are.")
    warmup: int = Field(20, ge=0, description="Steps in which the learning rate rises from 0.")
    decay: Literal["cosine", "exponential", "none"] = "cosine"
    weights: LossWeights = LossWeights()
    gradient_clip: float = Field(10.0, gt=0, description="Largest norm of the gradients of each network.")
    ema: float = Field(0.99, ge=0, lt=1, description="Decay of the weight average; 0 turns it off.")
    replay: float = Field(0.0, ge=0, lt=1, description="Share of each batch that is the base's own speech.")
    validate_every: int = Field(200, ge=1, description="Steps between validations.")
    patience: int = Field(5, ge=1, description="Validations without a better one before training stops.")
    checkpoint_minutes: float = Field(3.0, gt=0, description="Most minutes of work that a kill can lose.")
    keep: int = Field(2, ge=1, description="Checkpoints kept besides best and last.")
    disk_budget_gb: float = Field(10.0, gt=0, description="Most disk that a run's checkpoints take together.")
    workers: int = Field(0, ge=0)
    device: Device = "auto"
    devices: int = Field(1, ge=1, description="Processes (DDP where more than one).")


class EvaluationConfig(Section):
    """What is measured at each validation and at the end."""

    sentences: tuple[str, ...] = Field(
        (), description="Fixed sentences of each validation; empty takes the built-in ones."
    )
    seeds: int = Field(3, ge=1, description="Syntheses of each held-out text.")
    recogniser: str = Field("auto", description="faster-whisper model folder or name; auto takes an installed one.")
    dnsmos: bool = True
    cer_margin: float = Field(0.04, ge=0, description="How much worse than the base's CER the best may be.")


class RunConfig(Section):
    """One project: from these settings everything else derives."""

    name: str = Field("voice", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", description="Name of the run and of the voice.")
    output: str = Field(".", description="Project folder; runs/ and voices/ are made in it.")
    base: str | None = Field(
        None, description="File, folder, installed voice package or library entry; `none` is from scratch."
    )
    language: str | None = Field(None, description="espeak-ng voice of the texts; null takes the base's.")
    quality: Quality | None = Field(None, description="null takes the base's.")
    seed: int = 0
    corpus: CorpusConfig = CorpusConfig()
    recovery: RecoveryConfig = RecoveryConfig()
    training: TrainingConfig = TrainingConfig()
    evaluation: EvaluationConfig = EvaluationConfig()
