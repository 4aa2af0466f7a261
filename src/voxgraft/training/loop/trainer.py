"""The Lightning trainer: device and strategy; everything else is ours."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Sequence
from pathlib import Path

import lightning

from voxgraft.config.run import TrainingConfig
from voxgraft.training.loop.device import choose_device


def make_trainer(settings: TrainingConfig, folder: Path, callbacks: Sequence[lightning.Callback]) -> lightning.Trainer:
    """One that only steps: no logger, checkpoints, sanity checks or bars of its own."""
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module="lightning")
    device = choose_device(settings.device)
    return lightning.Trainer(
        accelerator={"cuda": "gpu"}.get(device, device),
        devices=settings.devices,
        strategy="ddp" if settings.devices > 1 else "auto",
        max_epochs=1,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=list(callbacks),
        default_root_dir=str(folder),
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
    )
