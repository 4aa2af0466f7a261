"""Model: what a recogniser's run trains, as checkpoints describe it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from voxgraft.audio.recogniser_features import FeatureSpec
from voxgraft.checkpoints.formats.voxgraft.metadata import read_metadata
from voxgraft.config.run import RunConfig
from voxgraft.corpus.transcript_spec import TranscriptSpec, transcript_spec_for
from voxgraft.graft.graft import Graft
from voxgraft.inference.recogniser.labels import Labels
from voxgraft.models.ctc.networks import NETWORKS
from voxgraft.text.symbols import SymbolTable
from voxgraft.training.tasks.ctc.examples import Example

# DeepSpeech's layers are wide for what a small corpus holds; encoders with attention ask for less.
DROPOUT: Mapping[str, float] = {"deepspeech": 0.2, "wav2vec2": 0.1, "whisper": 0.1, "fastconformer": 0.1}
USUAL_DROPOUT = 0.1


@dataclass(frozen=True)
class Model:
    """Family, keywords of its module, symbols, what it hears and what its outputs write."""

    family: str
    architecture: dict[str, Any]
    symbols: SymbolTable
    features: FeatureSpec
    labels: Labels

    def transcript_spec(self, config: RunConfig) -> TranscriptSpec:
        """What it hears and writes, as far as recordings must fit it."""
        return transcript_spec_for(self.symbols, self.family, self.architecture, self.features, config.recogniser.text)


def model_of(graft: Graft, config: RunConfig) -> Model:
    """What a graft becomes, with the dropout of the settings."""
    target, base, dropout = graft.target, graft.base, config.recogniser.dropout
    hearing = (base.features or base.audio) if base is not None else None
    assert target.symbols is not None
    usual = DROPOUT.get(target.family, USUAL_DROPOUT)
    architecture = dict(target.architecture) | {"dropout": usual if dropout is None else dropout}
    features = hearing or NETWORKS[target.family].features
    return Model(target.family, architecture, target.symbols, features, Labels.of(target.symbols))


def model_in(content: Mapping[str, Any], path: Path) -> Model:
    """What a run's checkpoint holds. Raises CheckpointError where it does not say."""
    known = read_metadata(content["voxgraft"], path)
    hearing = known.features or known.audio
    assert known.symbols is not None
    assert hearing is not None
    return Model(known.family, dict(known.architecture), known.symbols, hearing, Labels.of(known.symbols))


def onto(graft: Graft, model: Model) -> Graft:
    """The same graft onto a module with the model's dropout."""
    return replace(graft, target=replace(graft.target, architecture=model.architecture))


def start_from_scratch(network: Any, examples: Sequence[Example], seed: int) -> None:
    """Let a network that starts from nothing know what its features are like."""
    sample = np.concatenate([example.heard.features for example in examples[:: max(1, len(examples) // 200)]])
    deviation = np.maximum(sample.std(axis=0), 1e-3)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network.start_from_scratch(torch.from_numpy(sample.mean(axis=0)), torch.from_numpy(deviation))
