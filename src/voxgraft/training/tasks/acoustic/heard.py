"""evaluate_heard: a text-to-spec model judged by what is heard of it through its vocoder, as any voice is."""

from __future__ import annotations

from dataclasses import replace

from voxgraft.architectures.families import family_of
from voxgraft.checkpoints import open_checkpoint
from voxgraft.errors import VoxgraftError
from voxgraft.export.source import find_source
from voxgraft.export.speakable import speakable
from voxgraft.progress import notice
from voxgraft.project.project import FROM_SCRATCH, as_trained
from voxgraft.training.tasks.task import Evaluated, EvaluationRequest
from voxgraft.training.tasks.vits.evaluate import evaluate


def evaluate_heard(result: str, request: EvaluationRequest) -> Evaluated:
    """Scores of the pair beside the base's: its own pair, with `base_vocoder` or the result's where it can read it."""
    voice = speakable(result, request.language, request.vocoder)
    return evaluate(str(voice), replace(request, base=_base(request)))


def _base(request: EvaluationRequest) -> str | None:
    """The voice of what the model started from; a base that is not asked for may be one that can't be heard."""
    named = request.base
    if named is None and request.project is not None:
        own = as_trained(request.project).base
        named = own if own != FROM_SCRATCH else None
    if named is None:
        return None
    try:
        return _speaking(named, request)
    except VoxgraftError as fault:
        if request.base is not None:
            raise
        notice(f"note: the result is judged alone; its base can't be heard: {fault.summary}")
        return None


def _speaking(named: str, request: EvaluationRequest) -> str:
    source = find_source(named)
    if source.path.suffix == ".onnx" or family_of(open_checkpoint(source.path).family).kind != "text-to-spec":
        return named
    return str(speakable(named, request.language, request.base_vocoder or request.vocoder))
