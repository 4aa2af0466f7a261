"""verify: an exported voice says the same as the model it was made from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from voxgraft.errors import ExportError, VoxgraftError

if TYPE_CHECKING:
    from voxgraft.inference.voice.voice import Voice
    from voxgraft.models.vits import Vits

TOLERANCE = 1e-3
# Symbols in a sentence: none at all, fewer than the attention window is wide, ordinary, long.
LENGTHS = (0, 1, 3, 20, 90)
# A duration that lies right on a whole frame may round either way; at another tempo it doesn't.
TEMPOS = (1.0, 1.13, 0.91)


@dataclass(frozen=True)
class Verified:
    """What was compared: the largest difference of any sample, full scale being 1, over `cases` sentences."""

    difference: float
    cases: int


def verify(onnx: Path, model: Vits, *, tolerance: float = TOLERANCE) -> Verified:
    """Speak sentences of several lengths with both at zero noise, the first and the last speaker.

    `model` is in evaluation mode on the CPU. Raises ExportError where the file can't be loaded or differs.
    """
    from voxgraft.inference.voice.voice import Voice

    try:
        # One thread: threads that spin while they wait would take the cores from torch.
        voice = Voice.load(onnx, threads=1)
        worst, cases = 0.0, 0
        for ids, speaker in _sentences(voice, model.speakers):
            worst = max(worst, _difference(voice, model, ids, speaker, tolerance))
            cases += 1
    except ExportError:
        raise
    except VoxgraftError as fault:
        raise ExportError(
            f"the exported voice can't be used: {fault.problem}", field=fault.field, remedy=fault.remedy
        ) from fault
    return Verified(worst, cases)


def _sentences(voice: Voice, speakers: int) -> Iterator[tuple[tuple[int, ...], int | None]]:
    random = np.random.default_rng(0)
    symbols = voice.symbols.symbols
    for length in LENGTHS:
        ids = voice.symbols.encode(str(random.choice(symbols)) for _ in range(length)).ids
        if not ids:
            continue
        for speaker in sorted({0, speakers - 1}):
            yield ids, speaker if speakers > 1 else None


def _difference(voice: Voice, model: Vits, ids: Sequence[int], speaker: int | None, tolerance: float) -> float:
    pairs = []
    for tempo in TEMPOS:
        ours = _by_torch(model, ids, speaker, tempo)
        if not np.isfinite(ours).all():
            raise ExportError(
                "the model speaks numbers that are not finite",
                field=f"a sentence of {len(ids)} ids",
                remedy="Export an earlier checkpoint, and train with a lower learning rate.",
            )
        theirs = voice.speak_ids(ids, noise_scale=0.0, noise_w=0.0, length_scale=tempo, speaker=speaker)
        pairs.append((len(ours), len(theirs)))
        if len(ours) == len(theirs):
            difference = float(np.abs(ours - theirs).max())
            if difference <= tolerance:
                return difference
            raise _mismatch(ids, f"at most {tolerance:g} apart", f"{difference:.2g}")
    raise _mismatch(ids, f"{pairs[0][0]} samples", pairs[0][1])


def _by_torch(model: Vits, ids: Sequence[int], speaker: int | None, tempo: float) -> np.ndarray:
    import torch

    with torch.no_grad():
        audio = model.infer(
            torch.tensor([list(ids)]),
            torch.tensor([len(ids)]),
            noise_scale=0.0,
            noise_w=0.0,
            length_scale=tempo,
            speaker=None if speaker is None else torch.tensor([speaker]),
        )
    return audio.reshape(-1).numpy()


def _mismatch(ids: Sequence[int], expected: str, got: object) -> ExportError:
    return ExportError(
        "the exported voice doesn't say the same as the model",
        field=f"a sentence of {len(ids)} ids",
        expected=expected,
        got=got,
        remedy="Nothing was written; report it with the versions of torch and onnxruntime that `pip list` shows.",
    )
