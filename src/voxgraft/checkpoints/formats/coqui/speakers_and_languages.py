"""Speakers and languages of a Coqui TTS model: from its configuration, or from the files of names beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from voxgraft.checkpoints.formats.coqui.config import Config, read_data
from voxgraft.checkpoints.formats.coqui.vocabulary import languages_of
from voxgraft.errors import CheckpointError

_SPEAKER_FILES = ("speakers.json", "speakers.pth", "speaker_ids.json", "speaker_ids.pth")
_LANGUAGE_FILES = ("language_ids.json", "language_ids.pth")


def speakers_of(config: Config, rows: int, files: Mapping[str, Path], notes: list[str]) -> tuple[str, ...]:
    """A name for each row of the speaker embedding, the row's number where nobody named it; one for a single voice.

    `files` are the files that lie beside the checkpoint, by their names.
    """
    if rows:
        named = _listed(config.get("speakers")) or _from_files(config, "speakers_file", _SPEAKER_FILES, files, notes)
        return _rows_named(named, rows, "speakers", notes)
    alone = list(_listed(config.get("speakers")))
    return (alone[0] if len(alone) == 1 else dataset_of(config) or "default",)


def language_names(config: Config, rows: int, files: Mapping[str, Path], notes: list[str]) -> tuple[str, ...]:
    """A name for each row of the language embedding; without one, the languages that the configuration names."""
    if not rows:
        return languages_of(config.fields)
    named = _from_files(config, "language_ids_file", _LANGUAGE_FILES, files, notes) or _listed(config.get("languages"))
    return _rows_named(named, rows, "languages", notes)


def dataset_of(config: Config) -> str | None:
    """Names of the recordings that it was trained on, where they have any."""
    datasets = config.fields.get("datasets")
    entries = [entry for entry in datasets if isinstance(entry, dict)] if isinstance(datasets, list) else []
    names = [entry.get("dataset_name") or entry.get("name") for entry in entries]
    return ", ".join(dict.fromkeys(name[:80] for name in names if isinstance(name, str) and name)) or None


def _listed(names: object) -> dict[str, int]:
    """Names by their places; a name of digits may stand there as a number."""
    if not isinstance(names, list) or not all(type(name) in (str, int) for name in names):
        return {}
    return {str(name): number for number, name in enumerate(names)}


def _from_files(
    config: Config, field: str, usual: Iterable[str], files: Mapping[str, Path], notes: list[str]
) -> dict[str, int]:
    """Names and numbers from the file that the configuration names, or one of the usual name; never from elsewhere."""
    stated = config.get(field)
    wanted = [stated.replace("\\", "/").rpartition("/")[2]] if isinstance(stated, str) else []
    for name in dict.fromkeys([*wanted, *usual]):
        if name not in files:
            continue
        try:
            found = _numbered(read_data(files[name]))
        except CheckpointError as fault:
            notes.append(f"{name} beside it is not used: {fault.problem}")
            continue
        if found:
            return found
        notes.append(f"{name} beside it holds no names and is not used")
    return {}


def _numbered(data: Any) -> dict[str, int]:
    """Name -> number, as a mapping says it, or by the order of the speakers whose voice vectors a file holds."""
    if not isinstance(data, dict):
        return {}
    if all(type(number) is int for number in data.values()):
        return data
    voices = [entry.get("name") for entry in data.values() if isinstance(entry, dict)]
    return {name: number for number, name in enumerate(dict.fromkeys(v for v in voices if isinstance(v, str)))}


def _rows_named(named: Mapping[str, int], rows: int, what: str, notes: list[str]) -> tuple[str, ...]:
    by_row = {number: name for name, number in named.items()}
    if named and len(named) != rows:
        notes.append(f"{len(named)} {what} are named, the tensors have {rows}: the tensors win")
    return tuple(by_row.get(row, str(row)) for row in range(rows))
