"""How good the voice is at a validation: by what a judge hears, or by mel distance where no judge is installed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch

from voxgraft.evaluation.judge import Judge
from voxgraft.models.vits import Vits
from voxgraft.training.loop.validation import Sample, Verdict

SEED = 20


@torch.inference_mode()
def speak(model: Vits, sentences: Sequence[Sequence[int]], scales: dict[str, float], speaker: int) -> list[np.ndarray]:
    """Each sentence (ids) as float32 [T], with the same noise every time; the global random state stays as it was."""
    was_training = model.training
    model.eval()
    device = next(model.parameters()).device
    who = torch.tensor([speaker], device=device) if model.speakers > 1 else None
    clips = []
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(SEED)
        for ids in sentences:
            audio = model.infer(
                torch.tensor([list(ids)], device=device), torch.tensor([len(ids)], device=device), speaker=who, **scales
            )
            clips.append(audio[0, 0].float().cpu().numpy())
    model.train(was_training)
    return clips


def rank(similarity: float, cer: float, base_cer: float | None, margin: float) -> Verdict:
    """Score by similarity; a voice that is understood worse than `margin` allows pays for what is over it, and is not eligible."""
    over = 0.0 if base_cer is None else max(0.0, cer - base_cer - margin)
    return Verdict(similarity - over, over == 0, cer=cer, speaker_similarity=similarity)


class JudgedSpeech:
    """Speaks fixed sentences and has them judged: highest similarity among those about as well understood as the base."""

    def __init__(
        self,
        judge: Judge,
        texts: Sequence[str],
        sentences: Sequence[Sequence[int]],
        *,
        sample_rate: int,
        scales: dict[str, float],
        speaker: int,
        margin: float,
        base_cer: float | None = None,
    ) -> None:
        self._judge = judge
        self._texts = list(texts)
        self._sentences = list(sentences)
        self._sample_rate = sample_rate
        self._scales = scales
        self._speaker = speaker
        self._margin = margin
        self.base_cer = base_cer

    def measure_base(self, model: Vits) -> Verdict:
        """The grafted model before its first step sets the error rate that others are held against."""
        verdict, _ = self(model)
        self.base_cer = verdict.cer
        return verdict

    def __call__(self, model: Vits) -> tuple[Verdict, list[Sample]]:
        clips = speak(model, self._sentences, self._scales, self._speaker)
        scored = self._judge.score([_full_scale(clip) for clip in clips], self._sample_rate, self._texts)
        return rank(scored.speaker_similarity, scored.cer, self.base_cer, self._margin), samples_of(
            clips, self._sample_rate
        )


class MelDistance:
    """Without a judge: how near the decoder comes to the validation clips, and the sentences to listen to."""

    base_cer: float | None = None

    def __init__(
        self,
        distance: Callable[[Vits], float],
        sentences: Sequence[Sequence[int]],
        *,
        sample_rate: int,
        scales: dict[str, float],
        speaker: int,
    ) -> None:
        self._distance = distance
        self._sample_rate = sample_rate
        self._sentences = list(sentences)
        self._scales = scales
        self._speaker = speaker

    def measure_base(self, model: Vits) -> Verdict:
        """The grafted model before its first step."""
        return self(model)[0]

    def __call__(self, model: Vits) -> tuple[Verdict, list[Sample]]:
        clips = speak(model, self._sentences, self._scales, self._speaker)
        was_training = model.training
        model.eval()
        distance = self._distance(model)
        model.train(was_training)
        return Verdict(-distance), samples_of(clips, self._sample_rate)


def samples_of(clips: Sequence[np.ndarray], sample_rate: int) -> list[Sample]:
    """Clips to listen to."""
    return [Sample(clip, sample_rate) for clip in clips]


def _full_scale(clip: np.ndarray) -> np.ndarray:
    """As loud as runtimes make it: they scale every sentence to its peak."""
    return clip / max(float(np.abs(clip).max(initial=0.0)), 0.01)
