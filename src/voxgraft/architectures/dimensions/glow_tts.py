"""The keyword arguments of `models.glow_tts.GlowTts`, read off the shapes of its tensors and what its configuration states."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from voxgraft.architectures.dimensions.upsampler import Shapes, count_of, integers, kernel_name, shape_of

# What the configuration alone knows -> its kind.
_STATED: Mapping[str, type] = {
    "num_squeeze": int,
    "sigmoid_scale": bool,
    "dilation_rate": int,
    "dropout_p_dp": float,
    "dropout_p_dec": float,
}
# Of its `encoder_params`.
_ENCODER = {"dropout_p": ("encoder_dropout", float), "layer_norm_type": ("encoder_norm", str)}
# The configuration's fields that are looked at.
STATED = (*_STATED, "encoder_params")
_FEED_FORWARD = "encoder.encoder.ffn_layers.0.conv_1.weight"
_RELATIVE = "encoder.encoder.attn_layers.0.emb_rel_k"
_SPEAKERS = "emb_g.weight"


def glow_tts_architecture(shapes: Shapes, stated: Mapping[str, Any]) -> dict[str, Any]:
    """Keyword arguments; `stated` are the configuration's fields. Raises CheckpointError where a part is absent."""
    symbols, channels = shape_of(shapes, "encoder.emb.weight", 2)
    mels = shape_of(shapes, "encoder.proj_m.weight", 3)[0]
    duration = shape_of(shapes, "encoder.duration_predictor.conv_1.weight", 3)
    first = shape_of(shapes, kernel_name(shapes, "decoder.flows.2.wn.in_layers.0"), 3)
    params = stated.get("encoder_params")
    squeezed = shape_of(shapes, "decoder.flows.2.end.weight", 3)[0]
    found: dict[str, Any] = {
        "symbols": symbols,
        "mels": mels,
        "speakers": shape_of(shapes, _SPEAKERS, 2)[0] if _SPEAKERS in shapes else 1,
        "hidden_channels_enc": channels,
        "hidden_channels_dec": first[1],
        "hidden_channels_dp": duration[0],
        **_encoder(shapes, params if isinstance(params, Mapping) else {}),
        "use_encoder_prenet": any(name.startswith("encoder.prenet.") for name in shapes),
        "mean_only": "encoder.proj_s.weight" not in shapes,
        "num_flow_blocks_dec": count_of(shapes, r"decoder\.flows\.(\d+)\.end\.weight"),
        "kernel_size_dec": first[2],
        "num_block_layers": count_of(shapes, r"decoder\.flows\.2\.wn\.in_layers\.(\d+)\."),
        "num_splits": shape_of(shapes, "decoder.flows.1.weight", 2)[0],
        "speaker_channels": max(duration[1] - channels, 0),
        "multispeaker": _SPEAKERS in shapes,
    }
    found |= _typed({name: (name, kind) for name, kind in _STATED.items()}, stated)
    return found | {"num_squeeze": max(squeezed // mels, 1)}


def _encoder(shapes: Shapes, params: Mapping[str, Any]) -> dict[str, Any]:
    """The keywords of the text encoder, which is told by the names of its tensors."""
    stated = _typed(_ENCODER, params)
    if _FEED_FORWARD in shapes:
        return {"encoder_type": "rel_pos_transformer", **_transformer(shapes, params), **stated}
    stated.pop("encoder_norm", None)
    layers: dict[str, Any] = {"encoder_layers": count_of(shapes, r"encoder\.encoder\.\w+\.(\d+)\."), **stated}
    if "encoder.encoder.res_blocks.0.conv_bn_blocks.0.conv1d.weight" in shapes:
        kernel = shape_of(shapes, "encoder.encoder.res_blocks.0.conv_bn_blocks.0.conv1d.weight", 3)[2]
        blocks = layers["encoder_layers"]
        dilations = integers(params.get("dilations"))
        inner = count_of(shapes, r"encoder\.encoder\.res_blocks\.0\.conv_bn_blocks\.(\d+)\.")
        return layers | {
            "encoder_type": "residual_conv_bn",
            "encoder_kernel": kernel,
            "encoder_dilations": dilations if len(dilations) == blocks else ((1, 2, 4) * blocks)[:blocks],
            "encoder_convolutions": inner,
        }
    if "encoder.encoder.layers.0.depth_conv.weight" in shapes:
        kernel = shape_of(shapes, "encoder.encoder.layers.0.depth_conv.weight", 3)[2]
        return layers | {"encoder_type": "time_depth_separable", "encoder_kernel": kernel}
    kernel = shape_of(shapes, "encoder.encoder.conv_layers.0.weight", 3)[2]
    return layers | {"encoder_type": "gated_conv", "encoder_kernel": kernel}


def _transformer(shapes: Shapes, params: Mapping[str, Any]) -> dict[str, Any]:
    filters, channels, kernel = shape_of(shapes, _FEED_FORWARD, 3)
    window = (shape_of(shapes, _RELATIVE, 3)[1] - 1) // 2 if _RELATIVE in shapes else 0
    if _RELATIVE in shapes:
        heads = max(channels // shape_of(shapes, _RELATIVE, 3)[2], 1)
    else:
        heads = params.get("num_heads")
        heads = heads if type(heads) is int and heads > 0 and channels % heads == 0 else 2
    reach = params.get("input_length")
    return {
        "encoder_layers": count_of(shapes, r"encoder\.encoder\.attn_layers\.(\d+)\."),
        "encoder_heads": heads,
        "encoder_filter_channels": filters,
        "encoder_kernel": kernel,
        "encoder_window": window,
        "encoder_reach": reach if type(reach) is int and reach > 0 else None,
    }


def _typed(wanted: Mapping[str, tuple[str, type]], stated: Mapping[str, Any]) -> dict[str, Any]:
    """Keyword -> what is stated under another name, where that is of the right kind."""
    found = {}
    for theirs, (ours, kind) in wanted.items():
        value = stated.get(theirs)
        if isinstance(value, kind) and (kind is bool or not isinstance(value, bool)):
            found[ours] = value
        elif kind is float and type(value) is int:
            found[ours] = float(value)
    return found
