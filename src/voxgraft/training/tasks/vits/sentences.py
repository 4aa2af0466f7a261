"""What the voice says at each validation: the project's own sentences, built-in ones, or validation texts."""

from __future__ import annotations

from collections.abc import Sequence

from voxgraft.config.run import RunConfig
from voxgraft.errors import EvaluationError
from voxgraft.evaluation.sentences import validation_sentences
from voxgraft.training.tasks.vits.examples import Example

COUNT = 6


def validation_texts(config: RunConfig, language: str, validation: Sequence[Example]) -> tuple[str, ...]:
    """Sentences that are never trained on."""
    if config.voice.sentences:
        return config.voice.sentences
    try:
        return validation_sentences(language, COUNT)
    except EvaluationError:
        return tuple(example.prepared.utterance.text for example in validation[:COUNT])
