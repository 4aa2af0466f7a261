"""VITS (Kim et al. 2021) as Piper names it: conditioning layers and why a tensor may be new or unused."""

from __future__ import annotations

SYMBOL_EMBEDDING = "enc_p.emb.weight"
SPEAKER_EMBEDDING = "emb_g.weight"

# Layers that add a speaker's vector: (pattern of the layer, the biases to which its output is added).
# `{layer}` counts the layers of a WaveNet stack, whose condition is one wide vector cut into equal pieces.
CONDITIONS: tuple[tuple[str, str], ...] = (
    (r"dec\.cond", "dec.conv_pre.bias"),
    (r"dp\.cond", "dp.pre.bias"),
    (r"(?P<stack>(?:enc_q|flow\.flows\.\d+)\.enc)\.cond_layer", "{stack}.in_layers.{layer}.bias"),
)

WHY_NEW: dict[str, str] = {
    "posterior": "the base has no posterior encoder: recovered by self-distillation before training",
    "duration_posterior": "only trains durations and the base lacks it: recovered by self-distillation before training",
    "discriminator": "the base has no such discriminator: learned, alone in the first steps",
    "speaker_embedding": "the base has one speaker: vectors of speakers are learned",
}
WHY_NEW_OTHERWISE = "the base has no such tensor"

WHY_ZERO = "the base has one speaker: zero, so that every speaker starts as the base's voice and nothing is disturbed"

WHY_DROPPED: dict[str, str] = {
    "discriminator": "this run trains no discriminator of this kind",
    "posterior": "the target has no posterior encoder",
}
WHY_DROPPED_OTHERWISE = "unknown to this model"

WHY_OTHER_SHAPE = "shape differs"
WHY_FOLDED = "what the speaker adds through the conditioning layers is added once and for all: exact"
