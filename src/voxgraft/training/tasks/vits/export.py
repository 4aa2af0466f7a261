"""What is written of a voice: the best of a run while it goes on, and what `voxgraft export` is asked for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from voxgraft.checkpoints import Checkpoint, open_checkpoint
from voxgraft.export.pack import write_pack
from voxgraft.export.piper.load import load_vits
from voxgraft.export.piper.metadata import VoiceMetadata
from voxgraft.export.piper.to_trainer import export_trainer
from voxgraft.export.piper.trainer_checkpoint import write_slim_checkpoint
from voxgraft.export.piper.voice import export_piper, tokens_path
from voxgraft.export.scores import read_scores
from voxgraft.export.source import Source, describe_voice
from voxgraft.graft.target import Target
from voxgraft.models.vits import Vits
from voxgraft.project.run_folder import RunFolder, checkpoint_name
from voxgraft.training.loop.validation import Kept
from voxgraft.training.tasks.task import Exported, ExportRequest


def keep_voice(
    generator: Vits, metadata: VoiceMetadata, target: Target, folder: RunFolder, *, epoch: int, step: int
) -> Kept:
    """Write the weights alone into the run's folder `best`, and the voice into the project's `voices`."""
    described = replace(metadata, step=step, epoch=epoch)
    path = folder.best / checkpoint_name(epoch, step)
    path.parent.mkdir(parents=True, exist_ok=True)
    weights = {name: tensor.detach().cpu() for name, tensor in generator.state_dict().items()}
    write_slim_checkpoint(path, weights, described, target.architecture, epoch=epoch, step=step)
    return Kept(path, export_piper(generator, described, folder.voice))


def export_voice(source: Source, checkpoint: Checkpoint, request: ExportRequest) -> Exported:
    """Write a Piper voice, a pack, or a checkpoint for Piper's own trainer."""
    metadata = describe_voice(checkpoint, name=request.name, language=request.language, consent=request.consent)
    folder = request.out or (source.run.project.voices if source.run else Path("voices"))
    architecture: Any = checkpoint.architecture
    scores = read_scores(request.scores) if request.scores is not None else None
    loaded = load_vits(checkpoint)
    if request.to == "trainer":
        last = open_checkpoint(source.last) if source.last else checkpoint
        path, notes = export_trainer(loaded, metadata, architecture, folder, last)
        return Exported("trainer", metadata.voice_name, (path, path.with_name("config.json")), notes)
    if request.to == "pack":
        pack = write_pack(loaded, metadata, architecture, folder, scores=scores, archive=request.archive)
        others = [file for file in pack.files if file != pack.voice] + ([pack.archive] if pack.archive else [])
        return Exported("pack", metadata.voice_name, (pack.voice, *others))
    voice = export_piper(loaded.model, metadata, folder)
    files = (voice, voice.with_name(f"{voice.name}.json"), tokens_path(folder, metadata))
    return Exported("piper", metadata.voice_name, files)
