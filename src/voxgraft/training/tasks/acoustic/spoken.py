"""What is written of a text-to-spec model that is to be heard: with its vocoder as one voice, beside it, or as a pack."""

from __future__ import annotations

from pathlib import Path

from voxgraft.checkpoints import Checkpoint
from voxgraft.export.acoustic.families import require_text_to_spec
from voxgraft.export.pair.pack import write_pair_pack
from voxgraft.export.pair.pair import describe_pair, load_pair
from voxgraft.export.pair.side_by_side import SHERPA_NOTE, export_side_by_side
from voxgraft.export.pair.vocoder import find_vocoder, named_vocoder
from voxgraft.export.pair.voice import export_notes, export_pair
from voxgraft.export.piper.voice import tokens_path
from voxgraft.export.scores import read_scores
from voxgraft.export.source import Source
from voxgraft.training.tasks.task import Exported, ExportRequest


def export_spoken(source: Source, checkpoint: Checkpoint, request: ExportRequest) -> Exported:
    """Write a voice, both beside each other, or a pack; `onnx` does without a vocoder where none is named."""
    require_text_to_spec(checkpoint)
    folder = request.out or (source.run.project.voices if source.run else Path("voices"))
    if request.to in ("onnx", "sherpa"):
        return _side_by_side(source, checkpoint, request, folder)
    pair = load_pair(checkpoint, find_vocoder(request.vocoder, source, checkpoint))
    metadata = describe_pair(pair, name=request.name, language=request.language, consent=request.consent)
    notes = export_notes(metadata)
    if request.to == "pack":
        scores = read_scores(request.scores) if request.scores is not None else None
        pack = write_pair_pack(pair, metadata, folder, scores=scores, archive=request.archive)
        others = [file for file in pack.files if file != pack.voice] + ([pack.archive] if pack.archive else [])
        return Exported("pack", metadata.voice_name, (pack.voice, *others), notes)
    voice = export_pair(pair, metadata, folder)
    files = (voice, voice.with_name(f"{voice.name}.json"), tokens_path(folder, metadata))
    return Exported("piper", metadata.voice_name, files, notes)


def _side_by_side(source: Source, checkpoint: Checkpoint, request: ExportRequest, folder: Path) -> Exported:
    sherpa = request.to == "sherpa"
    wanted = sherpa or named_vocoder(request.vocoder, source) is not None
    vocoder = find_vocoder(request.vocoder, source, checkpoint) if wanted else None
    name = request.name or (source.run.name if source.run else source.path.stem)
    files = export_side_by_side(checkpoint, vocoder, folder / name, name, sherpa=sherpa)
    return Exported(str(request.to), name, files, (SHERPA_NOTE,) if sherpa else ())
