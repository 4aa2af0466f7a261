"""FastSpeech 2 (Ren et al. 2021), as Coqui TTS (variant `coqui`) and EveryVoice (variant `everyvoice`) have it."""

from __future__ import annotations

from voxgraft.architectures.families.family import Family, Part

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

_EVERYVOICE = (
    ("text_input_layer.", "symbol_embedding"),
    # In its place where a model reads phonological features; no row of it is a symbol.
    ("feature_input_layer.", "symbol_embedding"),
    ("position_embedding.", "text_encoder"),
    ("variance_adaptor.duration_predictor.", "duration"),
    ("variance_adaptor.pitch_", "pitch"),
    ("variance_adaptor.energy_", "energy"),
    ("variance_adaptor.attention.", "aligner"),
    ("mel_linear.", "decoder"),
    ("postnet.", "postnet"),
    ("gst.", "style"),
    ("speaker_embedding.", "speaker_embedding"),
    ("language_embedding.", "language_embedding"),
)

FAMILY = Family(
    name="fastspeech2",
    title="FastSpeech 2",
    task="acoustic",
    parts=(
        Part("symbol_embedding", "symbols"),
        Part("text_encoder", "text encoder"),
        Part("duration", "duration predictor"),
        Part("pitch", "pitch predictor"),
        Part("energy", "energy predictor"),
        Part("decoder", "decoder"),
        Part("postnet", "postnet", wanted=False),
        Part("style", "style tokens", wanted=False),
        Part("aligner", "aligner", speaks=False),
        Part("speaker_embedding", "speakers", wanted=False),
        Part("language_embedding", "languages", wanted=False),
    ),
    prefixes=(*_COQUI, *_EVERYVOICE, ("encoder.", "text_encoder"), ("decoder.", "decoder")),
    symbol_axis={"emb.weight": 0, "text_input_layer.weight": 0},
    speaker_axis={"emb_g.weight": 0, "speaker_embedding.weight": 0},
    language_axis={"language_embedding.weight": 0},
    switches=("multispeaker", "multilingual"),
    unlike={"coqui": "Coqui TTS' FastSpeech 2 is another network than EveryVoice's, which is the one that is run here"},
)
