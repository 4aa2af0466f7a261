"""Which weights of past bests stay: those that a run which is killed now would go on from."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any


class Bests:
    """The best that the last checkpoint holds to be best, and the one before it, should the last turn out damaged."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._named: tuple[str, ...] = ()

    def checkpoint_written(self, validation: Mapping[str, Any]) -> None:
        """A checkpoint with this state of the validation is on disk: forget what no checkpoint names any more."""
        best = validation["best"]
        self._named = (*self._named[-1:], best["weights"] if best else "")
        self._keep_only(self._named)

    def finished(self, validation: Mapping[str, Any]) -> None:
        """Only the best is left of a run that has ended."""
        best = validation["best"]
        self._keep_only([best["weights"]] if best else [])

    def _keep_only(self, names: Collection[str]) -> None:
        for path in self._folder.glob("epoch=*"):
            if path.name not in names:
                path.unlink()
