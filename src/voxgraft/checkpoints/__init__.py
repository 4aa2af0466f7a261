"""Checkpoints of any kind, opened safely, quickly and without torch."""

from voxgraft.checkpoints.candidate import Candidate
from voxgraft.checkpoints.checkpoint import Checkpoint, Provenance
from voxgraft.checkpoints.detect import Reader, open_checkpoint
from voxgraft.checkpoints.library import resolve

__all__ = ["Candidate", "Checkpoint", "Provenance", "Reader", "open_checkpoint", "resolve"]
