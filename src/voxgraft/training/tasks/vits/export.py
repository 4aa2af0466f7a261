"""What is kept of a voice's run: the weights of the best, and the voice that they are."""

from __future__ import annotations

from dataclasses import replace

from voxgraft.export.piper.metadata import VoiceMetadata
from voxgraft.export.piper.trainer_checkpoint import write_slim_checkpoint
from voxgraft.export.piper.voice import export_piper
from voxgraft.graft.target import Target
from voxgraft.models.vits import Vits
from voxgraft.project.run_folder import RunFolder, checkpoint_name
from voxgraft.training.loop.validation import Kept


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
