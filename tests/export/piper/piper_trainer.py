"""Piper's own trainer, importable: its wheel ships without the Cython module that aligns text and audio."""

from __future__ import annotations

import sys
import types
from typing import Any

import numpy as np
import pytest


def vits_model() -> Any:
    """piper-tts's LightningModule; skips where it is not installed."""
    pytest.importorskip("lightning")
    pytest.importorskip("piper.train")
    mas = pytest.importorskip("monotonic_alignment_search")
    import torch

    def maximum_path_c(paths, values, t_ys, t_xs) -> None:
        for i, (y, x) in enumerate(zip(t_ys, t_xs, strict=True)):
            score = torch.from_numpy(np.ascontiguousarray(values[i, :y, :x].T))[None]
            paths[i, :y, :x] = mas.maximum_path(score, torch.ones_like(score))[0].T.numpy()

    name = "piper.train.vits.monotonic_align.monotonic_align"
    package, core = types.ModuleType(name), types.ModuleType(f"{name}.core")
    package.__path__, core.maximum_path_c = [], maximum_path_c  # type: ignore[attr-defined]
    sys.modules.setdefault(name, package)
    sys.modules.setdefault(f"{name}.core", core)
    from piper.train.vits.lightning import VitsModel

    return VitsModel
