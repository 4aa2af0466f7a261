"""FastSpeech 2 as EveryVoice names it: vectors of speakers and languages are added to the text, bins follow the corpus."""

from __future__ import annotations

from voxgraft.graft.rules.rules import Rules

RULES = Rules(
    zeroed=frozenset({"speaker_embedding.weight", "language_embedding.weight"}),
    of_the_corpus=frozenset({"variance_adaptor.pitch_bins", "variance_adaptor.energy_bins"}),
    why_new={"aligner": "the base has no aligner, which only training needs: learned"},
    why_dropped={
        "aligner": "the durations are given: nothing is to be aligned",
        "speaker_embedding": "the target has one speaker",
        "language_embedding": "the target has one language",
    },
)
