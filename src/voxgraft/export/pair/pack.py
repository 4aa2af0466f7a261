"""write_pair_pack: a pair with everything that its next owner needs, in one folder or archive."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from voxgraft.architectures.families import family_of
from voxgraft.checkpoints.checkpoint import Checkpoint
from voxgraft.checkpoints.formats.voxgraft.write import write_safetensors
from voxgraft.export.card import voice_card
from voxgraft.export.pack import CARD, Pack, archive_of
from voxgraft.export.pair.pair import Pair
from voxgraft.export.pair.voice import export_pair
from voxgraft.export.piper.metadata import VoiceMetadata
from voxgraft.export.whole import whole_or_nothing
from voxgraft.files import write_atomically

ACOUSTIC_WEIGHTS, VOCODER_WEIGHTS = "text-to-spec.safetensors", "vocoder.safetensors"


def write_pair_pack(
    pair: Pair,
    metadata: VoiceMetadata,
    folder: str | Path,
    *,
    scores: Mapping[str, Any] | None = None,
    archive: bool = False,
) -> Pack:
    """Write FOLDER/VOICE/ with the voice, the weights of both models as safetensors, tokens.txt and a card.

    `scores` is what `voxgraft evaluate --json` prints. With `archive`, FOLDER/VOICE.zip holds the same. Raises ExportError;
    then nothing has changed.
    """
    name = metadata.voice_name
    home = Path(folder) / name
    card = voice_card(metadata, scores)
    with whole_or_nothing(home, f"{name}.onnx") as partial:
        export_pair(pair, metadata, partial)
        write_safetensors(partial / ACOUSTIC_WEIGHTS, pair.acoustic)
        write_safetensors(partial / VOCODER_WEIGHTS, _speaking(pair.vocoder))
        write_atomically(partial / CARD, card)
        names = sorted(file.name for file in partial.iterdir())
    packed = archive_of(home, names) if archive else None
    return Pack(home, home / f"{name}.onnx", tuple(home / file for file in names), packed)


def _speaking(checkpoint: Checkpoint) -> Checkpoint:
    """Without what only training uses: the discriminators are several times the generator."""
    family = family_of(checkpoint.family)
    kept = [name for name in checkpoint.tensors if family.part_of(name) in family.speaking_parts]
    return replace(checkpoint, tensors={name: checkpoint.tensors[name] for name in kept})
