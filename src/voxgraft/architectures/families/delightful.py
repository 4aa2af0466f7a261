"""DelightfulTTS (Liu et al. 2021) as VoiceSmith built it, under tts-framework's names."""

from __future__ import annotations

from voxgraft.architectures.families.family import Family, Part

FAMILY = Family(
    name="delightful",
    title="DelightfulTTS",
    task="acoustic",
    parts=(
        Part("text_encoder", "text encoder"),
        Part("prosody_predictors", "prosody predictors"),
        Part("prosody_encoders", "prosody encoders", speaks=False),
        Part("aligner", "aligner", speaks=False),
        Part("pitch", "pitch"),
        # VoiceSmith has none.
        Part("energy", "energy", wanted=False),
        Part("duration", "duration predictor"),
        Part("decoder", "decoder"),
        Part("speaker_embedding", "speakers"),
        Part("language_embedding", "languages"),
        # Where the losses are and the units of pitch: ours alone keep it in the checkpoint.
        Part("schedule", "schedule of the losses", speaks=False, wanted=False),
        # Older files of tts-framework carry a whole vocoder along.
        Part("vocoder", "vocoder inside", speaks=False, wanted=False),
    ),
    prefixes=(
        ("src_word_emb", "text_encoder"),
        ("encoder.", "text_encoder"),
        ("utterance_prosody_predictor.", "prosody_predictors"),
        ("phoneme_prosody_predictor.", "prosody_predictors"),
        ("u_bottle_out.", "prosody_predictors"),
        ("p_bottle_out.", "prosody_predictors"),
        ("utterance_prosody_encoder.", "prosody_encoders"),
        ("phoneme_prosody_encoder.", "prosody_encoders"),
        ("aligner.", "aligner"),
        ("pitch_adaptor_conv.", "pitch"),
        ("pitch_adaptor.", "pitch"),
        ("energy_adaptor.", "energy"),
        ("length_regulator.", "duration"),
        ("decoder.", "decoder"),
        ("to_mel.", "decoder"),
        ("speaker_embed", "speaker_embedding"),
        ("lang_embed", "language_embedding"),
        ("vocoder.", "vocoder"),
        ("loss_step", "schedule"),
        ("pitches_stat", "schedule"),
        ("pitch_scale", "schedule"),
    ),
    symbol_axis={"src_word_emb": 0},
    speaker_axis={"speaker_embed": 0},
    language_axis={"lang_embed": 0},
    whole=frozenset({"vocoder"}),
)
