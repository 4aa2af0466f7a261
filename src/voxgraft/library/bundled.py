"""Bases that come with voxgraft: a small pair for two-stage voices, trained on a published voice (CC0)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

_FOLDER = Path(__file__).parent / "bases"
# Task -> the base that `auto` means.
_OF_TASKS = {"acoustic": "tiny-en-acoustic", "vocoder": "tiny-en-vocoder"}


def bundled_bases() -> Mapping[str, Path]:
    """Name -> file."""
    return {path.stem: path for path in sorted(_FOLDER.glob("*.safetensors"))}


def bundled_for(task: str) -> Path | None:
    """The base that comes with voxgraft for a task; None where there is none."""
    return bundled_bases().get(_OF_TASKS.get(task, ""))
