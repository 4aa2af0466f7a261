"""An exported text-to-spec model, alone or with a vocoder behind it, says the same as the network it was made from."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import nn

from voxgraft.checkpoints.checkpoint import Checkpoint
from voxgraft.errors import ExportError
from voxgraft.export.acoustic.families import Tables
from voxgraft.export.acoustic.speaking import Scales, speak

# Symbols in a sentence: one, a few, ordinary, long.
LENGTHS = (1, 3, 20, 90)
# A duration that lies right on a whole frame may round either way; in another sentence it doesn't.
TRIES = 4
TURNED = (("length_scale", 1.3), ("pitch_scale", 1.2), ("energy_scale", 0.8))


@dataclass(frozen=True)
class Sentence:
    """`tries` are ids of equal length, of which the first that is rounded alike is compared."""

    tries: tuple[tuple[int, ...], ...]
    speaker: int
    language: int
    plain: bool
    ids: tuple[int, ...] = ()

    def turned(self, controls: Collection[str]) -> dict[str, float]:
        """Scales to speak it with."""
        return {name: value for name, value in TURNED if not self.plain and name in controls}


def sentences(checkpoint: Checkpoint, tables: Tables) -> Iterator[Sentence]:
    """Random sentences of several lengths, with the first and the last speaker and language, plain and turned."""
    random = np.random.default_rng(0)
    assert checkpoint.symbols is not None
    known = sorted({number for numbers in checkpoint.symbols.ids.values() for number in numbers})
    for number, length in enumerate(LENGTHS):
        tries = tuple(tuple(int(i) for i in random.choice(known, length)) for _ in range(TRIES))
        last = number % 2 == 1
        yield Sentence(tries, (tables.speakers - 1) * last, (tables.languages - 1) * last, plain=number < 2)


def compared(
    family: str,
    network: nn.Module,
    sentence: Sentence,
    exported: Callable[[Sentence], np.ndarray],
    ours: Callable[[torch.Tensor], np.ndarray],
    tolerance: float,
) -> float:
    """The largest difference of what both make of a sentence, as a share of what is above 1. ExportError over the tolerance."""
    from voxgraft.export.acoustic.families import CONTROLS

    turned = sentence.turned(CONTROLS[family])
    scales = Scales(**{name.removesuffix("_scale"): value for name, value in turned.items()})
    shapes: tuple[object, object] = (None, None)
    for ids in sentence.tries:
        with torch.no_grad():
            mel, _ = speak(
                family,
                network,
                torch.tensor([ids]),
                torch.tensor([len(ids)]),
                scales,
                torch.tensor([sentence.speaker]),
                torch.tensor([sentence.language]),
            )
            expected = ours(mel)
        if not np.isfinite(expected).all():
            raise ExportError(
                "the model speaks numbers that are not finite",
                field=f"a sentence of {len(ids)} ids",
                remedy="Export an earlier checkpoint, and train with a lower learning rate.",
            )
        found = exported(replace(sentence, ids=ids))
        shapes = (expected.shape, found.shape)
        if expected.shape == found.shape:
            difference = float((np.abs(found - expected) / np.maximum(1, np.abs(expected))).max())
            if difference <= tolerance:
                return difference
            shapes = (f"at most {tolerance:g} apart", f"{difference:.2g}")
    raise ExportError(
        "what was exported doesn't say the same as the model",
        field=f"a sentence of {len(sentence.tries[0])} ids",
        expected=shapes[0],
        got=shapes[1],
        remedy="Nothing was written; report it with the versions of torch and onnxruntime that `pip list` shows.",
    )
