"""The recognisers that can be trained: how a family's module is built, and what its tensors are called in checkpoints.

A module is any `nn.Module` with `forward(features [B, T, C], lengths [B]) -> logits [B, T', S]`, S symbols with the
blank among them, and `output_lengths(lengths [B]) -> [B]`. Another family is one more line of NETWORKS.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from voxgraft.architectures.names.deepspeech import (
    canonical_shapes,
    conversions,
    tensors_for_module,
    tensors_from_module,
)
from voxgraft.audio.mfcc import MfccSpec
from voxgraft.audio.recogniser_features import FeatureSpec
from voxgraft.audio.recogniser_specs import WAV2VEC2, fastconformer_spec, whisper_spec
from voxgraft.checkpoints.checkpoint import Checkpoint, Tensors
from voxgraft.errors import CheckpointError
from voxgraft.models.ctc.deepspeech import DeepSpeech
from voxgraft.models.ctc.fastconformer import FastConformerCtc
from voxgraft.models.ctc.wav2vec2 import Wav2Vec2Ctc
from voxgraft.models.ctc.whisper_encoder import WhisperCtc
from voxgraft.models.unfilled import unfilled

Architecture = Mapping[str, Any]
Shapes = dict[str, tuple[int, ...]]


@dataclass(frozen=True)
class Network:
    """A family's module; an output comes every `subsampling` frames of features. `canonical` and `native` translate a
    whole state; `sources` names the canonical tensor that each parameter of the module is made of. `features` are what
    it hears where a base does not say."""

    build: Callable[[Architecture], nn.Module]
    shapes: Callable[[Architecture], Shapes]
    canonical: Callable[[Mapping[str, np.ndarray], Architecture], dict[str, np.ndarray]]
    native: Callable[[Tensors, Architecture], dict[str, np.ndarray]]
    sources: Callable[[Architecture], dict[str, str]]
    features: FeatureSpec
    subsampling: int = 1


def build_network(family: str, architecture: Architecture, seed: int = 0) -> nn.Module:
    """A module with its own initialisation, the same for the same seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return NETWORKS[family].build(architecture)


def canonical_state(family: str, module: nn.Module, architecture: Architecture) -> dict[str, np.ndarray]:
    """The module's weights under canonical names, float32 arrays of their own."""
    state = {name: tensor.detach().float().cpu().numpy().copy() for name, tensor in module.state_dict().items()}
    return NETWORKS[family].canonical(state, architecture)


def load_canonical(family: str, module: nn.Module, tensors: Tensors, architecture: Architecture) -> None:
    """Write canonical tensors into a module: all of them, every shape as it must be."""
    state = NETWORKS[family].native(tensors, architecture)
    module.load_state_dict({name: torch.from_numpy(np.array(array, np.float32)) for name, array in state.items()})


def require_consistent(checkpoint: Checkpoint) -> None:
    """CheckpointError where a checkpoint's architecture is not that of its tensors, before anything of its size is made."""
    # An encoder without a head states no labels: any number will do, since it has no tensor to compare.
    stated = {"symbols": 1, **checkpoint.architecture}
    wanted, found = NETWORKS[checkpoint.family].shapes(stated), checkpoint.shapes
    odd = next((name for name in wanted if name in found and found[name] != wanted[name]), None)
    if odd is not None or not wanted.keys() & found.keys():
        raise CheckpointError(
            "the architecture that it states is not that of its tensors",
            file=checkpoint.provenance.path,
            field=odd,
            expected=list(wanted[odd]) if odd is not None else "tensors of this family",
            got=list(found[odd]) if odd is not None else "none",
            remedy="The file is damaged: get it again.",
        )


def _deepspeech_keywords(architecture: Architecture) -> dict[str, Any]:
    known = ("symbols", "n_hidden", "n_input", "n_context", "dropout", "relu_clip", "layer_norm")
    return {name: architecture[name] for name in known if name in architecture}


def _deepspeech_shapes(architecture: Architecture) -> Shapes:
    unshaped = ("dropout", "relu_clip")
    return canonical_shapes(**{k: v for k, v in _deepspeech_keywords(architecture).items() if k not in unshaped})


def _layer_norm(architecture: Architecture) -> bool:
    return bool(architecture.get("layer_norm", False))


def _named_canonically(module: type[nn.Module], features: FeatureSpec, subsampling: int) -> Network:
    """A family whose module has canonical names for its parameters, and an architecture's names for its keywords."""
    known = set(inspect.signature(module).parameters)

    def build(architecture: Architecture) -> nn.Module:
        return module(**{name: value for name, value in architecture.items() if name in known})

    def shapes(architecture: Architecture) -> Shapes:
        with unfilled():
            return {name: tuple(tensor.shape) for name, tensor in build(architecture).state_dict().items()}

    return Network(
        build=build,
        shapes=shapes,
        canonical=lambda state, _: dict(state),
        native=lambda tensors, architecture: _selected(tensors, shapes(architecture)),
        sources=lambda architecture: {name: name for name in shapes(architecture)},
        features=features,
        subsampling=subsampling,
    )


def _selected(tensors: Tensors, shapes: Shapes) -> dict[str, np.ndarray]:
    """The tensors of these shapes, whatever there is besides, such as a decoder. Raises CheckpointError."""
    found = {}
    for name, shape in shapes.items():
        # A count of batches, which nothing is computed from.
        if name not in tensors and not shape:
            found[name] = np.zeros((), np.float32)
            continue
        array = tensors.get(name)
        if array is None or array.shape != shape:
            raise CheckpointError(
                "a tensor is absent" if array is None else "a tensor of another model",
                field=name,
                expected=list(shape),
                got=None if array is None else list(array.shape),
                remedy="The weights are damaged: get the file again.",
            )
        found[name] = array
    return found


NETWORKS: dict[str, Network] = {
    "deepspeech": Network(
        build=lambda architecture: DeepSpeech(**_deepspeech_keywords(architecture)),
        shapes=_deepspeech_shapes,
        canonical=lambda state, architecture: tensors_from_module(state, _layer_norm(architecture)),
        native=lambda tensors, architecture: tensors_for_module(
            _selected(tensors, _deepspeech_shapes(architecture)), _layer_norm(architecture)
        ),
        sources=lambda architecture: {made.name: made.source for made in conversions(_layer_norm(architecture))},
        features=MfccSpec(),
    ),
    "fastconformer": _named_canonically(FastConformerCtc, fastconformer_spec(80), subsampling=8),
    "wav2vec2": _named_canonically(Wav2Vec2Ctc, WAV2VEC2, subsampling=320),
    "whisper": _named_canonically(WhisperCtc, whisper_spec(80), subsampling=2),
}
