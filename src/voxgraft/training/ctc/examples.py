"""Examples of a recogniser: transcripts as labels, features on disk, and batches of both.

Letters: B clips, T frames, C coefficients, N labels.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch

from voxgraft.audio.recogniser_features import hears_samples
from voxgraft.corpus.augmentation import Augmenter
from voxgraft.corpus.features import Heard, features_of
from voxgraft.errors import CorpusError
from voxgraft.inference.labels import Labels
from voxgraft.progress import notice
from voxgraft.text.transcript import plain
from voxgraft.training.draws import generator


@dataclass(frozen=True)
class Example:
    """One utterance: `labels` [N] of its transcript `text`; sound and features stay on disk."""

    heard: Heard
    text: str
    labels: np.ndarray

    @property
    def id(self) -> str:
        """The utterance's."""
        return self.heard.utterance.id

    @property
    def frames(self) -> int:
        """Frames T of its features."""
        return self.heard.frames

    @property
    def needed(self) -> int:
        """Frames of output that CTC needs: one a label, and a blank between equal ones."""
        return len(self.labels) + int((self.labels[1:] == self.labels[:-1]).sum())


@dataclass(frozen=True)
class Batch:
    """features [B, T, C], lengths [B]; labels [B, N], label_lengths [B]; clips [B] their indices. `total` is how many
    labels the whole step has, on all processes, as a tensor of one."""

    features: torch.Tensor
    lengths: torch.Tensor
    labels: torch.Tensor
    label_lengths: torch.Tensor
    clips: torch.Tensor
    total: torch.Tensor

    def __len__(self) -> int:
        return len(self.clips)

    def part(self, begin: int, end: int) -> Batch:
        """Clips begin to end alone."""
        return self._each(lambda name, value: value if name == "total" else value[begin:end])

    def to(self, device: torch.device) -> Batch:
        """The same on another device."""
        return self._each(lambda _, value: value.to(device, non_blocking=True))

    def _each(self, change: Callable[[str, torch.Tensor], torch.Tensor]) -> Batch:
        return Batch(**{f.name: change(f.name, getattr(self, f.name)) for f in fields(self)})


def transcript(text: str, labels: Labels, kind: str) -> str:
    """A transcript as the recogniser is to write it: `plain` or `as_is`."""
    if kind == "as_is":
        return " ".join(text.split())
    return plain(text, () if labels.bytes else frozenset("".join(s for s in labels.spellings if s)))


def make_examples(
    heard: Sequence[Heard], labels: Labels, kind: str, what: str, *, strict: bool = False, skip_bad: bool = False
) -> tuple[Example, ...]:
    """Spell every transcript.

    Where `strict`, CorpusError names characters that no label spells, unless `skip_bad` leaves their utterances out.
    Otherwise they count as errors of whoever hears them.
    """
    examples, strange, clips = [], Counter[str](), dict[str, list[str]]()
    for one in heard:
        text = transcript(one.utterance.text, labels, kind)
        spelt = labels.spell(text)
        strange.update(spelt.unknown)
        for character in spelt.unknown:
            clips.setdefault(character, []).append(one.utterance.id)
        if not (spelt.unknown and strict):
            examples.append(Example(one, text, np.array(spelt.labels, np.int64)))
    if strange:
        _report(strange, clips, what, strict, skip_bad)
    return tuple(examples)


def _report(strange: Counter[str], clips: dict[str, list[str]], what: str, strict: bool, skip_bad: bool) -> None:
    count = len({name for names in clips.values() for name in names})
    shown = [f"{c!r} {n}× ({', '.join(clips[c][:2])})" for c, n in strange.most_common(8)]
    told = ", ".join(shown) + (f" and {len(strange) - 8} more" if len(strange) > 8 else "")
    problem = f"{count} utterances of {what} hold characters that the alphabet lacks: {told}"
    if not strict:
        notice(f"warning: {problem}; they count as errors")
    elif skip_bad:
        notice(f"left out: {problem}")
    else:
        raise CorpusError(
            problem,
            field="graft.alphabet",
            remedy="mend the transcripts, give an alphabet with these characters (--alphabet_config_path, graft.alphabet), derive "
            "one (recogniser.alphabet=corpus), or leave these utterances out (corpus.skip_bad=true)",
        )


def learnable(
    examples: Sequence[Example], frames_of: Callable[[torch.Tensor], torch.Tensor], limits: tuple[float, float]
) -> tuple[Example, ...]:
    """Those that can be learned from; the others are told of, with the reason."""
    lengths = frames_of(torch.tensor([example.frames for example in examples])).tolist() if examples else []
    shortest, longest = limits
    kept, reasons = [], dict[str, str]()
    for example, frames in zip(examples, lengths, strict=True):
        seconds = example.heard.utterance.duration
        if not shortest <= seconds <= longest:
            reasons[example.id] = (
                f"{seconds:.2f} s long, outside corpus.shortest {shortest:g} to corpus.longest {longest:g}"
            )
        elif not len(example.labels):
            reasons[example.id] = "nothing of its transcript can be written with the alphabet"
        elif frames < example.needed:
            reasons[example.id] = f"{frames} frames for {len(example.labels)} labels: too short for its transcript"
        else:
            kept.append(example)
    for name, reason in list(reasons.items())[:5]:
        notice(f"left out of training: {name}: {reason}")
    if len(reasons) > 5:
        notice(f"left out of training: {len(reasons)} utterances in all")
    if not kept:
        raise CorpusError(
            f"none of the {len(examples)} utterances can be trained on",
            got=next(iter(reasons.values()), "an empty corpus"),
            remedy="run `voxgraft corpus check PROJECT` to see what is wrong with each",
        )
    return tuple(kept)


def make_batch(
    examples: Sequence[Example],
    clips: Sequence[int],
    *,
    step: int = 0,
    first: int = 0,
    total: int | None = None,
    seed: int = 0,
    augmenter: Augmenter | None = None,
    progress: float = 0.0,
) -> Batch:
    """The clips of a step, or those from place `first` on of a larger one, whose labels are `total` in all."""
    chosen = [examples[clip] for clip in clips]
    heard = [
        _augmented(example, augmenter, seed, step, place, progress) if augmenter else example.heard.features
        for place, example in enumerate(chosen, first)
    ]
    count = sum(len(example.labels) for example in chosen)
    longest = max((len(one) for one in heard), default=0)
    features = np.zeros((len(heard), longest, heard[0].shape[1] if heard else 0), np.float32)
    labels = np.zeros((len(chosen), max((len(example.labels) for example in chosen), default=0)), np.int64)
    for row, (one, example) in enumerate(zip(heard, chosen, strict=True)):
        features[row, : len(one)] = one
        labels[row, : len(example.labels)] = example.labels
    return Batch(
        features=torch.from_numpy(features),
        lengths=torch.tensor([len(one) for one in heard]),
        labels=torch.from_numpy(labels),
        label_lengths=torch.tensor([len(example.labels) for example in chosen]),
        clips=torch.tensor(list(clips)),
        total=torch.tensor([count if total is None else total]),
    )


def _augmented(example: Example, augmenter: Augmenter, seed: int, step: int, place: int, progress: float) -> np.ndarray:
    spec, features = example.heard.spec, example.heard.features
    if augmenter.changes_sound:
        features = features_of(
            augmenter.sound(example.heard.sound, generator(seed, "sound", step, place), progress), spec
        )
    frame_seconds = (1 if hears_samples(spec) else spec.hop) / spec.sample_rate
    return augmenter.features(features, frame_seconds, generator(seed, "features", step, place), progress)
