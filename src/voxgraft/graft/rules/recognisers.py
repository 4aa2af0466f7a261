"""Encoders that grow an output layer for an alphabet, under the names that `transformers` would give it."""

from __future__ import annotations

from voxgraft.graft.rules.rules import Rules

_WHY_HEAD = "the base has no output layer over letters: learned"

WAV2VEC2 = Rules(why_new={"head": _WHY_HEAD}, head=("lm_head", "wav2vec2.encoder.layer_norm.weight"))
# Its decoder writes text by a model of its own; under CTC the encoder stands alone.
WHISPER = Rules(
    why_new={"head": _WHY_HEAD},
    why_dropped={"decoder": "a recogniser over an alphabet needs the encoder alone"},
    head=("ctc_head", "model.encoder.layer_norm.weight"),
    headless=frozenset({"decoder"}),
)
