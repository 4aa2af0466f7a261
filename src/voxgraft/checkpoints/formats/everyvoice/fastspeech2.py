"""The keyword arguments of `models.fastspeech2.FastSpeech2`, read off the shapes of an EveryVoice model's tensors.

What no shape tells (heads, dropout, levels) comes from the configuration; where it contradicts the tensors, they win.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from voxgraft.architectures.dimensions.upsampler import Shapes, count_of, shape_of
from voxgraft.checkpoints.formats.everyvoice.settings import number, section, whole

PREDICTORS = ("duration", "pitch", "energy")
_LEVELS = ("phone", "frame")


def fastspeech2_architecture(shapes: Shapes, config: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Keyword arguments for canonical names, and notes on contradictions. Raises CheckpointError where a part is absent."""
    model = section(config, "model")
    notes: list[str] = []
    mels, channels = shape_of(shapes, "mel_linear.weight", 2)
    architecture: dict[str, Any] = _text_input(shapes) | {"mels": mels, "channels": channels}
    for half in ("encoder", "decoder"):
        architecture |= _conformer(shapes, half, section(model, half), channels, notes)
    for name in PREDICTORS:
        architecture |= _predictor(shapes, name, section(model, "variance_predictors", name), notes)
    architecture |= _postnet(shapes) | _aligner(shapes) | _style(shapes)
    architecture |= _table(shapes, "speaker", model.get("multispeaker"), notes)
    architecture |= _table(shapes, "language", model.get("multilingual"), notes)
    return architecture, notes


def _text_input(shapes: Shapes) -> dict[str, int]:
    if "feature_input_layer.weight" in shapes:
        return {"features": shape_of(shapes, "feature_input_layer.weight", 2)[1]}
    return {"symbols": shape_of(shapes, "text_input_layer.weight", 2)[0]}


def _conformer(shapes: Shapes, half: str, stated: Mapping[str, Any], channels: int, notes: list[str]) -> dict[str, Any]:
    layer = f"{half}.conformer_layers.0"
    found = {
        "layers": count_of(shapes, rf"{half}\.conformer_layers\.(\d+)\."),
        "feedforward_dim": shape_of(shapes, f"{layer}.ffn1.sequential.1.weight", 2)[0],
        "conv_kernel_size": shape_of(shapes, f"{layer}.conv_module.sequential.2.weight", 3)[2],
        "input_dim": shape_of(shapes, f"{layer}.self_attn.out_proj.weight", 2)[0],
    }
    _contradict(found, stated, f"model.{half}", notes)
    heads = whole(stated, "heads", 0)
    if not heads or channels % heads:
        heads = 2 if channels % 2 == 0 else 1
        notes.append(f"model.{half}.heads is not recorded: assumed {heads}")
    return {
        f"{half}_layers": found["layers"],
        f"{half}_heads": heads,
        f"{half}_filter_channels": found["feedforward_dim"],
        f"{half}_kernel": found["conv_kernel_size"],
        f"{half}_dropout": number(stated, "dropout", 0.2),
    }


def _predictor(shapes: Shapes, name: str, stated: Mapping[str, Any], notes: list[str]) -> dict[str, Any]:
    stem = f"variance_adaptor.{name}_predictor"
    first = f"{stem}.conv.0.layers.0.module"
    depthwise = f"{first}.model.0.weight" in shapes
    kernel = shape_of(shapes, f"{first}.model.0.weight" if depthwise else f"{first}.weight", 3)
    found = {
        "n_layers": count_of(shapes, rf"variance_adaptor\.{name}_predictor\.conv\.(\d+)\."),
        "kernel_size": kernel[2],
        "input_dim": shape_of(shapes, f"{stem}.linear.weight", 2)[1],
        "depthwise": depthwise,
    }
    keywords: dict[str, Any] = {}
    if name != "duration":
        found["n_bins"] = shape_of(shapes, f"variance_adaptor.{name}_embedding.weight", 2)[0]
        level = stated.get("level", "phone")
        keywords = {f"{name}_bins": found["n_bins"], f"{name}_level": level if level in _LEVELS else "phone"}
        if level not in _LEVELS:
            notes.append(f"model.variance_predictors.{name}.level is {str(level)[:40]!r}: assumed phone")
    _contradict(found, stated, f"model.variance_predictors.{name}", notes)
    return {
        f"{name}_layers": found["n_layers"],
        f"{name}_channels": found["input_dim"],
        f"{name}_kernel": found["kernel_size"],
        f"{name}_depthwise": depthwise,
        f"{name}_dropout": number(stated, "dropout", 0.5),
        **keywords,
    }


def _postnet(shapes: Shapes) -> dict[str, int]:
    layers = count_of(shapes, r"postnet\.convolutions\.(\d+)\.")
    if not layers:
        return {"postnet_layers": 0}
    width, _, kernel = shape_of(shapes, "postnet.convolutions.0.0.conv.weight", 3)
    return {"postnet_layers": layers, "postnet_channels": width, "postnet_kernel": kernel}


def _aligner(shapes: Shapes) -> dict[str, int]:
    name = "variance_adaptor.attention.key_proj.2.conv.weight"
    return {"aligner_channels": shape_of(shapes, name, 3)[0] if name in shapes else 0}


def _style(shapes: Shapes) -> dict[str, Any]:
    if "gst.stl.gst_embs" not in shapes:
        return {"style_tokens": 0}
    tokens, width = shape_of(shapes, "gst.stl.gst_embs", 2)
    convolutions = count_of(shapes, r"gst\.ref_enc\.convs\.(\d+)\.running_mean")
    kernels = [shape_of(shapes, f"gst.ref_enc.convs.{3 * i}.weight", 4) for i in range(convolutions)]
    return {
        "style_tokens": tokens,
        "style_heads": shape_of(shapes, "gst.stl.mha.linear_out.weight", 2)[0] // width,
        "style_units": shape_of(shapes, "gst.ref_enc.gru.weight_hh_l0", 2)[1],
        "style_convolutions": tuple(kernel[0] for kernel in kernels),
    }


def _table(shapes: Shapes, what: str, stated: object, notes: list[str]) -> dict[str, Any]:
    """`speakers` and `multispeaker`, `languages` and `multilingual`: rows, and whether there is a table at all."""
    name, several = f"{what}_embedding.weight", {"speaker": "multispeaker", "language": "multilingual"}[what]
    there = name in shapes
    if stated is not None and bool(stated) != there:
        notes.append(f"configuration says {several}={stated}, the tensors say {there}: the tensors win")
    return {f"{what}s": shape_of(shapes, name, 2)[0] if there else 1, several: there}


def _contradict(found: Mapping[str, Any], stated: Mapping[str, Any], where: str, notes: list[str]) -> None:
    for name, value in found.items():
        if name in stated and stated[name] != value:
            said = str(stated[name])[:40]
            notes.append(f"configuration says {where}.{name}={said}, the tensors say {value}: the tensors win")
