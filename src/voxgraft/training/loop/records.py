"""metrics.jsonl: a line a step and a line a validation; a resume drops what it is about to do again."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path
from typing import Any

from voxgraft.files import write_atomically


class Records:
    """Appends to metrics.jsonl, and to TensorBoard's event files where tensorboard is installed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / "metrics.jsonl"
        self._events: Any = None
        self._began = time.monotonic()

    def begin(self, step: int) -> None:
        """Forget what lies after the step that the run is at."""
        self._events = _event_writer(self._folder / "tensorboard", step)
        _drop_after(self._path, step)

    def write(self, step: int, kind: str, values: dict[str, Any]) -> None:
        """One line: step, kind, seconds since this process began, and the values."""
        line = {"step": step, "kind": kind, "seconds": round(time.monotonic() - self._began, 2)}
        line |= {name: _plain(value) for name, value in values.items()}
        with open(self._path, "a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
        for name, value in values.items():
            if self._events is not None and isinstance(value, int | float):
                self._events.add_scalar(f"{kind}/{name}", value, step)

    def close(self) -> None:
        """Close the event file."""
        if self._events is not None:
            self._events.close()


def _plain(value: Any) -> Any:
    """As JSON has it, which knows no NaN."""
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    return value


def _event_writer(folder: Path, from_step: int) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(folder), purge_step=from_step)


def _drop_after(path: Path, step: int) -> None:
    if not path.exists():
        return
    kept = []
    for line in path.read_text("utf-8").splitlines():
        try:
            if json.loads(line)["step"] <= step:
                kept.append(line + "\n")
        except (ValueError, KeyError, TypeError):
            continue  # A kill can cut the last line short.
    write_atomically(path, "".join(kept))
