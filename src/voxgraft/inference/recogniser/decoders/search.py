"""beam_search: the search that fits what it is given, over frames as they come or all at once."""

from __future__ import annotations

import numpy as np

from voxgraft.inference.recogniser.decoders.decode import BeamOptions, BeamSearch, Hypothesis
from voxgraft.inference.recogniser.decoders.word_beams import WordBeamSearch, WordScores
from voxgraft.inference.recogniser.labels import Labels


def start_search(
    labels: Labels, options: BeamOptions | None = None, words: WordScores | None = None
) -> BeamSearch | WordBeamSearch:
    """A search for frames that come; labels that separate no words need no model of words."""
    if words is not None and labels.has_words:
        return WordBeamSearch(labels, words, options)
    return BeamSearch(labels, options)


def beam_search(
    log_probs: np.ndarray,
    labels: Labels,
    options: BeamOptions | None = None,
    *,
    words: WordScores | None = None,
    most: int = 1,
) -> list[Hypothesis]:
    """The `most` best texts of float [T, V], best first."""
    search = start_search(labels, options, words)
    search.push(log_probs)
    return search.finish(most)
