"""export_trainer: a checkpoint in a folder of its own, from which Piper's own trainer goes on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from voxgraft.checkpoints import Checkpoint
from voxgraft.export.piper.load import Loaded
from voxgraft.export.piper.metadata import VoiceMetadata
from voxgraft.export.piper.trainer_checkpoint import write_piper_checkpoint
from voxgraft.export.piper.voice import voice_json
from voxgraft.files import write_atomically
from voxgraft.project.run_folder import checkpoint_name

DISCRIMINATOR = "discriminator."


def export_trainer(
    loaded: Loaded, metadata: VoiceMetadata, architecture: Mapping[str, Any], folder: str | Path, judges: Checkpoint
) -> tuple[Path, tuple[str, ...]]:
    """Write FOLDER/VOICE/epoch=E-step=S.ckpt with its config.json; returns its path and what the user should know.

    `judges` is where trained discriminators may be: the same checkpoint, or the run's last.
    Raises ExportError where a part that only training uses is missing.
    """
    epoch, step = metadata.epoch or 0, metadata.step or 0
    home = Path(folder) / metadata.voice_name
    path = home / checkpoint_name(epoch, step)
    notes = write_piper_checkpoint(
        path,
        loaded.tensors,
        _discriminator(judges),
        replace(metadata, epoch=epoch, step=step),
        architecture,
        epoch=epoch,
        step=step,
    )
    write_atomically(home / "config.json", voice_json(metadata))
    return path, notes


def _discriminator(judges: Checkpoint) -> dict[str, Any] | None:
    import torch

    names = [name for name in judges.tensors if name.startswith(DISCRIMINATOR)]
    return {
        name.removeprefix(DISCRIMINATOR): torch.from_numpy(np.array(judges.tensors[name], dtype=np.float32))
        for name in names
    } or None
