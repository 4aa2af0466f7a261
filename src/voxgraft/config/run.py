"""RunConfig: every setting of one project, with its meaning, unit and default."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field, ValidationError

from voxgraft.config.section import Section
from voxgraft.config.tasks.ctc import RecogniserConfig

Quality = Literal["x_low", "low", "medium", "high"]
VoiceType = Literal["M", "F", "other"]
Device = Literal["auto", "cpu", "cuda", "mps"]


class GraftConfig(Section):
    """How the base becomes the model that is trained."""

    speakers: tuple[str, ...] = Field(
        (), description="Speakers of the result, in the order of their ids; empty takes the corpus's."
    )
    keep_speakers: bool = Field(False, description="Keep the base's own speakers, before the new ones.")
    from_speaker: str | None = Field(
        None, description="Speaker of a base with many that new speakers, or a single one, start from."
    )
    symbols: str | None = Field(
        None,
        description="File with another symbol table (.onnx.json, JSON, or a symbol a line); null keeps the base's.",
    )
    alphabet: str | None = Field(
        None, description="File with the labels of a recogniser, one a line; null keeps the base's."
    )
    bytes: bool = Field(False, description="Let a recogniser write UTF-8 bytes: any language, no alphabet.")
    languages: tuple[str, ...] = Field(
        (), description="Languages of a base that has several, in the order of their ids; empty keeps the base's."
    )
    rename: dict[str, str] = Field(
        {}, description="Speakers and languages of the base by other names; two with one new name become their mean."
    )
    drop_source_layers: int = Field(
        0, ge=0, description="Layers of a recogniser, counted from its output, that start anew."
    )
    map_letters: Literal["auto", "always", "never"] = Field(
        "auto",
        description="Letters of both alphabets keep their output rows; auto: unless the alphabet is the same and layers start anew.",
    )
    relearn_unused: bool = Field(
        True,
        description="With another language or table, symbols that the base never learned start from their neighbours.",
    )
    allow_partial: bool = Field(False, description="Go on where less than half of the network comes from the base.")


class CorpusConfig(Section):
    """Which recordings, and how they are prepared."""

    path: str | None = Field(None, description="Folder or metadata.csv, where the project holds no imported manifest.")
    validation: int = Field(8, ge=1, description="Utterances set aside for validation, speaker by speaker, by text.")
    held_out: tuple[str, ...] = Field(
        (), description="Ids that are never trained or validated on, kept for evaluation."
    )
    loudness: float | None = Field(-23.0, le=0, description="Target loudness in LUFS; null leaves levels alone.")
    trim: bool = Field(True, description="Trim silence at both ends.")
    shortest: float = Field(0.5, gt=0, description="Clips under this many seconds are left out.")
    longest: float = Field(15.0, gt=0, description="Clips over this many seconds are left out.")
    licence: str | None = Field(None, description="Licence of the recordings, for the voice's card.")
    consent: str | None = Field(None, description="What you state about the speaker's consent, for the voice's card.")
    skip_bad: bool = Field(
        False, description="Leave out recordings that can't be used, and say so, instead of stopping."
    )
    follow_links: bool = Field(
        False, description="Also read recordings outside of their table's folder: links, and names that lead there."
    )


class RecoveryConfig(Section):
    """Self-distillation of the parts that an exported voice lacks."""

    steps: int = Field(400, ge=1, description="Most steps; recovery stops earlier on a plateau.")
    batch: int = Field(8, ge=1, description="Crops a step.")
    crop: int = Field(64, ge=8, description="Frames of each crop.")
    learning_rate: float = Field(1e-3, gt=0, description="AdamW learning rate of the recovered parts.")
    patience: int = Field(2, ge=1, description="Checks without improvement of mel L1 before recovery stops.")
    check_every: int = Field(25, ge=1, description="Steps between checks.")


class LearningRates(Section):
    """AdamW learning rate of each part; 0 freezes it. `--set training.freeze=[...]` freezes whole parts too."""

    text_encoder: float = Field(
        0.0, ge=0, description="Symbols to the prior; 0 keeps the base's reading stable while the sound changes."
    )
    duration: float = Field(0.0, ge=0, description="Duration predictor; 0 keeps the base's timing.")
    flow: float = Field(1e-4, ge=0, description="Normalising flow between prior and posterior.")
    posterior: float = Field(2e-4, ge=0, description="Posterior encoder, used in training only.")
    decoder: float = Field(2e-4, ge=0, description="Latent to waveform.")
    speaker_embedding: float = Field(2e-4, ge=0, description="Speakers' vectors; unused with one speaker.")
    discriminator: float = Field(5e-4, ge=0, description="Judge of the waveform, used in training only.")


class LossWeights(Section):
    """Weights of the generator's losses (VITS, Kim et al. 2021, section 2.4)."""

    mel: float = Field(45.0, ge=0, description="L1 between mel spectrograms.")
    kl: float = Field(1.0, ge=0, description="Distance of the posterior to the prior.")
    duration: float = Field(1.0, ge=0, description="Negative log-likelihood of the durations.")
    adversarial: float = Field(1.0, ge=0, description="Least squares of the discriminator's verdict.")
    feature: float = Field(2.0, ge=0, description="L1 between the discriminator's features.")
    from_text: float = Field(
        0.0,
        ge=0,
        description="L1 between mel spectrograms on the way from text, as the voice will speak; 0 leaves it out.",
    )


