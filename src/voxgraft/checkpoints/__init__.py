"""Checkpoints of any kind, opened safely, quickly and without torch."""

from voxgraft.checkpoints.candidate import Candidate
from voxgraft.checkpoints.checkpoint import Checkpoint, Provenance
from voxgraft.checkpoints.open import Reader, open_checkpoint

__all__ = ["Candidate", "Checkpoint", "Provenance", "Reader", "open_checkpoint"]
