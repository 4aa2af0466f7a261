"""Checkpoints of any kind, opened safely, quickly and without torch."""

from voxgraft.checkpoints.checkpoint import Checkpoint, Provenance
from voxgraft.checkpoints.open import Reader, open_checkpoint
from voxgraft.checkpoints.source import CheckpointSource

__all__ = ["Checkpoint", "CheckpointSource", "Provenance", "Reader", "open_checkpoint"]
