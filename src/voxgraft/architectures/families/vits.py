"""VITS (Kim et al. 2021) under its authors' names, which Piper keeps."""

from __future__ import annotations

from voxgraft.architectures.families.family import Family, Part

FAMILY = Family(
    name="vits",
    title="VITS",
    task="voice",
    parts=(
        Part("text_encoder", "text encoder"),
        Part("duration_posterior", "duration posterior", speaks=False, wanted=False),
        Part("duration", "duration predictor"),
        Part("flow", "flow"),
        Part("posterior", "posterior encoder", speaks=False),
        Part("decoder", "decoder"),
        Part("speaker_embedding", "speakers", wanted=False),
        Part("language_embedding", "languages", wanted=False),
        Part("discriminator", "discriminators", speaks=False),
    ),
    prefixes=(
        ("enc_p.", "text_encoder"),
        ("dp.post_", "duration_posterior"),
        # Inference leaves this one flow out (the original's "remove a useless vflow").
        ("dp.flows.1.", "duration_posterior"),
        ("dp.", "duration"),
        ("flow.", "flow"),
        ("enc_q.", "posterior"),
        ("dec.", "decoder"),
        ("emb_g.", "speaker_embedding"),
        ("emb_l.", "language_embedding"),
        ("discriminator", "discriminator"),
    ),
    symbol_axis={"enc_p.emb.weight": 0},
    speaker_axis={"emb_g.weight": 0},
    language_axis={"emb_l.weight": 0},
    # Two kinds of discriminator may share some names and shapes.
    whole=frozenset({"discriminator"}),
)
