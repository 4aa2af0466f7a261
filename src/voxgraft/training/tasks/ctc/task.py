"""The task of recognisers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from voxgraft.config.tasks.ctc import RecogniserConfig
from voxgraft.training.tasks.task import Evaluated, EvaluationRequest, Exported, ExportRequest, Outcome

if TYPE_CHECKING:
    from voxgraft.checkpoints import Checkpoint
    from voxgraft.config.run import RunConfig
    from voxgraft.export.source import Source
    from voxgraft.training.tasks.task import Training


class RecogniserTask:
    """Any encoder with a CTC head."""

    name = "recogniser"
    title = "a recogniser"
    section = RecogniserConfig
    exports = ("onnx", "pack")
    evaluates_with: frozenset[str] = frozenset()

    def begin(self, config: RunConfig) -> Training:
        """A new run, from its alphabet to the graft that is ready to step."""
        from voxgraft.training.tasks.ctc.setup import begin

        return begin(config)

    def resume(self, config: RunConfig, path: Path, content: dict[str, Any]) -> Training:
        """A run that was stopped."""
        from voxgraft.training.tasks.ctc.setup import resume

        return resume(config, path, content)

    def outcome(self, config: RunConfig, folder: Path) -> Outcome:
        """What was tested, exported and reported."""
        from voxgraft.training.tasks.ctc.outcome import outcome

        return outcome(folder)

    def open_result(self, result: str) -> Any | None:
        """A recogniser that is ready to hear; None for anything else."""
        from voxgraft.export.recogniser.ready import ready_recogniser

        return ready_recogniser(result)

    def evaluate(self, opened: Any, request: EvaluationRequest) -> Evaluated:
        """Errors on recordings, beside the base's."""
        from voxgraft.training.tasks.ctc.evaluate import evaluate

        return evaluate(opened, request)

    def export(self, source: Source, checkpoint: Checkpoint, request: ExportRequest) -> Exported:
        """An ONNX, or a pack."""
        from voxgraft.training.tasks.ctc.export import export

        return export(source, checkpoint, request)


TASK = RecogniserTask()
