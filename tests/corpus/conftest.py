"""Small corpora of tones: as loud, long and clean as a test needs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from tests.corpus.tones import RATE, tone

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write `write("wavs/a.wav", seconds=1)` below the corpus folder, which is `tmp_path / "in"`."""

    def write(name: str, seconds: float = 1.0, rate: int = RATE, x: np.ndarray | None = None, **options) -> Path:
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, tone(seconds, rate) if x is None else x, rate, **options)
        return path

    (tmp_path / "in").mkdir()
    return write


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """The corpus folder."""
    return tmp_path / "in"
