"""Random draws as functions of seed, step and clip: the same after a resume, on two processes, or in smaller batches."""

from __future__ import annotations

import hashlib

import numpy as np


def generator(seed: int, *place: int | str) -> np.random.Generator:
    """A generator for one place in a run, such as ("clip", step, position). Places do not influence each other."""
    name = "/".join(str(part) for part in (seed, *place))
    return np.random.default_rng(int.from_bytes(hashlib.sha256(name.encode()).digest()[:16], "little"))
