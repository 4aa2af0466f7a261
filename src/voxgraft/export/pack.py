"""write_pack: a voice with everything that its next owner needs, in one folder or archive."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from voxgraft.checkpoints.formats.voxgraft.write import write_tensors
from voxgraft.export.card import voice_card
from voxgraft.export.piper.load import Loaded
from voxgraft.export.piper.metadata import VoiceMetadata
from voxgraft.export.piper.voice import export_piper
from voxgraft.export.whole import whole_or_nothing
from voxgraft.files import replacing, write_atomically

CARD = "card.md"
# The earliest date that a zip can hold: the same voice makes the same archive.
EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Pack:
    """Where a pack lies: its folder, its voice, all its files, and the archive if one was asked for."""

    folder: Path
    voice: Path
    files: tuple[Path, ...]
    archive: Path | None = None


def write_pack(
    loaded: Loaded,
    metadata: VoiceMetadata,
    architecture: Mapping[str, Any],
    folder: str | Path,
    *,
    scores: Mapping[str, Any] | None = None,
    archive: bool = False,
) -> Pack:
    """Write FOLDER/VOICE/ with the voice for Piper, its weights as safetensors, tokens.txt and a card.

    `scores` is what `voxgraft evaluate --json` prints. With `archive`, FOLDER/VOICE.zip holds the same.
    Raises ExportError; then nothing has changed.
    """
    name = metadata.voice_name
    home = Path(folder) / name
    card = voice_card(metadata, scores)
    with whole_or_nothing(home, f"{name}.onnx") as partial:
        export_piper(loaded.model, metadata, partial)
        weights: dict[str, np.ndarray] = {n: t.detach().cpu().numpy() for n, t in loaded.tensors.items()}
        write_tensors(partial / f"{name}.safetensors", weights, metadata.for_weights(architecture))
        write_atomically(partial / CARD, card)
        names = sorted(file.name for file in partial.iterdir())
    files = tuple(home / file for file in names)
    packed = archive_of(home, names) if archive else None
    return Pack(home, home / f"{name}.onnx", files, packed)


def archive_of(home: Path, names: list[str]) -> Path:
    """A zip whose bytes depend on the files alone; stored, for weights don't compress."""
    path = home.with_name(f"{home.name}.zip")
    with replacing(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as packed:
        for name in names:
            entry = zipfile.ZipInfo(f"{home.name}/{name}", EPOCH)
            entry.external_attr = 0o644 << 16
            packed.writestr(entry, (home / name).read_bytes())
    return path
