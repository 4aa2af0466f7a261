"""The names of every tensor that a VITS voice needs at inference, weight norm folded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

FLOWS = 4
FLOW_LAYERS = 4
DURATION_FLOWS = (3, 5, 7)
DURATION_LAYERS = 3


def inference_names(architecture: Mapping[str, Any]) -> set[str]:
    """Canonical names that an exported voice of this architecture has."""
    conditioned = architecture["speakers"] > 1 and architecture["gin_channels"] > 0
    names = {"enc_p.emb.weight", *_pair("enc_p.proj"), *_text_encoder(architecture["layers"])}
    flows, layers = architecture.get("flows", FLOWS), architecture.get("flow_layers", FLOW_LAYERS)
    names |= set(_flows(conditioned, flows, layers)) | set(_decoder(architecture, conditioned))
    names |= set(_stochastic_durations() if architecture["stochastic_duration"] else _plain_durations())
    if conditioned:
        names |= {"emb_g.weight", *_pair("dp.cond")}
    return names


def _pair(module: str) -> tuple[str, str]:
    return f"{module}.weight", f"{module}.bias"


def _norm(module: str) -> tuple[str, str]:
    return f"{module}.gamma", f"{module}.beta"


def _text_encoder(layers: int) -> Iterator[str]:
    for i in range(layers):
        yield from (f"enc_p.encoder.attn_layers.{i}.emb_rel_{side}" for side in "kv")
        for module in "qkvo":
            yield from _pair(f"enc_p.encoder.attn_layers.{i}.conv_{module}")
        for k in (1, 2):
            yield from _pair(f"enc_p.encoder.ffn_layers.{i}.conv_{k}")
            yield from _norm(f"enc_p.encoder.norm_layers_{k}.{i}")


def _flows(conditioned: bool, flows: int, layers: int) -> Iterator[str]:
    # Every other one is a reversal without parameters.
    for i in range(0, 2 * flows, 2):
        for module in ("pre", "post", *(["enc.cond_layer"] if conditioned else [])):
            yield from _pair(f"flow.flows.{i}.{module}")
        for layer in range(layers):
            yield from _pair(f"flow.flows.{i}.enc.in_layers.{layer}")
            yield from _pair(f"flow.flows.{i}.enc.res_skip_layers.{layer}")


def _decoder(architecture: Mapping[str, Any], conditioned: bool) -> Iterator[str]:
    stages = len(architecture["upsample_rates"])
    stems = ("convs1", "convs2") if architecture["resblock"] == "1" else ("convs",)
    yield from (*_pair("dec.conv_pre"), "dec.conv_post.weight")
    if conditioned:
        yield from _pair("dec.cond")
    for i in range(stages):
        yield from _pair(f"dec.ups.{i}")
    for i in range(stages * len(architecture["resblock_kernels"])):
        depth = len(architecture["resblock_dilations"][i % len(architecture["resblock_kernels"])])
        for stem in stems:
            for j in range(depth):
                yield from _pair(f"dec.resblocks.{i}.{stem}.{j}")


def _separable(module: str) -> Iterator[str]:
    for j in range(DURATION_LAYERS):
        yield from (*_pair(f"{module}.convs_sep.{j}"), *_pair(f"{module}.convs_1x1.{j}"))
        yield from (*_norm(f"{module}.norms_1.{j}"), *_norm(f"{module}.norms_2.{j}"))


def _stochastic_durations() -> Iterator[str]:
    yield from (*_pair("dp.pre"), *_pair("dp.proj"), *_separable("dp.convs"), "dp.flows.0.m", "dp.flows.0.logs")
    for i in DURATION_FLOWS:
        yield from (*_pair(f"dp.flows.{i}.pre"), *_pair(f"dp.flows.{i}.proj"), *_separable(f"dp.flows.{i}.convs"))


def _plain_durations() -> Iterator[str]:
    yield from (*_pair("dp.conv_1"), *_pair("dp.conv_2"), *_pair("dp.proj"))
    yield from (*_norm("dp.norm_1"), *_norm("dp.norm_2"))
