"""FastConformer with a CTC head (Rekesh et al. 2023), as NVIDIA's Parakeet has it, under `transformers`' names."""

from __future__ import annotations

from voxgraft.architectures.families.family import Family, Part

_MOST_LAYERS = 48

FAMILY = Family(
    name="fastconformer",
    title="FastConformer-CTC",
    task="recogniser",
    parts=(
        Part("subsampling", "subsampling"),
        Part("encoder", "encoder"),
        Part("head", "output layer"),
    ),
    prefixes=(
        ("encoder.subsampling.", "subsampling"),
        ("encoder.layers.", "encoder"),
        ("ctc_head.", "head"),
    ),
    symbol_axis={"ctc_head.weight": 0, "ctc_head.bias": 0},
    layers=(
        ("encoder.subsampling.",),
        *((f"encoder.layers.{i}.",) for i in range(_MOST_LAYERS)),
        ("ctc_head.",),
    ),
)