class TrainingConfig(Section):
    """The loop."""

    steps: int = Field(2000, ge=1, description="Optimiser steps of the generator.")
    minutes: float | None = Field(
        None, gt=0, description="Take no more steps than fit into this many minutes, by the measured time of a step."
    )
    replay: float = Field(
        0.2,
        ge=0,
        lt=1,
        description="Share of the clips that the base speaks, where the run keeps voices (graft.keep_speakers) that the corpus "
        "has no recordings of, so that they are not forgotten; 0 leaves them out.",
    )
    batch: int | Literal["auto"] = Field("auto", description="Clips a step; auto fits memory.")
    accumulate: int = Field(
        1, ge=1, description="Pieces that each batch is computed in, one after another; more need less memory."
    )
    precision: Literal["auto", "fp32", "bf16"] = Field(
        "auto", description="auto is bf16 where the hardware multiplies it natively, else fp32."
    )
    window: int | None = Field(
        80,
        ge=32,
        description="Frames around the segment that posterior and flow see; null is whole clips, as VITS does.",
    )
    realign_every: int = Field(500, ge=1, description="Most steps that a clip's alignment is used for.")
    latent_noise: float | None = Field(
        None,
        ge=0,
        le=2,
        description="Share of the latents' deviation that the decoder hears in training; null is what the voice will speak "
        "with (noise_scale), and all of it, as in VITS, from scratch.",
    )
    segment: int = Field(8192, ge=1024, description="Samples that the decoder is trained on, of each clip.")
    discriminator: Literal["none", "light", "piper"] = Field(
        "light", description="Judge of the waveform: light is thin and quick, piper is what Piper trains with."
    )
    discriminator_warmup: int = Field(20, ge=0, description="Steps in which new discriminators learn alone.")
    learning_rates: LearningRates = Field(LearningRates(), description="Learning rate of each part.")
    rates_by_size: bool = Field(
        True,
        description="Each tensor's rate is in proportion to its size (root mean square; 0.03 takes it as it is), so that no "
        "layer of the base is changed out of proportion. Off from scratch, unless named.",
    )
    freeze: tuple[str, ...] = Field((), description="Parts that stay as they are, by the names in the graft plan.")
    warmup: int = Field(20, ge=0, description="Steps in which the learning rate rises from 0.")
    decay: Literal["cosine", "exponential", "none"] = Field(
        "cosine", description="How the learning rate falls after the warm-up."
    )
    weights: LossWeights = Field(LossWeights(), description="Weight of each loss.")
    gradient_clip: float = Field(10.0, gt=0, description="Largest norm of the gradients of each network.")
    ema: float = Field(0.99, ge=0, lt=1, description="Decay of the weight average; 0 turns it off.")
    validate_every: int = Field(200, ge=1, description="Steps between validations.")
    patience: int = Field(5, ge=1, description="Validations without a better one before training stops.")
    checkpoint_minutes: float = Field(3.0, gt=0, description="Most minutes of work that a kill can lose.")
    keep: int = Field(2, ge=1, description="Checkpoints kept besides best and last.")
    disk_budget_gb: float = Field(10.0, gt=0, description="Most disk that a run's checkpoints take together.")
    workers: int = Field(0, ge=0, description="Processes that load batches; 0 loads in the training process.")
    device: Device = Field("auto", description="auto takes a GPU where there is one.")
    devices: int = Field(1, ge=1, description="Processes (DDP where more than one).")


