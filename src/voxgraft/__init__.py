"""voxgraft bootstraps speech models from pre-trained checkpoints."""

__version__ = "0.1.0"
