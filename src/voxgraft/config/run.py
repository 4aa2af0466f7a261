"""RunConfig: every setting of one project, with its meaning, unit and default."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic.fields import FieldInfo

from voxgraft.config.explain import config_error
from voxgraft.config.kinds import PathOrName, PathText
from voxgraft.config.moved import moved
from voxgraft.config.section import Only, Section, contradiction
from voxgraft.config.tasks.acoustic import AcousticConfig
from voxgraft.config.tasks.ctc import RecogniserConfig
from voxgraft.config.tasks.registry import read_outside, section_of_task, sections_from_outside, task_names
from voxgraft.config.tasks.vocoder import VocoderConfig
from voxgraft.config.tasks.voice import VoiceConfig
from voxgraft.errors import ConfigError

VoiceType = Literal["M", "F", "other"]
Device = Literal["auto", "cpu", "cuda", "mps"]

AUTO = "auto"
VOICES = Only(("voice",))
SPEAKING = Only(("voice", "acoustic"))
SOUNDING = Only(("voice", "acoustic", "vocoder"))
RECOGNISERS = Only(("recogniser",))


class GraftConfig(Section):
    """How the base becomes the model that is trained."""

    speakers: Annotated[tuple[str, ...], SPEAKING] = Field(
        (), description="Speakers of the result, in the order of their ids; empty takes the corpus's."
    )
    keep_speakers: Annotated[bool, SPEAKING] = Field(
        False, description="Keep the base's own speakers, before the new ones."
    )
    from_speaker: Annotated[str | None, SPEAKING] = Field(
        None, description="Speaker of a base with many that new speakers, or a single one, start from."
    )
    symbols: Annotated[PathText | None, SPEAKING] = Field(
        None,
        description="File with another symbol table (.onnx.json, JSON, or a symbol a line); null keeps the base's.",
    )
    alphabet: Annotated[PathText | None, RECOGNISERS] = Field(
        None, description="File with the labels of a recogniser, one a line; null keeps the base's."
    )
    bytes: Annotated[bool, RECOGNISERS] = Field(
        False, description="Let a recogniser write UTF-8 bytes: any language, no alphabet."
    )
    languages: Annotated[tuple[str, ...], SPEAKING] = Field(
        (), description="Languages of a base that has several, in the order of their ids; empty keeps the base's."
    )
    rename: Annotated[dict[str, str], SPEAKING] = Field(
        {}, description="Speakers and languages of the base by other names; two with one new name become their mean."
    )
    drop_source_layers: Annotated[int, RECOGNISERS] = Field(
        0, ge=0, description="Layers of a recogniser, counted from its output, that start anew."
    )
    map_letters: Annotated[Literal["auto", "always", "never"], RECOGNISERS] = Field(
        "auto",
        description="Letters of both alphabets keep their output rows; auto: unless the alphabet is the same and layers start anew.",
    )
    relearn_unused: Annotated[bool, SPEAKING] = Field(
        True,
        description="With another language or table, symbols that the base never learned start from their neighbours.",
    )
    allow_partial: bool = Field(False, description="Go on where less than half of the network comes from the base.")


class CorpusConfig(Section):
    """Which recordings, and how they are prepared."""

    path: PathText | None = Field(
        None, description="Folder or metadata.csv, where the project holds no imported manifest."
    )
    validation: Annotated[int, SOUNDING] = Field(
        8,
        ge=1,
        description="Texts set aside for validation, speaker by speaker; 8 is at most a sixth of a small corpus.",
    )
    held_out: tuple[str, ...] = Field(
        (), description="Ids that are never trained or validated on, kept for evaluation."
    )
    loudness: Annotated[float | None, SOUNDING] = Field(
        -23.0, le=0, description="Target loudness in LUFS; null leaves levels alone."
    )
    trim: Annotated[bool, SOUNDING] = Field(True, description="Trim silence at both ends.")
    shortest: float = Field(0.5, gt=0, description="Clips under this many seconds are left out.")
    longest: float = Field(15.0, gt=0, description="Clips over this many seconds are left out.")
    licence: str | None = Field(None, description="Licence of the recordings, for the voice's card.")
    consent: Annotated[str | None, SOUNDING] = Field(
        None, description="What you state about the speaker's consent, for the voice's card."
    )
    skip_bad: bool = Field(
        False, description="Leave out recordings that can't be used, and say so, instead of stopping."
    )
    follow_links: bool = Field(
        False, description="Also read recordings outside of their table's folder: links, and names that lead there."
    )

    @model_validator(mode="after")
    def _has_a_length_to_keep(self) -> CorpusConfig:
        if self.shortest > self.longest:
            raise contradiction(
                "shortest" if "shortest" in self.model_fields_set else "longest",
                f"no clip is at least {self.shortest:g} and at most {self.longest:g} seconds long",
                "Set corpus.shortest to less than corpus.longest.",
            )
        return self


class TrainingConfig(Section):
    """The loop, whatever is trained."""

    steps: int = Field(2000, ge=1, description="Optimiser steps.")
    minutes: float | None = Field(
        None, gt=0, description="Take no more steps than fit into this many minutes, by the measured time of a step."
    )
    batch: int | Literal["auto"] = Field("auto", description="Clips a step; auto fits memory.")
    accumulate: int = Field(
        1, ge=1, description="Pieces that each batch is computed in, one after another; more need less memory."
    )
    precision: Literal["auto", "fp32", "bf16"] = Field(
        "auto", description="auto is bf16 where the hardware multiplies it natively, else fp32."
    )
    freeze: tuple[str, ...] = Field((), description="Parts that stay as they are, by the names in the graft plan.")
    warmup: int = Field(20, ge=0, description="Steps in which the learning rate rises from 0.")
    decay: Literal["cosine", "exponential", "none"] = Field(
        "cosine", description="How the learning rate falls after the warm-up."
    )
    gradient_clip: float = Field(10.0, gt=0, description="Largest norm of the gradients of each network.")
    ema: float = Field(0.99, ge=0, lt=1, description="Decay of the weight average; 0 turns it off.")
    validate_every: int = Field(200, ge=1, description="Steps between validations.")
    patience: int = Field(5, ge=1, description="Validations without a better one before training stops.")
    plateau: int = Field(
        0, ge=0, description="Validations without a better one after which learning rates fall; 0 leaves that out."
    )
    plateau_factor: float = Field(0.1, gt=0, lt=1, description="What they are multiplied by then.")
    checkpoint_minutes: float = Field(3.0, gt=0, description="Most minutes of work that a kill can lose.")
    keep: int = Field(2, ge=1, description="Checkpoints kept besides best and last.")
    disk_budget_gb: float = Field(10.0, gt=0, description="Most disk that a run's checkpoints take together.")
    workers: int = Field(0, ge=0, description="Processes that load batches; 0 loads in the training process.")
    device: Device = Field("auto", description="auto takes a GPU where there is one.")
    devices: int = Field(1, ge=1, description="Processes that train together on each machine, each on its own device.")
    nodes: int = Field(1, ge=1, description="Machines that train together.")

    @model_validator(mode="after")
    def _has_a_clip_for_each_piece(self) -> TrainingConfig:
        if self.batch != AUTO and self.accumulate > int(self.batch):
            raise contradiction(
                "accumulate",
                f"a batch of {self.batch} clips can't be computed in {self.accumulate} pieces",
                "Set training.accumulate to at most training.batch.",
            )
        return self


class EvaluationConfig(Section):
    """How what speaks is measured, at each validation and at the end."""

    seeds: int = Field(3, ge=1, description="Syntheses of each held-out text.")
    recogniser: PathOrName = Field(
        "auto", description="faster-whisper model folder or name; auto takes an installed one, none does without."
    )
    dnsmos: bool = Field(True, description="Measure DNSMOS too, an estimate of how good speech sounds.")


class RunConfig(Section):
    """One project: from these settings everything else derives.

    A task that an installed package offers has a section too, called as the task is: `config.section("name")`.
    """

    model_config = ConfigDict(extra="allow")

    name: str = Field("voice", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", description="Name of the run and of the voice.")
    output: PathText = Field(".", description="Project folder; runs/ and voices/ are made in it.")
    task: str = Field(
        AUTO,
        description="What is trained: voice, recogniser, acoustic, vocoder, or a task that an installed package offers; auto is what the base "
        "is, and a voice from scratch.",
    )
    base: PathOrName | None = Field(
        None,
        description="`auto` (null too) picks from library and installed voices; or a file, folder, entry or voice "
        "package; `none` is from scratch.",
    )
    language: str | None = Field(None, description="espeak-ng voice of the texts; null takes the base's.")
    voice_type: Annotated[VoiceType | None, VOICES] = Field(
        None, description="M, F or other: the kind of voice that `base: auto` prefers; null is any."
    )
    seed: int = Field(0, ge=0, lt=2**32, description="Seed of every random draw: split, initialisation, sampling.")
    graft: GraftConfig = Field(GraftConfig(), description="How the base becomes the model that is trained.")
    corpus: CorpusConfig = Field(CorpusConfig(), description="Which recordings, and how they are prepared.")
    training: TrainingConfig = Field(TrainingConfig(), description="The loop, whatever is trained.")
    evaluation: Annotated[EvaluationConfig, SPEAKING] = Field(EvaluationConfig(), description="What is measured.")
    voice: VoiceConfig = Field(VoiceConfig(), description="What only a voice has.")
    recogniser: RecogniserConfig = Field(RecogniserConfig(), description="What only a recogniser has.")
    acoustic: AcousticConfig = Field(AcousticConfig(), description="What only a text-to-spec model has.")
    vocoder: VocoderConfig = Field(VocoderConfig(), description="What only a vocoder has.")

    @field_validator("task")
    @classmethod
    def _is_known(cls, task: str) -> str:
        known = (AUTO, *task_names())
        if task not in known:
            raise ValueError(f"must be {', '.join(known[:-1])} or {known[-1]}")
        return task

    @classmethod
    def settings(cls) -> Mapping[str, FieldInfo]:
        """Settings and sections by their names, those of tasks from outside among them."""
        return cls.model_fields | {name: _field_of(name, kind) for name, kind in sections_from_outside().items()}

    @classmethod
    def field(cls, name: str) -> FieldInfo | None:
        """A setting or a section, which may be that of a task from outside; None where there is none of this name."""
        kind = None if name in cls.model_fields else section_of_task(name)
        return cls.model_fields.get(name) if kind is None else _field_of(name, kind)

    def section(self, task: str) -> Section:
        """The settings of a task; the defaults where none are set."""
        if task in self.model_fields_set | set(type(self).model_fields):
            found = getattr(self, task)
            if isinstance(found, Section):
                return found
        kind = section_of_task(task)
        if kind is None:
            raise ConfigError(
                "there is no such task",
                field="task",
                got=task,
                expected=", ".join(task_names()),
                remedy="Choose one of these tasks.",
            )
        return kind()

    if not TYPE_CHECKING:

        def __init__(self, **settings: object) -> None:
            """Build from keyword arguments; a mistake is a ConfigError, as it is in a file."""
            settings = moved(settings)
            outside = {name: value for name, value in settings.items() if name not in type(self).model_fields}
            try:
                super().__init__(**settings | read_outside(outside))
            except ValidationError as fault:
                raise config_error(fault, settings, None, {}, type(self)) from fault


def _field_of(task: str, section: type[Section]) -> FieldInfo:
    return FieldInfo(annotation=section, default=section(), description=f"What only the task {task} has.")
