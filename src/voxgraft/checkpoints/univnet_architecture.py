"""The keyword arguments of a UnivNet generator, read off the shapes of its tensors."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from voxgraft.errors import CheckpointError

Shapes = Mapping[str, tuple[int, ...]]

# What no shape tells, by implementation: leaky slopes, padding at both ends, where a kernel predictor's residuals end.
AUTHORS = {"slope": 0.2, "kernel_slope": 0.2, "post_slope": 0.2, "padding": "reflect", "joint_residual": False}
COQUI = {"slope": 0.2, "kernel_slope": 0.1, "post_slope": 0.1, "padding": "zeros", "joint_residual": True}
_DAMAGED = "The file is damaged or incomplete: copy or download it again."


def univnet_architecture(shapes: Shapes, implementation: Mapping[str, Any]) -> dict[str, Any]:
    """Keyword arguments of `models.vocoders.univnet.UnivNet` for canonical names.

    Dilations are powers of 3, as in every implementation. Raises CheckpointError where a part is absent.
    """
    pre = _kernel(shapes, "generator.conv_pre")
    _kernel(shapes, "generator.conv_post.1")
    stages = _count(shapes, r"generator\.res_stack\.(\d+)\.")
    blocks = _count(shapes, r"generator\.res_stack\.0\.conv_blocks\.(\d+)\.")
    upsampling = [_kernel(shapes, f"generator.res_stack.{i}.convt_pre.1") for i in range(stages)]
    predictor = "generator.res_stack.0.kernel_predictor"
    entry, residual = _kernel(shapes, f"{predictor}.input_conv.0"), _kernel(shapes, f"{predictor}.residual_convs.0.1")
    return {
        "mels": entry[1],
        "noise_channels": pre[1],
        "channels": pre[0],
        "strides": tuple(shape[2] // 2 for shape in upsampling),
        "dilations": tuple(3**i for i in range(blocks)),
        "kernel_size": _kernel(shapes, "generator.res_stack.0.conv_blocks.0.1")[2],
        "predictor_channels": entry[0],
        "predictor_kernel": residual[2],
        "upsample_weight_norm": "generator.res_stack.0.convt_pre.1.weight" not in shapes,
        **implementation,
    }


def _kernel(shapes: Shapes, module: str) -> tuple[int, ...]:
    """The shape of a convolution's kernel, with its weight norm folded or not."""
    name = f"{module}.weight" if f"{module}.weight" in shapes else f"{module}.weight_v"
    shape = shapes.get(name)
    if shape is None or len(shape) != 3 or not all(shape):
        raise CheckpointError(
            "this is no complete UnivNet",
            field=name,
            expected="a tensor of 3 dimensions",
            got=list(shape) if shape else "nothing",
            remedy=_DAMAGED,
        )
    return shape


def _count(shapes: Shapes, pattern: str) -> int:
    return len({match[1] for name in shapes if (match := re.match(pattern, name))})
