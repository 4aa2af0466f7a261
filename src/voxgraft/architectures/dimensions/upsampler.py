"""The keyword arguments of a HiFi-GAN generator, VITS' decoder included, read off the shapes of its tensors.

What no shape tells (rates, dilations) comes from what the file records; where nothing is recorded it is assumed and noted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from voxgraft.errors import CheckpointError

Shapes = Mapping[str, tuple[int, ...]]

# The authors' and Piper's dilations, by kind of residual block.
_DILATIONS = {"2": ((1, 2), (2, 6), (3, 12)), "1": ((1, 3, 5), (1, 3, 5), (1, 3, 5))}


def upsampler_architecture(
    shapes: Shapes,
    prefix: str,
    recorded: Mapping[str, Any],
    notes: list[str],
    *,
    rates: tuple[int, ...] = (),
    dilations: Mapping[str, int] | None = None,
) -> dict[str, Any]:
    """Keywords of the upsampling and residual blocks whose tensors' names begin with `prefix`, such as `dec.`.

    `recorded` may hold `upsample_rates` and `resblock_dilation_sizes`; `rates` and `dilations` (convolution ->
    dilation) are what a graph states. Raises CheckpointError where a part is absent.
    """
    stages = count_of(shapes, rf"{re.escape(prefix)}ups\.(\d+)\.bias")
    if not stages:
        raise incomplete(f"{prefix}ups.0.bias")
    ups = [shape_of(shapes, kernel_name(shapes, f"{prefix}ups.{i}"), 3) for i in range(stages)]
    return {
        "upsample_rates": rates or _recorded_rates(recorded, ups, notes),
        "upsample_initial_channel": ups[0][0],
        "upsample_kernels": tuple(shape[2] for shape in ups),
        **_resblocks(shapes, prefix, stages, recorded, dilations or {}, notes),
    }


def _resblocks(
    shapes: Shapes,
    prefix: str,
    stages: int,
    recorded: Mapping[str, Any],
    dilations: Mapping[str, int],
    notes: list[str],
) -> dict[str, Any]:
    blocks = f"{prefix}resblocks"
    kind = "1" if any(name.startswith(f"{blocks}.0.convs1.") for name in shapes) else "2"
    stem = "convs1" if kind == "1" else "convs"
    kernels_per_stage = max(count_of(shapes, rf"{re.escape(blocks)}\.(\d+)\.") // stages, 1)
    kernels = tuple(
        shape_of(shapes, kernel_name(shapes, f"{blocks}.{i}.{stem}.0"), 3)[2] for i in range(kernels_per_stage)
    )
    depths = [count_of(shapes, rf"{re.escape(blocks)}\.{i}\.{stem}\.(\d+)\.bias") for i in range(kernels_per_stage)]
    from_graph = tuple(
        tuple(dilations.get(f"{blocks}.{i}.{stem}.{j}", 0) for j in range(depth)) for i, depth in enumerate(depths)
    )
    stated = _tuples(recorded.get("resblock_dilation_sizes"))
    if all(all(row) for row in from_graph):
        chosen = from_graph
    elif [len(row) for row in stated] == depths:
        chosen = stated
    else:
        chosen = tuple(_DILATIONS[kind][i % 3][:depth] for i, depth in enumerate(depths))
        notes.append(f"dilations are not recorded: assumed the usual {chosen}")
    return {"resblock": kind, "resblock_kernels": kernels, "resblock_dilations": chosen}


def _recorded_rates(recorded: Mapping[str, Any], ups: list[tuple[int, ...]], notes: list[str]) -> tuple[int, ...]:
    stated = integers(recorded.get("upsample_rates"))
    if len(stated) == len(ups):
        return stated
    assumed = tuple(max(shape[2] // 2, 1) for shape in ups)
    notes.append(f"upsample rates are not recorded: assumed half the kernels {assumed}, as is usual")
    return assumed


def kernel_name(shapes: Shapes, module: str) -> str:
    """The name of a convolution's kernel, with its weight norm folded or not."""
    return f"{module}.weight" if f"{module}.weight" in shapes else f"{module}.weight_v"


def shape_of(shapes: Shapes, name: str, dims: int) -> tuple[int, ...]:
    """The shape of a tensor that there must be. Raises CheckpointError where it is absent or of other dimensions."""
    shape = shapes.get(name)
    if shape is None or len(shape) != dims or not all(shape):
        raise incomplete(name, expected=f"a tensor of {dims} dimensions", got=list(shape) if shape else "nothing")
    return shape


def count_of(shapes: Shapes, pattern: str) -> int:
    """How many different first groups of `pattern` the names have."""
    return len({match[1] for name in shapes if (match := re.match(pattern, name))})


def integers(value: object) -> tuple[int, ...]:
    """A sequence of whole numbers; empty for anything else."""
    if isinstance(value, list | tuple) and all(isinstance(number, int) for number in value):
        return tuple(value)
    return ()


def _tuples(value: object) -> tuple[tuple[int, ...], ...]:
    return tuple(integers(row) for row in value) if isinstance(value, list | tuple) else ()


def incomplete(name: str, *, expected: object = None, got: object = None) -> CheckpointError:
    """The error for a model whose tensors are not all there."""
    return CheckpointError(
        "this is no complete model of its kind",
        field=name,
        expected=expected,
        got=got,
        remedy="The file is damaged, cut down or of another kind than it looks: copy or download it again.",
    )
