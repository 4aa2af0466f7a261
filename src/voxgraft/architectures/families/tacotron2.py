"""Tacotron 2 (Shen et al. 2018) under Coqui TTS' names, its second, coarse decoder included."""

from __future__ import annotations

from voxgraft.architectures.families.family import Family, Part

FAMILY = Family(
    name="tacotron2",
    title="Tacotron 2",
    task="text-to-spec",
    parts=(
        Part("symbol_embedding", "symbols"),
        Part("text_encoder", "text encoder"),
        Part("decoder", "decoder"),
        Part("postnet", "postnet"),
        Part("style", "style tokens", wanted=False),
        Part("coarse_decoder", "coarse decoder", speaks=False, wanted=False),
        Part("backward_decoder", "backward decoder", speaks=False, wanted=False),
        Part("speaker_embedding", "speakers", wanted=False),
    ),
    prefixes=(
        ("embedding.", "symbol_embedding"),
        ("encoder.", "text_encoder"),
        ("decoder.", "decoder"),
        ("postnet.", "postnet"),
        ("gst_layer.", "style"),
        ("capacitron_vae_layer.", "style"),
        ("coarse_decoder.", "coarse_decoder"),
        ("decoder_backward.", "backward_decoder"),
        ("speaker_embedding.", "speaker_embedding"),
        ("emb_g.", "speaker_embedding"),
    ),
    symbol_axis={"embedding.weight": 0},
    speaker_axis={"speaker_embedding.weight": 0, "emb_g.weight": 0},
)
