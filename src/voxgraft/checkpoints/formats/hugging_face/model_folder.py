"""ModelFolder: a config.json, the weights that it describes and what else stands beside them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from voxgraft.checkpoints.checkpoint import Provenance
from voxgraft.checkpoints.containers.tensor_store import LazyTensor, TensorStore
from voxgraft.checkpoints.containers.weight_files import Weights, open_weights, weights_of_folder
from voxgraft.checkpoints.model_card import ModelCard, card_beside
from voxgraft.checkpoints.source import CheckpointSource
from voxgraft.errors import CheckpointError
from voxgraft.json_file import read_json, read_object

CONFIG = "config.json"
FORMAT = "hugging-face"
# Trainer's files -> what of a training they hold.
_TRAINING = {
    "optimizer.pt": "optimiser",
    "scheduler.pt": "scheduler",
    "rng_state.pth": "random state",
    "scaler.pt": "scaler",
    "trainer_state.json": "trainer state",
}


@dataclass(frozen=True)
class ModelFolder:
    """`path` is what was given: the folder, or the file with weights in it."""

    path: Path
    files: Mapping[str, Path]
    config: Mapping[str, Any]
    weights: Weights
    _documents: dict[str, dict[str, Any]] = field(default_factory=dict, repr=False)

    @property
    def kind(self) -> str:
        """What `transformers` calls the kind of model."""
        kind = self.config.get("model_type")
        return kind if isinstance(kind, str) else ""

    def document(self, name: str) -> dict[str, Any]:
        """A JSON object beside the weights; empty where there is no such file. Raises CheckpointError."""
        if name not in self._documents:
            self._documents[name] = read_object(self.files[name]) if name in self.files else {}
        return self._documents[name]

    @cached_property
    def card(self) -> ModelCard:
        """What its maker says about it."""
        return card_beside(self.files[CONFIG])

    @property
    def notes(self) -> tuple[str, ...]:
        """What was noticed while opening it."""
        return (*self.weights.notes, *self.card.notes)

    def provenance(self, format: str = FORMAT) -> Provenance:
        """Where it came from; hashes the weights."""
        return Provenance(
            path=self.path,
            format=format,
            sha256=self.weights.sha256(),
            licence=self.card.licence,
            source=self.card.source,
            dataset=", ".join(self.card.datasets) or None,
            unsafe_globals=self.weights.unsafe_globals,
        )

    def with_weights(self, weights: Weights) -> ModelFolder:
        """The same folder with other weights."""
        return replace(self, weights=weights)

    def store(self, tensors: Mapping[str, LazyTensor]) -> TensorStore:
        """Tensors under canonical names."""
        return TensorStore(tensors, self.weights.files[-1] if len(self.weights.files) == 1 else self.path)

    def training(self) -> dict[str, Any]:
        """`epoch`, `step`, `learning_rate` and `training_state`, where a Trainer left them beside the weights."""
        state = self.document("trainer_state.json")
        step, epoch = state.get("global_step"), state.get("epoch")
        history = state.get("log_history")
        logged = [entry for entry in history if isinstance(entry, dict)] if isinstance(history, list) else []
        rates = [entry["learning_rate"] for entry in logged if isinstance(entry.get("learning_rate"), float)]
        return {
            "epoch": int(epoch) if isinstance(epoch, int | float) and math.isfinite(epoch) and epoch >= 0 else None,
            "step": step if type(step) is int and step >= 0 else None,
            "learning_rate": rates[-1] if rates else None,
            "training_state": {what: name for name, what in _TRAINING.items() if name in self.files} or None,
        }


def stated_config(candidate: CheckpointSource) -> dict[str, Any] | None:
    """The config.json of such a model in or beside a candidate; None where there is none, or it is someone else's."""
    path = _files(candidate).get(CONFIG)
    if path is None:
        return None
    try:
        config = read_object(path)
    except CheckpointError:
        return None
    kind = config.get("model_type")
    ours = isinstance(kind, str) and kind and ("architectures" in config or "transformers_version" in config)
    return config if ours else None


def has_unreadable_config(candidate: CheckpointSource) -> bool:
    """Whether a config.json is there that is no JSON at all, such as the page of a site that asks to sign in."""
    path = _files(candidate).get(CONFIG)
    if path is None:
        return False
    try:
        read_json(path, comments=True)
    except CheckpointError:
        return True
    return False


def _files(candidate: CheckpointSource) -> dict[str, Path]:
    """name -> file in the folder, or in the one that the file stands in."""
    folder = candidate if candidate.path.is_dir() else CheckpointSource(candidate.path.absolute().parent)
    return {path.name: path for path in folder.files}


def open_model_folder(candidate: CheckpointSource) -> ModelFolder:
    """The configuration and the weights. Raises CheckpointError where either is absent or damaged."""
    files = _files(candidate)
    if CONFIG not in files:
        raise CheckpointError(f"{CONFIG} is not there", file=candidate.path, remedy="Put it beside the weights.")
    weights = open_weights(candidate.path) if candidate.path.is_file() else weights_of_folder(files)
    if weights is None:
        raise CheckpointError(
            "there are no weights beside config.json",
            file=candidate.path,
            expected="model.safetensors or pytorch_model.bin",
            remedy="Download the folder again, whole.",
        )
    if not weights.tensors:
        raise CheckpointError("there are no tensors in it", file=weights.files[0], remedy="Download it again.")
    return ModelFolder(candidate.path, files, read_object(files[CONFIG]), weights)
