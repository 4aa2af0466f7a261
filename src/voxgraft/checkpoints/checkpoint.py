"""Checkpoint: what every reader returns and the only thing that later stages see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from voxgraft.architectures.dimensions.vits import Obstacle, unplaced_conditioning
from voxgraft.architectures.families import family_of
from voxgraft.audio.mfcc import MfccSpec
from voxgraft.audio.spec import AudioSpec
from voxgraft.checkpoints.containers.tensor_store import TensorStore
from voxgraft.text.symbols import SymbolTable

Tensors = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Provenance:
    """Where a checkpoint came from. `unsafe_globals` are the names that a naive loader would have imported, `statements`
    what its maker says in the file: whom to ask, whose permission there is."""

    path: Path
    format: str
    sha256: str
    licence: str | None = None
    source: str | None = None
    dataset: str | None = None
    unsafe_globals: tuple[str, ...] = ()
    statements: tuple[str, ...] = ()


@dataclass(frozen=True)
class Checkpoint:
    """A trained model, whatever file it came in.

    `tensors` is lazy: name -> array in the family's canonical names (for `vits`: the original generator names,
    `discriminator.` before those of the discriminators). `architecture` holds the keyword arguments of the model.
    `inference` holds the voice's own `noise_scale length_scale noise_w`. `missing` names the parts a full training
    checkpoint would have and this one lacks. `variant` tells implementations of a family apart (`coqui`, `mms`).
    `learning_rate` is the one that the file records. `notes` are contradictions that were found and how they were settled.
    `config` is the file's own configuration (for Piper voices the .onnx.json) as plain data. `features` are what a
    recogniser hears where that is no spectrogram (`audio`). `obstacle` is what the file states that voxgraft's network can't.
    """

    family: str
    architecture: Mapping[str, Any]
    tensors: Tensors
    provenance: Provenance
    symbols: SymbolTable | None = None
    audio: AudioSpec | None = None
    variant: str | None = None
    quality: str | None = None
    speakers: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    epoch: int | None = None
    step: int | None = None
    learning_rate: float | None = None
    training_state: Mapping[str, Any] | None = None
    inference: Mapping[str, float] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    config: Mapping[str, Any] = field(default_factory=dict)
    features: MfccSpec | None = None
    obstacle: Obstacle | None = None

    @property
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """name -> shape of every tensor; reads no values where they lie on disk."""
        if isinstance(self.tensors, TensorStore):
            return self.tensors.shapes
        return {name: tuple(array.shape) for name, array in self.tensors.items()}

    @property
    def network_obstacle(self) -> Obstacle | None:
        """Why voxgraft's network can't be this model's; None where it can. The one answer for inspecting, planning, training
        and exporting."""
        if self.obstacle is not None:
            return self.obstacle
        why = family_of(self.family).unlike.get(self.variant or "")
        if why is not None:
            return Obstacle("variant", why, "Take another base.")
        return unplaced_conditioning(self.shapes) if self.family == "vits" else None
