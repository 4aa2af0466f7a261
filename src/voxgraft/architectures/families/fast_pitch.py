"""FastPitch (Łańcucki 2021) under Coqui TTS' names."""

from __future__ import annotations

from voxgraft.architectures.families.family import Family, Part

FAMILY = Family(
    name="fast_pitch",
    title="FastPitch",
    task="text-to-spec",
    parts=(
        Part("symbol_embedding", "symbols"),
        Part("text_encoder", "text encoder"),
        Part("duration", "duration predictor"),
        Part("pitch", "pitch predictor"),
        Part("decoder", "decoder"),
        Part("aligner", "aligner", speaks=False),
        Part("speaker_embedding", "speakers", wanted=False),
    ),
    prefixes=(
        ("emb.", "symbol_embedding"),
        ("encoder.", "text_encoder"),
        ("duration_predictor.", "duration"),
        ("pitch_predictor.", "pitch"),
        ("pitch_emb.", "pitch"),
        ("pos_encoder.", "decoder"),
        ("decoder.", "decoder"),
        ("aligner.", "aligner"),
        ("emb_g.", "speaker_embedding"),
        ("proj_g.", "speaker_embedding"),
    ),
    symbol_axis={"emb.weight": 0},
    speaker_axis={"emb_g.weight": 0},
)
