"""DelightfulTTS as tts-framework names it: what of it follows the corpus and the run, and what VoiceSmith lacks."""

from __future__ import annotations

from voxgraft.graft.rules.rules import Rules

RULES = Rules(
    of_the_corpus=frozenset({"pitch_adaptor.pitch_bins", "pitches_stat", "pitch_scale", "loss_step"}),
    why_new={
        "prosody_encoders": "the base has no reference encoders, which only training needs: learned",
        "aligner": "the base has no aligner, which only training needs: learned",
    },
    why_dropped={"vocoder": "a text-to-spec model is trained without a vocoder"},
)
