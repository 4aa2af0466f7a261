"""Copies of the Hugging Face fixtures to damage, and safetensors written by hand."""

import json
import shutil
import struct
from pathlib import Path

import numpy as np
from tests import paths

HUGGING_FACE = paths.FIXTURES / "hugging_face"


def folder_copy(name: str, target: Path) -> Path:
    """A fixture folder in `target`."""
    return Path(shutil.copytree(HUGGING_FACE / name, target / name))


def rewritten(path: Path, **changes: object) -> Path:
    """A JSON file with some of its keys changed."""
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | changes), "utf-8")
    return path


def safetensors(header: dict | bytes, data: bytes = b"", length: int | None = None) -> bytes:
    """A file of safetensors with exactly this header, its length as stated."""
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(raw) if length is None else length) + raw + data


def reference(name: str) -> dict[str, np.ndarray]:
    """What the peer's model said."""
    with np.load(HUGGING_FACE / name / "reference.npz") as file:
        return {key: file[key] for key in file}
