"""FastSpeech 2 (Ren et al. 2021), as Coqui TTS (variant `coqui`) has it."""

from __future__ import annotations

from voxgraft.checkpoints.families.family import Family, Part

_COQUI = (
    ("emb.", "symbol_embedding"),
    ("duration_predictor.", "duration"),
    ("pitch_predictor.", "pitch"),
    ("pitch_emb.", "pitch"),
    ("energy_predictor.", "energy"),
    ("energy_emb.", "energy"),
    ("pos_encoder.", "decoder"),
    ("aligner.", "aligner"),
    ("emb_g.", "speaker_embedding"),
    ("proj_g.", "speaker_embedding"),
)

FAMILY = Family(
    name="fastspeech2",
    title="FastSpeech 2",
    task="text-to-spec",
    parts=(
        Part("symbol_embedding", "symbols"),
        Part("text_encoder", "text encoder"),
        Part("duration", "duration predictor"),
        Part("pitch", "pitch predictor"),
        Part("energy", "energy predictor"),
        Part("decoder", "decoder"),
        Part("aligner", "aligner", speaks=False),
        Part("speaker_embedding", "speakers", wanted=False),
    ),
    prefixes=(*_COQUI, ("encoder.", "text_encoder"), ("decoder.", "decoder")),
    symbol_axis={"emb.weight": 0},
    speaker_axis={"emb_g.weight": 0},
)
