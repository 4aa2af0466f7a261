"""wav2vec 2.0 (Baevski et al. 2020), XLS-R and MMS, with or without a CTC head, under `transformers`' names."""

from __future__ import annotations

from voxgraft.architectures.families.family import Family, Part

# As many as XLS-R with two thousand million parameters has.
_MOST_LAYERS = 48

FAMILY = Family(
    name="wav2vec2",
    title="wav2vec 2.0",
    task="recogniser",
    parts=(
        Part("features", "feature encoder"),
        Part("projection", "feature projection"),
        Part("mask", "mask embedding", speaks=False, wanted=False),
        Part("positions", "positional convolution"),
        Part("adapters", "language adapters", wanted=False),
        Part("encoder", "transformer"),
        Part("downsampling", "downsampling adapter", wanted=False),
        Part("head", "output layer"),
        Part("quantiser", "quantiser of pre-training", speaks=False, wanted=False),
    ),
    prefixes=(
        ("wav2vec2.feature_extractor.", "features"),
        ("wav2vec2.feature_projection.", "projection"),
        ("wav2vec2.masked_spec_embed", "mask"),
        ("wav2vec2.encoder.pos_conv_embed.", "positions"),
        *((f"wav2vec2.encoder.layers.{i}.adapter_layer.", "adapters") for i in range(_MOST_LAYERS)),
        ("wav2vec2.encoder.", "encoder"),
        ("wav2vec2.adapter.", "downsampling"),
        ("lm_head.", "head"),
        ("quantizer.", "quantiser"),
        ("project_q.", "quantiser"),
        ("project_hid.", "quantiser"),
    ),
    symbol_axis={"lm_head.weight": 0, "lm_head.bias": 0},
    layers=(
        ("wav2vec2.feature_extractor.",),
        ("wav2vec2.feature_projection.", "wav2vec2.encoder.pos_conv_embed."),
        *((f"wav2vec2.encoder.layers.{i}.",) for i in range(_MOST_LAYERS)),
        ("lm_head.",),
    ),
)
