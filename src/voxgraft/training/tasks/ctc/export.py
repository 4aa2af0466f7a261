"""What `voxgraft export` writes of a recogniser."""

from __future__ import annotations

from pathlib import Path

from voxgraft.checkpoints import Checkpoint
from voxgraft.export.recogniser.onnx import export_recogniser
from voxgraft.export.recogniser.pack import write_recogniser_pack
from voxgraft.export.recogniser.sherpa import tokens_beside
from voxgraft.export.scores import read_scores
from voxgraft.export.source import Source
from voxgraft.inference.recogniser.settings import settings_path
from voxgraft.training.tasks.task import Exported, ExportRequest


def export(source: Source, checkpoint: Checkpoint, request: ExportRequest) -> Exported:
    """Write an ONNX that needs no torch, or a pack of it with weights and card."""
    name = request.name or (source.run.name if source.run else source.path.stem)
    folder = request.out or (source.run.project.recognisers if source.run else Path("recognisers"))
    if request.to == "pack":
        test = read_scores(source.run.test) if source.run and source.run.test.is_file() else None
        pack = write_recogniser_pack(checkpoint, folder, name, test=test, archive=request.archive)
        return Exported("pack", name, (*pack.files, *([pack.archive] if pack.archive else [])))
    model = export_recogniser(checkpoint, folder / name, name)
    return Exported("onnx", name, (model, settings_path(model), *tokens_beside(model)))
