"""The names of every tensor that EveryVoice's networks need at inference, weight norm folded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from typing import Any

from voxgraft.checkpoints.formats.everyvoice.fastspeech2 import PREDICTORS
from voxgraft.checkpoints.formats.vits_tensors import folded_names
from voxgraft.errors import CheckpointError

_NORMED = ("weight", "bias", "running_mean", "running_var")
_CONFORMER = (
    *(f"{ffn}.sequential.{i}.{kind}" for ffn in ("ffn1", "ffn2") for i in (0, 1, 4) for kind in ("weight", "bias")),
    *(f"{norm}.{kind}" for norm in ("self_attn_layer_norm", "final_layer_norm") for kind in ("weight", "bias")),
    "self_attn.in_proj_weight",
    "self_attn.in_proj_bias",
    *(f"self_attn.out_proj.{kind}" for kind in ("weight", "bias")),
    *(f"conv_module.layer_norm.{kind}" for kind in ("weight", "bias")),
    *(f"conv_module.sequential.{i}.{kind}" for i in (0, 2, 5) for kind in ("weight", "bias")),
    *(f"conv_module.sequential.3.{kind}" for kind in _NORMED),
)


def check_complete(needed: Set[str], tensors: Mapping[str, Any]) -> None:
    """Raise CheckpointError naming the first tensor that is needed and absent."""
    absent = sorted(needed - folded_names(tensors))
    if absent:
        raise CheckpointError(
            f"{len(absent)} of the model's tensors are absent",
            field=absent[0],
            remedy="The file is damaged or cut down: copy it again, or take another checkpoint of the run.",
        )


def fastspeech2_names(architecture: Mapping[str, Any]) -> set[str]:
    """Canonical names of a FastSpeech2 of this architecture; those of the aligner, which only training needs, left out."""
    names = {"feature_input_layer.weight" if "features" in architecture else "text_input_layer.weight"}
    names |= {"mel_linear.weight", "mel_linear.bias"}
    for half in ("encoder", "decoder"):
        for layer in range(architecture[f"{half}_layers"]):
            names |= {f"{half}.conformer_layers.{layer}.{name}" for name in _CONFORMER}
    for predictor in PREDICTORS:
        names |= set(_predictor(predictor, architecture))
    for layer in range(architecture["postnet_layers"]):
        names |= {f"postnet.convolutions.{layer}.0.conv.{kind}" for kind in ("weight", "bias")}
        names |= {f"postnet.convolutions.{layer}.1.{kind}" for kind in _NORMED}
    tables = {"speaker_embedding.weight": "multispeaker", "language_embedding.weight": "multilingual"}
    return names | {table for table, there in tables.items() if architecture[there]} | set(_style(architecture))


def _predictor(name: str, architecture: Mapping[str, Any]) -> Iterator[str]:
    stem = f"variance_adaptor.{name}_predictor"
    convolutions = ("module.model.0", "module.model.1") if architecture[f"{name}_depthwise"] else ("module",)
    for layer in range(architecture[f"{name}_layers"]):
        for module in (*(f"0.{convolution}" for convolution in convolutions), "2"):
            yield from (f"{stem}.conv.{layer}.layers.{module}.{kind}" for kind in ("weight", "bias"))
    yield from (f"{stem}.linear.weight", f"{stem}.linear.bias")
    if f"{name}_bins" in architecture:
        yield from (f"variance_adaptor.{name}_bins", f"variance_adaptor.{name}_embedding.weight")


def _style(architecture: Mapping[str, Any]) -> Iterator[str]:
    if architecture["style_tokens"]:
        yield "gst.stl.gst_embs"
        for i in range(len(architecture["style_convolutions"])):
            yield f"gst.ref_enc.convs.{3 * i}.weight"
            yield from (f"gst.ref_enc.convs.{3 * i + 1}.{kind}" for kind in _NORMED)
        yield from (f"gst.ref_enc.gru.{kind}_{side}_l0" for kind in ("weight", "bias") for side in ("ih", "hh"))
        for module in ("linear_q", "linear_k", "linear_v", "linear_out"):
            yield from (f"gst.stl.mha.{module}.weight", f"gst.stl.mha.{module}.bias")


def generator_names(architecture: Mapping[str, Any]) -> set[str]:
    """Canonical names of a HiFi-GAN generator of this architecture."""
    stages, branches = len(architecture["upsample_rates"]), len(architecture["resblock_kernels"])
    modules = ["conv_pre", "conv_post", *(f"ups.{stage}" for stage in range(stages))]
    stems = ("convs1", "convs2") if architecture["resblock"] == "1" else ("convs",)
    for block in range(stages * branches):
        depth = len(architecture["resblock_dilations"][block % branches])
        modules += [f"resblocks.{block}.{stem}.{i}" for stem in stems for i in range(depth)]
    return {f"generator.{module}.{kind}" for module in modules for kind in ("weight", "bias")}
