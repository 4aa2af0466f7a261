"""The keyword arguments of `models.vocoders.hifigan.HifiGan`, read off the shapes of its tensors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from voxgraft.architectures.dimensions.upsampler import Shapes, kernel_name, shape_of, upsampler_architecture


def hifigan_architecture(shapes: Shapes, recorded: Mapping[str, Any] | None = None) -> tuple[dict[str, Any], list[str]]:
    """Keyword arguments for canonical names, and notes on what was assumed.

    `recorded` may hold `upsample_rates` and `resblock_dilation_sizes`. Raises CheckpointError where a part is absent.
    """
    notes: list[str] = []
    pre, post = kernel_name(shapes, "generator.conv_pre"), kernel_name(shapes, "generator.conv_post")
    shape_of(shapes, post, 3)
    # Where all is folded, no name tells any more which convolutions had weight norm: the authors' have it everywhere.
    folded = not kernel_name(shapes, "generator.ups.0").endswith("_v")
    architecture: dict[str, Any] = {
        "mels": shape_of(shapes, pre, 3)[1],
        **upsampler_architecture(shapes, "generator.", recorded or {}, notes),
        "normed_ends": folded or post.endswith("_v"),
        "post_bias": "generator.conv_post.bias" in shapes,
    }
    return architecture, notes
