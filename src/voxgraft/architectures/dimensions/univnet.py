"""The keyword arguments of a UnivNet generator, read off the shapes of its tensors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from voxgraft.architectures.dimensions.upsampler import Shapes, count_of, kernel_name, shape_of

# What no shape tells, by implementation: leaky slopes, padding at both ends, where a kernel predictor's residuals end.
AUTHORS = {"slope": 0.2, "kernel_slope": 0.2, "post_slope": 0.2, "padding": "reflect", "joint_residual": False}
COQUI = {"slope": 0.2, "kernel_slope": 0.1, "post_slope": 0.1, "padding": "zeros", "joint_residual": True}

_EDGE_KERNEL = 7
_ENTRY_KERNEL = 5
_RESIDUALS = 3


def univnet_architecture(shapes: Shapes, implementation: dict[str, Any]) -> dict[str, Any]:
    """Keyword arguments of `models.vocoders.univnet.UnivNet` for canonical names.

    Dilations are powers of 3, as in every implementation. Raises CheckpointError where a part is absent.
    """
    stages = max(count_of(shapes, r"generator\.res_stack\.(\d+)\."), 1)
    blocks = count_of(shapes, r"generator\.res_stack\.0\.conv_blocks\.(\d+)\.")
    upsampling = [_kernel(shapes, f"generator.res_stack.{i}.convt_pre.1") for i in range(stages)]
    pre = _kernel(shapes, "generator.conv_pre")
    predictor = "generator.res_stack.0.kernel_predictor"
    entry = _kernel(shapes, f"{predictor}.input_conv.0")
    return {
        "mels": entry[1],
        "noise_channels": pre[1],
        "channels": pre[0],
        "strides": tuple(shape[2] // 2 for shape in upsampling),
        "dilations": tuple(3**i for i in range(blocks)),
        "kernel_size": _kernel(shapes, "generator.res_stack.0.conv_blocks.0.1")[2],
        "predictor_channels": entry[0],
        "predictor_kernel": _kernel(shapes, f"{predictor}.residual_convs.0.1")[2],
        "upsample_weight_norm": "generator.res_stack.0.convt_pre.1.weight" not in shapes,
        **implementation,
    }


def generator_shapes(architecture: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    """Name -> shape of every tensor of a generator of this architecture, its weight norm folded."""
    shapes: dict[str, tuple[int, ...]] = {}
    for module, kernel, biases in _convolutions(architecture):
        shapes[f"generator.{module}.weight"] = kernel
        shapes[f"generator.{module}.bias"] = (biases,)
    return shapes


def _convolutions(architecture: dict[str, Any]) -> Iterator[tuple[str, tuple[int, ...], int]]:
    """(module, shape of its kernel, how many biases it has)."""
    channels, size = architecture["channels"], architecture["kernel_size"]
    hidden, hidden_kernel = architecture["predictor_channels"], architecture["predictor_kernel"]
    layers = len(architecture["dilations"])
    yield "conv_pre", (channels, architecture["noise_channels"], _EDGE_KERNEL), channels
    yield "conv_post.1", (1, channels, _EDGE_KERNEL), 1
    for stage, stride in enumerate(architecture["strides"]):
        block = f"res_stack.{stage}"
        predictor = f"{block}.kernel_predictor"
        yield f"{block}.convt_pre.1", (channels, channels, 2 * stride), channels
        yield f"{predictor}.input_conv.0", (hidden, architecture["mels"], _ENTRY_KERNEL), hidden
        for residual in range(_RESIDUALS):
            for index in (1, 3):
                yield f"{predictor}.residual_convs.{residual}.{index}", (hidden, hidden, hidden_kernel), hidden
        kernels = layers * channels * 2 * channels * size
        yield f"{predictor}.kernel_conv", (kernels, hidden, hidden_kernel), kernels
        yield f"{predictor}.bias_conv", (layers * 2 * channels, hidden, hidden_kernel), layers * 2 * channels
        for layer in range(layers):
            yield f"{block}.conv_blocks.{layer}.1", (channels, channels, size), channels


def _kernel(shapes: Shapes, module: str) -> tuple[int, ...]:
    return shape_of(shapes, kernel_name(shapes, module), 3)
