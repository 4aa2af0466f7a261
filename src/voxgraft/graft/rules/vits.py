"""VITS (Kim et al. 2021) as Piper names it: conditioning layers and why a tensor may be new or unused."""

from __future__ import annotations

from voxgraft.graft.rules.rules import Rules

RULES = Rules(
    conditions=(
        (r"dec\.cond", "dec.conv_pre.bias"),
        (r"dp\.cond", "dp.pre.bias"),
        (r"(?P<stack>(?:enc_q|flow\.flows\.\d+)\.enc)\.cond_layer", "{stack}.in_layers.{layer}.bias"),
    ),
    speaker_embedding="emb_g.weight",
    why_new={
        "posterior": "the base has no posterior encoder: recovered by self-distillation before training",
        "duration_posterior": "only trains durations and the base lacks it: recovered by self-distillation before training",
        "discriminator": "the base has no such discriminator: learned, alone in the first steps",
        "speaker_embedding": "the base has one speaker: vectors of speakers are learned",
    },
    why_dropped={
        "discriminator": "this run trains no discriminator of this kind",
        "posterior": "the target has no posterior encoder",
    },
    why_silent="the base has one speaker: zero, so that every speaker starts as the base's voice and nothing is disturbed",
    recovered=("posterior", "duration_posterior"),
)
