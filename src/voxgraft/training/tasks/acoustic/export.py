"""What `voxgraft export` writes of a text-to-spec model."""

from __future__ import annotations

from pathlib import Path

from voxgraft.checkpoints import Checkpoint
from voxgraft.checkpoints.formats.voxgraft.write import write_safetensors
from voxgraft.export.source import Source
from voxgraft.training.tasks.acoustic.spoken import export_spoken
from voxgraft.training.tasks.task import Exported, ExportRequest


def export(source: Source, checkpoint: Checkpoint, request: ExportRequest) -> Exported:
    """Write what is heard with a vocoder, or the weights as safetensors that say what they are."""
    if request.to != "weights":
        return export_spoken(source, checkpoint, request)
    name = request.name or (source.run.name if source.run else source.path.stem)
    folder = request.out or (source.run.project.path / "acoustic" if source.run else Path("acoustic"))
    path = folder / f"{name}.safetensors"
    write_safetensors(path, checkpoint)
    return Exported("weights", name, (path,))
