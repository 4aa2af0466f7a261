"""The keyword arguments of a VITS model, read off the shapes of its tensors.

Where shapes, graph attributes and recorded hyper-parameters disagree, the tensors win and the contradiction is noted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from voxgraft.architectures.dimensions.upsampler import (
    Shapes,
    count_of,
    incomplete,
    integers,
    shape_of,
    upsampler_architecture,
)
from voxgraft.architectures.families import family_of

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
class Unplaced:
    """What conditions a voice that voxgraft's network has no place for: the tensor that does it, why it stops, what to take."""

    tensor: str
    why: str
    remedy: str


def unplaced_conditioning(names: Iterable[str]) -> Unplaced | None:
    """Why a voice with these tensors can't be run here; None where it can. The one answer for inspecting, planning, training
    and exporting."""
    present = sorted(names)
    languages = next((name for name in present if name.startswith(_LANGUAGES)), None)
    if languages is not None:
        return Unplaced(
            languages, "voices with embedded languages are not run here yet", "Take a base of one language."
        )
    conditioned = next((name for name in present if name.startswith(_CONDITIONED)), None)
    if conditioned is not None and "emb_g.weight" not in present:
        return Unplaced(
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
        "spec_channels": shapes["enc_q.pre.weight"][1] if "enc_q.pre.weight" in shapes else 513,
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
    }
    return architecture, notes + _contradictions(architecture, recorded)


def _contradictions(architecture: Mapping[str, Any], recorded: Mapping[str, Any]) -> list[str]:
    notes = []
    for ours, theirs in _RECORDED_AS.items():
        if theirs not in recorded:
            continue
        stated, found = recorded[theirs], architecture[ours]
        if isinstance(found, tuple):
            stated = integers(stated)
        elif isinstance(found, str):
            stated = str(stated)
        if stated != found:
            notes.append(f"hyper-parameters say {theirs}={stated}, the tensors say {found}: the tensors win")
    return notes


def _number(value: object, default: float) -> float:
    return float(value) if isinstance(value, int | float) else default
