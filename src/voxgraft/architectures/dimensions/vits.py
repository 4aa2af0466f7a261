"""The keyword arguments of a VITS model, read off the shapes of its tensors.

Where shapes, graph attributes and recorded hyper-parameters disagree, the tensors win and the contradiction is noted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from voxgraft.architectures.dimensions.upsampler import (
    Shapes,
    count_of,
    incomplete,
    integers,
    kernel_name,
    shape_of,
    upsampler_architecture,
)
from voxgraft.architectures.families import family_of

# Keywords of the flow and the posterior encoder as the authors have them; only others are stated.
USUAL_WAVENETS = {
    "flows": 4,
    "flow_layers": 4,
    "flow_kernel": 5,
    "flow_dilation": 1,
    "posterior_layers": 16,
    "posterior_kernel": 5,
    "posterior_dilation": 1,
}
_MOST = 64
_MOST_BINS = 2**16

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


# What takes a voice's vector, with weight norm or without.
_CONDITIONED = ("dec.cond.", "dp.cond.", "flow.flows.0.enc.cond_layer.", "enc_q.enc.cond_layer.")
_LANGUAGES = ("emb_l.", "dp.cond_lang.")


@dataclass(frozen=True)
class Obstacle:
    """Why voxgraft's network can't be a model's: the tensor or setting that says so, the reason, what to take instead."""

    field: str
    why: str
    remedy: str


def unplaced_conditioning(names: Iterable[str]) -> Obstacle | None:
    """Why a voice with these tensors can't be run here; None where it can. The one answer for inspecting, planning, training
    and exporting."""
    present = sorted(names)
    languages = next((name for name in present if name.startswith(_LANGUAGES)), None)
    if languages is not None:
        return Obstacle(
            languages, "voices with embedded languages are not run here yet", "Take a base of one language."
        )
    conditioned = next((name for name in present if name.startswith(_CONDITIONED)), None)
    if conditioned is not None and "emb_g.weight" not in present:
        return Obstacle(
            conditioned,
            "voices with a voice vector in place of a table of speakers are not run here yet",
            "Take a base with a table of speakers, or with a single speaker.",
        )
    return None


def vits_architecture(
    shapes: Shapes, recorded: Mapping[str, Any], rates: tuple[int, ...] = (), dilations: Mapping[str, int] | None = None
) -> tuple[dict[str, Any], list[str]]:
    """Keyword arguments of the model, and notes on what was contradicted or assumed.

    `recorded` are Piper's hyper-parameters where a file has them; `rates` and `dilations` (convolution -> dilation)
    what a graph states. Raises CheckpointError where a part is absent.
    """
    notes: list[str] = []
    symbols, hidden = shape_of(shapes, "enc_p.emb.weight", 2)
    heads_width = shape_of(shapes, "enc_p.encoder.attn_layers.0.emb_rel_k", 3)[2]
    # Where languages are embedded, the encoder is wider than the embedding of symbols.
    width = shape_of(shapes, "enc_p.encoder.attn_layers.0.conv_q.weight", 3)[0]
    ffn = shape_of(shapes, "enc_p.encoder.ffn_layers.0.conv_1.weight", 3)
    upsampler = upsampler_architecture(shapes, "dec.", recorded, notes, rates=rates, dilations=dilations)
    speakers = shapes.get("emb_g.weight", (1, 0))
    if width % heads_width or len(speakers) != 2:
        raise incomplete("enc_p.encoder.attn_layers.0.emb_rel_k")
    architecture: dict[str, Any] = {
        "symbols": symbols,
        "spec_channels": _spectrogram_bins(shapes, recorded),
        "inter_channels": shape_of(shapes, "enc_p.proj.weight", 3)[0] // 2,
        "hidden_channels": hidden,
        "filter_channels": ffn[0],
        "heads": width // heads_width,
        "layers": count_of(shapes, r"enc_p\.encoder\.attn_layers\.(\d+)\."),
        "kernel_size": ffn[2],
        "dropout": _number(recorded.get("p_dropout"), 0.1),
        **upsampler,
        "speakers": speakers[0],
        "gin_channels": speakers[1],
        "stochastic_duration": any(name.startswith("dp.flows.") for name in shapes),
        **_wavenets(shapes, recorded, dilations or {}),
    }
    return architecture, notes + _contradictions(architecture, recorded, posterior="enc_q.pre.weight" in shapes)


def _spectrogram_bins(shapes: Shapes, recorded: Mapping[str, Any]) -> int:
    """Bins that the posterior encoder takes; where there is none, those that are recorded, else Piper's."""
    if "enc_q.pre.weight" in shapes:
        return shape_of(shapes, "enc_q.pre.weight", 3)[1]
    bins, transform = recorded.get("spec_channels"), recorded.get("filter_length")
    if type(bins) is int and 1 < bins <= _MOST_BINS:
        return bins
    if type(transform) is int and 1 < transform < 2 * _MOST_BINS:
        return transform // 2 + 1
    return 513


def _wavenets(shapes: Shapes, recorded: Mapping[str, Any], dilations: Mapping[str, int]) -> dict[str, int]:
    """Keywords of the flow and the posterior encoder where they are not the authors'.

    `recorded` may state `flows`, `flow_dilation` and `posterior_dilation`; a graph states dilations.
    """
    found = {"flows": recorded.get("flows")}
    for part, stem in (("flow", "flow.flows.0.enc"), ("posterior", "enc_q.enc")):
        kernel = shapes.get(kernel_name(shapes, f"{stem}.in_layers.0"), ())
        found[f"{part}_kernel"] = kernel[2] if len(kernel) == 3 else None
        found[f"{part}_layers"] = _layers_of(shapes, stem)
        found[f"{part}_dilation"] = dilations.get(f"{stem}.in_layers.1") or recorded.get(f"{part}_dilation")
    return {
        name: value
        for name, value in found.items()
        if type(value) is int and value != USUAL_WAVENETS[name] and 0 < value <= _MOST
    }


def _layers_of(shapes: Shapes, stem: str) -> int | None:
    """Layers of a WaveNet; None where the last is not there, which alone has no residual path."""
    layers = count_of(shapes, re.escape(stem) + r"\.in_layers\.(\d+)\.")
    first, last = (
        shapes.get(kernel_name(shapes, f"{stem}.res_skip_layers.{layer}"), ()) for layer in (0, max(layers - 1, 0))
    )
    whole = len(last) == 3 and (layers == 1 or (len(first) == 3 and first[0] == 2 * last[0]))
    return layers if whole else None


def _contradictions(architecture: Mapping[str, Any], recorded: Mapping[str, Any], *, posterior: bool) -> list[str]:
    notes = []
    sizes = [name for name in USUAL_WAVENETS if posterior or not name.startswith("posterior_")]
    for ours, theirs in {**_RECORDED_AS, **dict(zip(sizes, sizes, strict=True))}.items():
        if theirs not in recorded:
            continue
        stated, found = recorded[theirs], (USUAL_WAVENETS | dict(architecture))[ours]
        if isinstance(found, tuple):
            stated = integers(stated)
        elif isinstance(found, str):
            stated = str(stated)
        if stated != found:
            notes.append(f"hyper-parameters say {theirs}={stated}, the tensors say {found}: the tensors win")
    return notes


def _number(value: object, default: float) -> float:
    # A whole number may be too large for a float.
    return float(value) if isinstance(value, int | float) and abs(value) < 1e9 else default
