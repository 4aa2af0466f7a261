"""Glow-TTS (Kim et al. 2020) under Coqui TTS' names."""

from __future__ import annotations

from voxgraft.architectures.families.family import Family, Part

FAMILY = Family(
    name="glow_tts",
    title="Glow-TTS",
    task="acoustic",
    parts=(
        Part("text_encoder", "text encoder"),
        Part("duration", "duration predictor"),
        Part("decoder", "flow decoder"),
        Part("speaker_embedding", "speakers", wanted=False),
    ),
    prefixes=(
        ("encoder.duration_predictor.", "duration"),
        ("encoder.", "text_encoder"),
        ("decoder.", "decoder"),
        ("emb_g.", "speaker_embedding"),
    ),
    symbol_axis={"encoder.emb.weight": 0},
    speaker_axis={"emb_g.weight": 0},
    switches=("multispeaker",),
)
