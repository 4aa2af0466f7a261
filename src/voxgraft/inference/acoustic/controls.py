"""Controls: how a sentence is to be said, and whose voice it is in."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from voxgraft.errors import TextError

# What may be turned -> what it is called where it is asked for, and its least and greatest.
RANGES = {
    "length_scale": ("pace", 0.05, 20.0),
    "pitch_scale": ("pitch", 0.0, 10.0),
    "energy_scale": ("energy", 0.0, 10.0),
    "noise_scale": ("noise", 0.0, 10.0),
}


@dataclass(frozen=True)
class Controls:
    """Factors on what a model predicts; None is the model's own. `pace` above 1 is slower. `speaker` and `language` are names
    or numbers."""

    pace: float | None = None
    pitch: float | None = None
    energy: float | None = None
    noise: float | None = None
    speaker: str | int | None = None
    language: str | int | None = None

    def scales(
        self, heeded: Collection[str], inputs: Collection[str], path: Path, *, noise: float, length: float
    ) -> dict[str, NDArray[np.generic]]:
        """What to feed to the inputs of that kind that a model has. Raises TextError for one out of range, or that it can't heed."""
        feed: dict[str, NDArray[np.generic]] = {}
        for name, (word, low, high) in RANGES.items():
            asked: float | None = getattr(self, word)
            if asked is not None and name not in heeded and word != "noise":
                raise TextError(
                    f"this model has no {word} that could be changed",
                    file=path,
                    field=word,
                    expected=", ".join(RANGES[control][0] for control in RANGES if control in heeded),
                    got=asked,
                    remedy=f"Leave the {word} out.",
                )
            value = asked if asked is not None else {"length_scale": length, "noise_scale": noise}.get(name, 1.0)
            if not math.isfinite(value) or not low <= value <= high:
                raise TextError(
                    f"the {word} is out of range",
                    field=word,
                    expected=f"a number from {low:g} to {high:g}",
                    got=value,
                    remedy=f"Leave the {word} out for the model's own.",
                )
            if name in inputs:
                feed[name] = np.array([value], np.float32)
        return feed


def chosen(what: str, asked: str | int | None, names: Sequence[str], path: Path) -> int:
    """The id of a speaker or a language by name or number, the first for None. Raises TextError naming those that there are."""
    if asked is None:
        return 0
    if asked in names:
        return names.index(str(asked))
    number = int(asked) if str(asked).isdecimal() else -1
    if 0 <= number < len(names):
        return number
    known = ", ".join(names[:8]) + (", …" if len(names) > 8 else "")
    raise TextError(
        f"the model has no such {what}",
        file=path,
        field=what,
        expected=f"one of {known}" if known else f"none: this model knows a single {what}",
        got=asked,
        remedy=f"Name one of the model's {what}s, or its number.",
    )