class EvaluationConfig(Section):
    """What is measured at each validation and at the end."""

    sentences: tuple[str, ...] = Field(
        (), description="Fixed sentences of each validation; empty takes the built-in ones."
    )
    seeds: int = Field(3, ge=1, description="Syntheses of each held-out text.")
    recogniser: str = Field("auto", description="faster-whisper model folder or name; auto takes an installed one.")
    dnsmos: bool = Field(True, description="Measure DNSMOS too.")
    cer_margin: float = Field(0.04, ge=0, description="How much worse than the base's CER the best may be.")


class RunConfig(Section):
    """One project: from these settings everything else derives."""

    name: str = Field("voice", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", description="Name of the run and of the voice.")
    output: str = Field(".", description="Project folder; runs/ and voices/ are made in it.")
    task: Literal["auto", "voice", "recogniser"] = Field(
        "auto", description="What is trained; auto is what the base is, and a voice from scratch."
    )
    base: str | None = Field(
        None,
        description="`auto` (null too) picks from library and installed voices; or a file, folder, entry or voice "
        "package; `none` is from scratch.",
    )
    language: str | None = Field(None, description="espeak-ng voice of the texts; null takes the base's.")
    voice_type: VoiceType | None = Field(
        None, description="M, F or other: the kind of voice that `base: auto` prefers; null is any."
    )
    quality: Quality | None = Field(None, description="x_low, low, medium or high; null takes the base's.")
    noise_scale: float | None = Field(
        0.333,
        ge=0,
        le=2,
        description="Spread of the sound that the voice is validated and exported with; null keeps the base's. "
        "Briefly trained voices are cleaner and better understood with half of Piper's usual 0.667.",
    )
    seed: int = Field(0, ge=0, lt=2**32, description="Seed of every random draw: split, initialisation, sampling.")
    graft: GraftConfig = Field(GraftConfig(), description="How the base becomes the model that is trained.")
    corpus: CorpusConfig = Field(CorpusConfig(), description="Which recordings, and how they are prepared.")
    recovery: RecoveryConfig = Field(
        RecoveryConfig(), description="Self-distillation of the parts that an exported voice lacks."
    )
    training: TrainingConfig = Field(TrainingConfig(), description="The loop.")
    evaluation: EvaluationConfig = Field(EvaluationConfig(), description="What is measured.")
    recogniser: RecogniserConfig = Field(RecogniserConfig(), description="What only a recogniser has.")

    if not TYPE_CHECKING:

        def __init__(self, **settings: object) -> None:
            """Build from keyword arguments; a mistake is a ConfigError, as it is in a file."""
            try:
                super().__init__(**settings)
            except ValidationError as fault:
                from voxgraft.config.explain import config_error

                raise config_error(fault, settings, None, {}) from fault
