"""The keyword arguments of a VITS model, read off the shapes of its tensors.

Where shapes, graph attributes and recorded hyper-parameters disagree, the tensors win and the contradiction is noted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from voxgraft.checkpoints.families import family_of
from voxgraft.errors import CheckpointError

Shapes = Mapping[str, tuple[int, ...]]

# What the shapes can't tell (dilations) is the same in all of Piper's presets that share a kind of residual block.
_DILATIONS = {"2": ((1, 2), (2, 6), (3, 12)), "1": ((1, 3, 5), (1, 3, 5), (1, 3, 5))}

# Piper's own names of the hyper-parameters: ours -> theirs.
_RECORDED_AS = {
    "symbols": "num_symbols",
    "inter_channels": "inter_channels",
    "hidden_channels": "hidden_channels",
    "filter_channels": "filter_channels",
    "heads": "n_heads",
    "layers": "n_layers",
    "kernel_size": "kernel_size",
    "upsample_initial_channel": "upsample_initial_channel",
    "speakers": "num_speakers",
    "resblock": "resblock",
    "resblock_kernels": "resblock_kernel_sizes",
    "upsample_kernels": "upsample_kernel_sizes",
}


def missing_parts(names: Shapes) -> tuple[str, ...]:
    """Parts that a full training checkpoint has and this one lacks."""
    missing = list(family_of("vits").missing(names))
    # Only the stochastic predictor has a posterior half.
    if any(name.startswith("dp.flows.") for name in names) and not any(name.startswith("dp.post_") for name in names):
        missing.insert(missing.index("discriminators") if "discriminators" in missing else 1, "duration posterior")
    return tuple(missing)


def vits_architecture(
    shapes: Shapes, recorded: Mapping[str, Any], rates: tuple[int, ...] = (), dilations: Mapping[str, int] | None = None
) -> tuple[dict[str, Any], list[str]]:
    """Keyword arguments of the model, and notes on what was contradicted or assumed.

    `recorded` are Piper's hyper-parameters where a file has them; `rates` and `dilations` (convolution -> dilation)
    what a graph states. Raises CheckpointError where a part is absent.
    """
    notes: list[str] = []
    symbols, hidden = _shape(shapes, "enc_p.emb.weight", 2)
    heads_width = _shape(shapes, "enc_p.encoder.attn_layers.0.emb_rel_k", 3)[2]
    ffn = _shape(shapes, "enc_p.encoder.ffn_layers.0.conv_1.weight", 3)
    stages = _count(shapes, r"dec\.ups\.(\d+)\.bias")
    ups = [_shape(shapes, _kernel(shapes, f"dec.ups.{i}"), 3) for i in range(stages)]
    speakers = shapes.get("emb_g.weight", (1, 0))
    if not stages or hidden % max(heads_width, 1) or not heads_width or len(speakers) != 2:
        raise _not_vits("dec.ups")
    architecture: dict[str, Any] = {
        "symbols": symbols,
        "spec_channels": shapes["enc_q.pre.weight"][1] if "enc_q.pre.weight" in shapes else 513,
        "inter_channels": _shape(shapes, "enc_p.proj.weight", 3)[0] // 2,
        "hidden_channels": hidden,
        "filter_channels": ffn[0],
        "heads": hidden // heads_width,
        "layers": _count(shapes, r"enc_p\.encoder\.attn_layers\.(\d+)\."),
        "kernel_size": ffn[2],
        "dropout": _number(recorded.get("p_dropout"), 0.1),
        "upsample_rates": rates or _recorded_rates(recorded, ups, notes),
        "upsample_initial_channel": ups[0][0],
        "upsample_kernels": tuple(shape[2] for shape in ups),
        "speakers": speakers[0],
        "gin_channels": speakers[1],
        "stochastic_duration": any(name.startswith("dp.flows.") for name in shapes),
    }
    architecture |= _resblocks(shapes, stages, recorded, dilations or {}, notes)
    return architecture, notes + _contradictions(architecture, recorded)


def _resblocks(
    shapes: Shapes, stages: int, recorded: Mapping[str, Any], dilations: Mapping[str, int], notes: list[str]
) -> dict[str, Any]:
    kind = "1" if any(name.startswith("dec.resblocks.0.convs1.") for name in shapes) else "2"
    stem = "convs1" if kind == "1" else "convs"
    kernels_per_stage = max(_count(shapes, r"dec\.resblocks\.(\d+)\.") // stages, 1)
    kernels = tuple(
        _shape(shapes, _kernel(shapes, f"dec.resblocks.{i}.{stem}.0"), 3)[2] for i in range(kernels_per_stage)
    )
    depths = [_count(shapes, rf"dec\.resblocks\.{i}\.{stem}\.(\d+)\.bias") for i in range(kernels_per_stage)]
    from_graph = tuple(
        tuple(dilations.get(f"dec.resblocks.{i}.{stem}.{j}", 0) for j in range(depth)) for i, depth in enumerate(depths)
    )
    stated = _tuples(recorded.get("resblock_dilation_sizes"))
    if all(all(row) for row in from_graph):
        chosen = from_graph
    elif [len(row) for row in stated] == depths:
        chosen = stated
    else:
        chosen = tuple(_DILATIONS[kind][i % 3][:depth] for i, depth in enumerate(depths))
        notes.append(f"dilations are not recorded: assumed Piper's {chosen}")
    return {"resblock": kind, "resblock_kernels": kernels, "resblock_dilations": chosen}


def _recorded_rates(recorded: Mapping[str, Any], ups: list[tuple[int, ...]], notes: list[str]) -> tuple[int, ...]:
    stated = _integers(recorded.get("upsample_rates"))
    if len(stated) == len(ups):
        return stated
    assumed = tuple(max(shape[2] // 2, 1) for shape in ups)
    notes.append(f"upsample rates are not recorded: assumed half the kernels {assumed}, as in all of Piper's presets")
    return assumed


def _contradictions(architecture: Mapping[str, Any], recorded: Mapping[str, Any]) -> list[str]:
    notes = []
    for ours, theirs in _RECORDED_AS.items():
        if theirs not in recorded:
            continue
        stated, found = recorded[theirs], architecture[ours]
        if isinstance(found, tuple):
            stated = _integers(stated)
        elif isinstance(found, str):
            stated = str(stated)
        if stated != found:
            notes.append(f"hyper-parameters say {theirs}={stated}, the tensors say {found}: the tensors win")
    return notes


def _kernel(shapes: Shapes, module: str) -> str:
    """The name of a convolution's kernel, with its weight norm folded or not."""
    return f"{module}.weight" if f"{module}.weight" in shapes else f"{module}.weight_v"


def _shape(shapes: Shapes, name: str, dims: int) -> tuple[int, ...]:
    shape = shapes.get(name)
    if shape is None or len(shape) != dims or not all(shape):
        raise _not_vits(name, expected=f"a tensor of {dims} dimensions", got=list(shape) if shape else "nothing")
    return shape


def _count(shapes: Shapes, pattern: str) -> int:
    return len({match[1] for name in shapes if (match := re.match(pattern, name))})


def _integers(value: object) -> tuple[int, ...]:
    if isinstance(value, list | tuple) and all(isinstance(number, int) for number in value):
        return tuple(value)
    return ()


def _tuples(value: object) -> tuple[tuple[int, ...], ...]:
    return tuple(_integers(row) for row in value) if isinstance(value, list | tuple) else ()


def _number(value: object, default: float) -> float:
    return float(value) if isinstance(value, int | float) else default


def _not_vits(name: str, *, expected: object = None, got: object = None) -> CheckpointError:
    return CheckpointError(
        "this is no complete Piper voice",
        field=name,
        expected=expected,
        got=got,
        remedy="Give a voice or training checkpoint made by Piper or by voxgraft.",
    )
