"""Projects of vocoders so small that a run takes a second: EveryVoice's tiny HiFi-GAN, or a network from scratch, and tones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests import paths
from tests.training.tasks.vits.tiny_project import corpus

from voxgraft.config.run import RunConfig, TrainingConfig
from voxgraft.corpus.importers import import_corpus
from voxgraft.project.run_folder import MANIFEST

EVERYVOICE = paths.FIXTURES / "everyvoice"
BASE = EVERYVOICE / "spec-to-wav.ckpt"
TINY = {"sample_rate": 16000, "n_fft": 128, "hop": 32, "win": 128, "n_mels": 8, "fmax": 8000}


def settings(folder: Path, base: Path | str = BASE, **given: Any) -> dict[str, Any]:
    """Settings of a run of a few steps; what is given goes to the loop's, or to those of the vocoder."""
    of_loop = {name: value for name, value in given.items() if name in TrainingConfig.model_fields}
    return {
        "name": "tiny",
        "task": "vocoder",
        "output": str(folder),
        "base": str(base),
        "corpus": {"validation": 1, "loudness": None, "trim": False},
        "training": {
            "steps": 4,
            "batch": 3,
            "precision": "fp32",
            "validate_every": 100,
            "device": "cpu",
            **of_loop,
        },
        "vocoder": {
            "segment": 2048,
            "discriminator": "light",
            "discriminator_warmup": 0,
            "spectrogram": TINY if base == "none" else {},
            **{name: value for name, value in given.items() if name not in of_loop},
        },
    }


def project(folder: Path, base: Path | str = BASE, **given: Any) -> RunConfig:
    """A project with imported recordings, ready to train."""
    import_corpus(corpus(folder / "recordings")).write(folder / MANIFEST)
    return RunConfig(**settings(folder, base, **given))
