"""The committed outputs of Piper's own networks, and ours with the same weights."""

from __future__ import annotations

import numpy as np
import torch
from tests import paths
from torch import nn

from voxgraft.models.vits import Vits

FOLDER = paths.FIXTURES / "piper_pass"
SEED = 7
DILATIONS = {"1": ((1, 3, 5), (1, 3, 5)), "2": ((1, 2), (2, 6))}
NETWORKS = {"single": (1, "2", True), "multi": (3, "1", True), "plain": (1, "2", False)}


def tiny_vits(speakers: int = 1, resblock: str = "2", stochastic: bool = True) -> Vits:
    """Ours at the size of the fixtures."""
    return Vits(
        symbols=24, spec_channels=33, inter_channels=8, hidden_channels=8, filter_channels=16, heads=2, layers=2,
        kernel_size=3, dropout=0.1, resblock=resblock, resblock_kernels=(3, 5), resblock_dilations=DILATIONS[resblock],
        upsample_rates=(4, 2), upsample_initial_channel=16, upsample_kernels=(8, 4), speakers=speakers,
        gin_channels=6 if speakers > 1 else 0, stochastic_duration=stochastic,
    )  # fmt: skip


def restored(name: str) -> tuple[Vits, dict[str, torch.Tensor]]:
    """Our network with Piper's weights in evaluation mode, and what went in and came out of Piper's."""
    with np.load(FOLDER / f"{name}.npz") as file:
        arrays = {key: torch.from_numpy(file[key]) for key in file}
    model = tiny_vits(*NETWORKS[name])
    model.load_state_dict({key[2:]: value for key, value in arrays.items() if key.startswith("w.")})
    return model.eval(), {key: value for key, value in arrays.items() if not key.startswith("w.")}


def training_inputs(arrays: dict[str, torch.Tensor], speakers: int = 1) -> tuple[torch.Tensor | None, ...]:
    """Positional arguments of `Vits.forward`."""
    names = ("ids", "lengths", "spectrogram", "spectrogram_lengths")
    return (*(arrays[name] for name in names), arrays["speaker"] if speakers > 1 else None)


def numbered_weights(model: nn.Module) -> None:
    """The weights that `make_piper_pass.py` gave Piper's discriminators."""
    generator = np.random.default_rng(SEED)
    for name, parameter in sorted(model.named_parameters()):
        values = torch.from_numpy(generator.standard_normal(parameter.shape, np.float32))
        parameter.data = 1 + 0.1 * values if name.endswith("weight_g") else 0.1 * values
