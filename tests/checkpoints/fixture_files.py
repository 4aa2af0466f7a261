"""Where the authentic fixtures lie, and copies of them to damage."""

import shutil
from pathlib import Path

from tests import paths

PIPER = paths.FIXTURES / "piper"
DEEPSPEECH = PIPER.with_name("deepspeech")


def copied(name: str, folder: Path, as_name: str | None = None) -> Path:
    """A fixture in `folder`, an exported voice with its configuration beside it."""
    target = folder / (as_name or name)
    shutil.copy(PIPER / name, target)
    if name.endswith(".onnx"):
        shutil.copy(PIPER / f"{name}.json", folder / f"{target.name}.json")
    return target
