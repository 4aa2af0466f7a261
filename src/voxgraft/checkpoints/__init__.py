"""Checkpoints of any kind, opened safely, quickly and without torch."""

from voxgraft.checkpoints.checkpoint import Checkpoint, Provenance
from voxgraft.checkpoints.detect import Reader, open_checkpoint

__all__ = ["Checkpoint", "Provenance", "Reader", "open_checkpoint"]
