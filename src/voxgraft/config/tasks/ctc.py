"""RecogniserConfig: the settings of a recogniser that those of a voice do not hold; the loop's own are shared."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from voxgraft.config.kinds import PathText
from voxgraft.config.section import Section, contradiction


class RecogniserRates(Section):
    """AdamW learning rates of a recogniser; null chooses."""

    encoder: float | None = Field(
        None,
        ge=0,
        description="Layers that the base brings; null is 3e-4, for FastConformer 1e-4, for DeepSpeech under mostly new labels 3e-3; 0 freezes them all.",
    )
    features: float = Field(
        0.0, ge=0, description="wav2vec 2.0's convolutions over samples, which fine-tuning usually leaves alone."
    )
    adapters: float = Field(
        1e-3, ge=0, description="Adapters that start anew, and all where recogniser.learns is adapters."
    )
    head: float | None = Field(
        None, ge=0, description="Output layer where every label keeps its row; null is as the encoder."
    )
    new: float = Field(3e-3, ge=0, description="Layers that start anew, and an output layer with new labels.")

    @model_validator(mode="after")
    def _teach_something(self) -> RecogniserRates:
        # A rate that is left to the base is never 0.
        if self.encoder == 0 and not (self.features or self.adapters or self.head or self.new):
            raise contradiction(
                "encoder",
                "all learning rates of the recogniser are 0: nothing would learn",
                "Give one of them a value, such as recogniser.learning_rates.new: 3e-3.",
            )
        return self


class RecogniserConfig(Section):
    """What a recogniser is trained on and how; steps, batch, device and checkpoints are those of `training`."""

    train: tuple[PathText, ...] = Field(
        (), description="Corpora to train on: CSV or manifest files, or folders; empty takes the project's."
    )
    dev: tuple[PathText, ...] = Field(
        (), description="Corpora that choose the best; empty sets utterances of the training corpora aside."
    )
    test: tuple[PathText, ...] = Field(
        (), description="Corpora that the result is tested on; empty takes corpus.held_out, else sets some aside."
    )
    source_test: tuple[PathText, ...] = Field(
        (),
        description="Corpora in the base's language: base and result are tested on them too, which shows what was forgotten.",
    )
    set_aside: float = Field(
        0.1,
        gt=0,
        le=0.45,
        description="Share of the texts that is set aside for dev, and again for test, where they lack.",
    )
    alphabet: Literal["auto", "base", "corpus"] = Field(
        "auto",
        description="Where graft.alphabet names no file: the base's, or derived from the transcripts; auto takes the base's "
        "where it has the letters of the corpus.",
    )
    text: Literal["plain", "as_is"] = Field(
        "plain",
        description="plain makes transcripts small letters without punctuation, but for signs that the alphabet has; as_is "
        "leaves them.",
    )
    n_hidden: int | None = Field(
        None, ge=1, le=16384, description="Width of DeepSpeech's layers from scratch (null is 512); a base has its own."
    )
    layer_norm: bool = Field(False, description="DeepSpeech from scratch: normalise each layer.")
    epochs: int | None = Field(
        None,
        ge=1,
        description="Passes over the corpus; null takes training.steps, and training.minutes may shorten both.",
    )
    dropout: float | None = Field(
        None, ge=0, lt=1, description="Dropout of each layer; null is 0.2 for DeepSpeech, 0.1 for others."
    )
    weight_decay: float = Field(0.01, ge=0, description="AdamW's.")
    learning_rates: RecogniserRates = Field(RecogniserRates(), description="Learning rates.")
    learns: Literal["all", "adapters", "new", "head"] = Field(
        "all",
        description="What learns: everything; a language's adapters and the output layer (MMS, XLS-R); only layers with "
        "something new in them; or the output layer alone.",
    )
    fresh_adapters: Literal["auto", "always", "never"] = Field(
        "auto",
        description="Where adapters learn, whether the base's start anew; auto: unless the alphabet is the same.",
    )
    thaw_every: int = Field(
        0,
        ge=0,
        description="Steps after which one more layer, counted from the output, begins to learn; 0: all at once.",
    )
    augment: tuple[str, ...] = Field(
        (), description="Augmentations of the recordings, each as Coqui STT writes them: pitch[p=0.2,pitch=1~0.1]."
    )

    @model_validator(mode="after")
    def _ask_for_what_learns(self) -> RecogniserConfig:
        if self.fresh_adapters != "auto" and self.learns != "adapters":
            raise contradiction(
                "fresh_adapters",
                f"no adapters learn where recogniser.learns is {self.learns}",
                "Set recogniser.learns to adapters, or remove recogniser.fresh_adapters.",
            )
        if self.thaw_every and self.learns in ("new", "head"):
            raise contradiction(
                "thaw_every",
                f"no more layers begin to learn where recogniser.learns is {self.learns}",
                "Set recogniser.learns to all, or remove recogniser.thaw_every.",
            )
        return self
