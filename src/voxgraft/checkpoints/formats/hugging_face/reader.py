"""Folders of Hugging Face's `transformers`: config.json, weights and a vocabulary; or the weights in such a folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from voxgraft.checkpoints.checkpoint import Checkpoint
from voxgraft.checkpoints.containers.safetensors import is_safetensors, open_safetensors
from voxgraft.checkpoints.containers.weight_files import NAMES
from voxgraft.checkpoints.formats.hugging_face import parakeet, vits, wav2vec2, whisper
from voxgraft.checkpoints.formats.hugging_face.model_folder import (
    FORMAT,
    ModelFolder,
    has_unreadable_config,
    open_model_folder,
    stated_config,
)
from voxgraft.checkpoints.formats.voxgraft.metadata import KEY
from voxgraft.checkpoints.source import CheckpointSource
from voxgraft.errors import CheckpointError

__all__ = ["BEFORE", "FORMAT", "read", "recognises"]

BEFORE = {
    "voxgraft-safetensors": "its weights are safetensors too, and without our header config.json says what they are"
}

# `model_type` in config.json -> what reads it.
KINDS: dict[str, Callable[[ModelFolder], Checkpoint]] = {
    "vits": vits.read,
    "wav2vec2": wav2vec2.read,
    "whisper": whisper.read,
    "parakeet_ctc": parakeet.read,
}


def recognises(candidate: CheckpointSource) -> bool:
    """True for a folder with such a config.json and weights, and for weights of no other maker beside such a config.json."""
    if candidate.path.is_dir():
        weights = any(name in candidate.names for name in NAMES)
        return weights and (stated_config(candidate) is not None or has_unreadable_config(candidate))
    if is_safetensors(candidate.head):
        described = stated_config(candidate) is not None or has_unreadable_config(candidate)
        return described and not _is_ours(candidate.path)
    return candidate.head[:2] in (b"PK", b"\x80\x02") and stated_config(candidate) is not None


def _is_ours(path: Path) -> bool:
    try:
        return KEY in open_safetensors(path).metadata
    except CheckpointError:
        return False


def read(candidate: CheckpointSource) -> Checkpoint:
    """Read the model by its kind. Raises CheckpointError for a kind that is of no use here."""
    folder = open_model_folder(candidate)
    reader = KINDS.get(folder.kind)
    if reader is None:
        raise CheckpointError(
            "a Hugging Face model of a kind that can't be read here",
            file=candidate.path,
            field="model_type",
            expected=", ".join(KINDS),
            got=folder.kind[:60],
            remedy="Give one of these.",
        )
    return reader(folder)
