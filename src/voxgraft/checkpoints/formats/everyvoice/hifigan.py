"""What an EveryVoice HiFi-GAN is: the generator's keywords, and whether it ends in an inverse Fourier transform."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from voxgraft.architectures.dimensions.hifigan import hifigan_architecture
from voxgraft.architectures.dimensions.upsampler import Shapes, kernel_name
from voxgraft.checkpoints.formats.everyvoice.settings import section, whole

_ACTIVATION = "everyvoice.utils.original_hifigan_leaky_relu"
# The transform takes a hop of a quarter of its points.
_HOPS = 4


def hifigan_facts(shapes: Shapes, config: Mapping[str, Any], notes: list[str]) -> tuple[dict[str, Any], str]:
    """Keyword arguments and the variant: `everyvoice`, or `everyvoice-istft`, whose last layer gives a spectrum."""
    model = section(config, "model")
    architecture, found = hifigan_architecture(shapes, model)
    notes += found + _contradictions(architecture, model)
    outputs = shapes[kernel_name(shapes, "generator.conv_post")][0]
    transforms = outputs > 1
    if bool(model.get("istft_layer", transforms)) != transforms:
        notes.append(
            f"configuration says istft_layer={model['istft_layer']}, the tensors say {transforms}: the tensors win"
        )
    activation = model.get("activation_function", _ACTIVATION)
    if activation != _ACTIVATION:
        notes.append(
            f"its activation is {str(activation)[:120]}, not the leaky ReLU of HiFi-GAN: it sounds wrong with that"
        )
    points = outputs - 2 if transforms else 0
    if transforms:
        architecture["istft_points"] = points
        notes.append(f"its last layer gives magnitude and phase of a Fourier transform of {points} points (iSTFT)")
    _check_hop(architecture, points // _HOPS if transforms else 1, config, notes)
    return architecture, "everyvoice-istft" if transforms else "everyvoice"


def _contradictions(architecture: Mapping[str, Any], model: Mapping[str, Any]) -> list[str]:
    stated = {
        "resblock": "resblock",
        "resblock_kernels": "resblock_kernel_sizes",
        "upsample_initial_channel": "upsample_initial_channel",
        "upsample_kernels": "upsample_kernel_sizes",
    }
    notes = []
    for ours, theirs in stated.items():
        said = model.get(theirs, architecture[ours])
        said = tuple(said) if isinstance(said, list) else said
        if said != architecture[ours]:
            notes.append(
                f"configuration says {theirs}={str(said)[:60]}, the tensors say {architecture[ours]}: the tensors win"
            )
    return notes


def _check_hop(architecture: Mapping[str, Any], transform: int, config: Mapping[str, Any], notes: list[str]) -> None:
    """A frame must become as many samples as it was made of, or a multiple where it speaks at a higher rate."""
    audio = section(config, "preprocessing", "audio")
    hop, made = whole(audio, "fft_hop_size", 0), math.prod(architecture["upsample_rates"]) * transform
    reads, speaks = whole(audio, "input_sampling_rate", 0), whole(audio, "output_sampling_rate", 0)
    if hop and reads and speaks and made != hop * speaks // reads:
        notes.append(f"a frame becomes {made} samples, but its configuration asks for {hop * speaks // reads}")
