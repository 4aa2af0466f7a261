"""Judge: a voice speaks texts; how well it is understood, and how like the target it sounds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from voxgraft.evaluation.metrics.recogniser import Recogniser
from voxgraft.evaluation.metrics.speaker import SpeakerEncoder, similarity, target_of
from voxgraft.evaluation.metrics.transcript import character_errors, pooled, word_errors

Speak = Callable[[str, int], np.ndarray]


@dataclass(frozen=True)
class Impression:
    """What a few sentences tell: pooled error rates, and the mean similarity to the target."""

    cer: float
    wer: float
    speaker_similarity: float
    heard: tuple[str, ...]


class Judge:
    """Recogniser, speaker encoder and target, loaded once: for validation while a voice is trained."""

    def __init__(
        self,
        target: Sequence[tuple[np.ndarray, int]],
        *,
        language: str = "en",
        recogniser: str = "auto",
        threads: int = 2,
    ) -> None:
        """`target`: recordings of the wanted voice, each (float32 [T], sample rate)."""
        self._recogniser = Recogniser(recogniser, language=language, threads=threads)
        self._encoder = SpeakerEncoder()
        self.target = target_of([self._encoder.embed(*recording) for recording in target])

    def score(self, clips: Sequence[np.ndarray], sample_rate: int, texts: Sequence[str]) -> Impression:
        """Score spoken clips [T] against their texts."""
        heard = tuple(self._recogniser.transcribe(clip, sample_rate) for clip in clips)
        pairs = list(zip(texts, heard, strict=True))
        likeness = [similarity(self._encoder.embed(clip, sample_rate), self.target) for clip in clips]
        return Impression(
            cer=pooled([character_errors(*pair) for pair in pairs]),
            wer=pooled([word_errors(*pair) for pair in pairs]),
            speaker_similarity=float(np.mean(likeness)),
            heard=heard,
        )

    def score_voice(self, speak: Speak, sample_rate: int, texts: Sequence[str], seed: int = 0) -> Impression:
        """Let the voice speak each text, then score it."""
        return self.score([speak(text, seed) for text in texts], sample_rate, texts)
