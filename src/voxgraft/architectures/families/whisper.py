"""Whisper (Radford et al. 2022) under `transformers`' names; its encoder is what a CTC head grows on."""

from __future__ import annotations

from voxgraft.architectures.families.family import Family, Part

# As many as the large models have.
_MOST_LAYERS = 32

FAMILY = Family(
    name="whisper",
    title="Whisper",
    task="recogniser",
    parts=(
        Part("convolutions", "convolutions"),
        Part("positions", "positions"),
        Part("encoder", "encoder"),
        # Its byte-pair text model is of no use to a recogniser with an alphabet of its own.
        Part("decoder", "decoder (not used)", speaks=False, wanted=False),
        Part("head", "CTC head", wanted=False),
    ),
    prefixes=(
        ("model.encoder.conv", "convolutions"),
        ("model.encoder.embed_positions.", "positions"),
        ("model.encoder.", "encoder"),
        ("model.decoder.", "decoder"),
        ("proj_out.", "decoder"),
        ("ctc_head.", "head"),
    ),
    layers=(
        ("model.encoder.conv1.", "model.encoder.conv2.", "model.encoder.embed_positions."),
        *((f"model.encoder.layers.{i}.",) for i in range(_MOST_LAYERS)),
        ("ctc_head.",),
    ),
    symbol_axis={"ctc_head.weight": 0, "ctc_head.bias": 0},
)
