"""What is written of a vocoder: the best of a run at its end, and what `voxgraft export` is asked for."""

from __future__ import annotations

from pathlib import Path

from voxgraft.checkpoints import Checkpoint
from voxgraft.export.source import Source
from voxgraft.export.vocoder.onnx import export_vocoder
from voxgraft.progress import notice
from voxgraft.training.tasks.task import Exported, ExportRequest


def export_best(checkpoint: Checkpoint, path: Path) -> Path:
    """The ONNX of a run's best."""
    exported = export_vocoder(checkpoint, path)
    notice(f"exported: {exported}")
    return exported


def export(source: Source, checkpoint: Checkpoint, request: ExportRequest) -> Exported:
    """Write an ONNX that needs no torch; `sherpa` is that of a Vocos for sherpa-onnx."""
    name = request.name or (source.run.name if source.run else source.path.stem)
    folder = request.out or (source.run.project.vocoders if source.run else Path("vocoders"))
    to = request.to or "onnx"
    model = export_vocoder(checkpoint, folder / f"{name}.onnx", spectrum=to == "sherpa")
    return Exported(to, name, (model,))
