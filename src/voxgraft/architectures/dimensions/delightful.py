"""The keyword arguments of `models.delightful.Delightful`, read off the shapes of its tensors, and what they imply."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from voxgraft.architectures.dimensions.upsampler import Shapes, count_of, incomplete, shape_of

Shape = tuple[int, ...]


def delightful_architecture(shapes: Shapes) -> dict[str, Any]:
    """Keyword arguments for canonical names. Raises CheckpointError where a part is absent."""
    symbols, channels = shape_of(shapes, "src_word_emb", 2)
    speakers, speaker_channels = shape_of(shapes, "speaker_embed", 2)
    languages, language_channels = shape_of(shapes, "lang_embed", 2)
    conditioning = shape_of(shapes, "decoder.layer_stack.0.conditioning.embedding_proj.weight", 2)[1]
    duration = "length_regulator.duration_predictor.layers.0.conv"
    return {
        "symbols": symbols,
        "speakers": speakers,
        "languages": languages,
        "mels": shape_of(shapes, "to_mel.weight", 2)[0],
        "channels": channels,
        "speaker_channels": speaker_channels,
        "language_channels": language_channels,
        **_stack(shapes, "encoder"),
        **_stack(shapes, "decoder"),
        "decoder_knows_language": conditioning != speaker_channels,
        "utterance_prosody": shape_of(shapes, "u_bottle_out.weight", 2)[1],
        "phoneme_prosody": shape_of(shapes, "p_bottle_out.weight", 2)[1],
        "prosody_kernel": _depthwise(shapes, "phoneme_prosody_predictor.layers.0.conv"),
        "variance_channels": shape_of(shapes, f"{duration}.pointwise.conv.weight", 3)[0],
        "variance_kernel": _depthwise(shapes, duration),
        **_pitch(shapes),
        "energy": "energy_adaptor.energy_emb.weight" in shapes,
        **_reference(shapes),
    }


def _stack(shapes: Shapes, name: str) -> dict[str, Any]:
    first = f"{name}.layer_stack.0"
    return {
        f"{name}_layers": count_of(shapes, rf"{name}\.layer_stack\.(\d+)\."),
        f"{name}_heads": shape_of(shapes, f"{first}.slf_attn.attention.u_bias", 2)[0],
        f"{name}_kernel": _depthwise(shapes, f"{first}.conditioning.bsconv1d"),
        f"{name}_feed_forward": f"{first}.ff.conv_1.weight" in shapes,
    }


def _pitch(shapes: Shapes) -> dict[str, int]:
    """Pitch enters through a convolution, or as VoiceSmith has it through a table of `pitch_bins` rows."""
    if "pitch_adaptor_conv.pitch_emb.weight" in shapes:
        return {"pitch_kernel": shape_of(shapes, "pitch_adaptor_conv.pitch_emb.weight", 3)[2], "pitch_bins": 0}
    if "pitch_adaptor.pitch_embedding.embeddings" in shapes:
        return {"pitch_kernel": 0, "pitch_bins": shape_of(shapes, "pitch_adaptor.pitch_embedding.embeddings", 2)[0]}
    raise incomplete("pitch_adaptor_conv.pitch_emb.weight")


def _reference(shapes: Shapes) -> dict[str, Any]:
    """The reference encoders, of which a file that only speaks may have none: then they are the usual."""
    encoder = "utterance_prosody_encoder.encoder"
    if f"{encoder}.gru.weight_hh_l0" not in shapes:
        return {}
    layers = count_of(shapes, rf"{re.escape(encoder)}\.norms\.(\d+)\.")
    return {
        "reference_filters": tuple(shape_of(shapes, f"{encoder}.norms.{i}.weight", 1)[0] for i in range(layers)),
        "reference_units": shape_of(shapes, f"{encoder}.gru.weight_hh_l0", 2)[1],
        "reference_tokens": shape_of(shapes, "utterance_prosody_encoder.stl.embed", 2)[0],
    }


def _depthwise(shapes: Shapes, module: str) -> int:
    return shape_of(shapes, f"{module}.depthwise.conv.weight", 3)[2]


def delightful_shapes(architecture: dict[str, Any]) -> dict[str, Shape]:
    """Name -> shape of every tensor that speech needs in a model of this architecture.

    The pitches between which VoiceSmith's bins lie are left out: some files keep them elsewhere.
    """
    a = architecture
    channels, embedding = a["channels"], a["speaker_channels"] + a["language_channels"]
    shapes: dict[str, Shape] = {
        "src_word_emb": (a["symbols"], channels),
        "speaker_embed": (a["speakers"], a["speaker_channels"]),
        "lang_embed": (a["languages"], a["language_channels"]),
    }
    rows = [
        *_conformer("encoder", a, embedding),
        *_conformer("decoder", a, embedding if a["decoder_knows_language"] else a["speaker_channels"]),
        *_prosody("utterance_prosody_predictor", channels, a["prosody_kernel"], a["utterance_prosody"]),
        *_prosody("phoneme_prosody_predictor", channels, a["prosody_kernel"], a["phoneme_prosody"]),
        *_affine("u_bottle_out", channels, a["utterance_prosody"]),
        *_affine("p_bottle_out", channels, a["phoneme_prosody"]),
        *_variance("length_regulator.duration_predictor", a),
        *_affine("to_mel", a["mels"], channels),
    ]
    if a["pitch_kernel"]:
        rows += _variance("pitch_adaptor_conv.pitch_predictor", a)
        rows += _affine("pitch_adaptor_conv.pitch_emb", channels, 1, a["pitch_kernel"])
    else:
        rows += _variance("pitch_adaptor.pitch_predictor", a)
        rows.append(("pitch_adaptor.pitch_embedding.embeddings", (a["pitch_bins"], channels)))
    if a["energy"]:
        rows += _variance("energy_adaptor.energy_predictor", a)
        rows += _affine("energy_adaptor.energy_emb", channels, 1, a["pitch_kernel"])
    return shapes | dict(rows)


def _affine(module: str, outputs: int, *rest: int) -> Iterator[tuple[str, Shape]]:
    """A weight [outputs, *rest] and a bias."""
    yield f"{module}.weight", (outputs, *rest)
    yield f"{module}.bias", (outputs,)


def _separable(module: str, outputs: int, inputs: int, kernel: int) -> Iterator[tuple[str, Shape]]:
    yield from _affine(f"{module}.pointwise.conv", outputs, inputs, 1)
    yield from _affine(f"{module}.depthwise.conv", outputs, 1, kernel)


def _predictor(module: str, inputs: int, width: int, kernel: int) -> Iterator[tuple[str, Shape]]:
    yield from _separable(f"{module}.layers.0.conv", width, inputs, kernel)
    yield from _affine(f"{module}.layers.2", width)
    yield from _separable(f"{module}.layers.4.conv", width, width, kernel)
    yield from _affine(f"{module}.layers.6", width)


def _prosody(module: str, channels: int, kernel: int, outputs: int) -> Iterator[tuple[str, Shape]]:
    yield from _predictor(module, channels, channels, kernel)
    yield from _affine(f"{module}.predictor_bottleneck", outputs, channels)


def _variance(module: str, a: dict[str, Any]) -> Iterator[tuple[str, Shape]]:
    yield from _predictor(module, a["channels"], a["variance_channels"], a["variance_kernel"])
    yield from _affine(f"{module}.linear_layer", 1, a["variance_channels"])


def _conformer(stack: str, a: dict[str, Any], embedding: int) -> Iterator[tuple[str, Shape]]:
    width, kernel, heads = a["channels"], a[f"{stack}_kernel"], a[f"{stack}_heads"]
    for i in range(a[f"{stack}_layers"]):
        block = f"{stack}.layer_stack.{i}"
        yield from _separable(f"{block}.conditioning.bsconv1d", 2 * width, width, kernel)
        yield from _affine(f"{block}.conditioning.embedding_proj", width, embedding)
        if a[f"{stack}_feed_forward"]:
            yield from _affine(f"{block}.ff.ln", width)
            yield from _affine(f"{block}.ff.conv_1", 4 * width, width, 3)
            yield from _affine(f"{block}.ff.conv_2", width, 4 * width, 1)
        for convolution in ("conformer_conv_1", "conformer_conv_2"):
            yield from _affine(f"{block}.{convolution}.ln_1", width)
            yield from _affine(f"{block}.{convolution}.conv_1.conv", 4 * width, width, 1)
            yield from _affine(f"{block}.{convolution}.depthwise.conv", 2 * width, 1, kernel)
            yield from _affine(f"{block}.{convolution}.ln_2", 2 * width)
            yield from _affine(f"{block}.{convolution}.conv_2.conv", width, 2 * width, 1)
        yield from _affine(f"{block}.ln", width)
        attention = f"{block}.slf_attn.attention"
        for bias in ("u_bias", "v_bias"):
            yield f"{attention}.{bias}", (heads, width // heads)
        for projection in ("query_proj", "out_proj"):
            yield from _affine(f"{attention}.{projection}", width, width)
        for projection in ("key_proj", "value_proj", "pos_proj"):
            yield f"{attention}.{projection}.weight", (width, width)
