"""The task of vocoders."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from voxgraft.config.tasks.vocoder import VocoderConfig
from voxgraft.training.tasks.task import Evaluated, EvaluationRequest, Exported, ExportRequest, Outcome

if TYPE_CHECKING:
    from voxgraft.checkpoints import Checkpoint
    from voxgraft.config.run import RunConfig
    from voxgraft.export.source import Source
    from voxgraft.training.tasks.task import Training


class VocoderTask:
    """Vocoders: HiFi-GAN, UnivNet, Vocos."""

    name = "vocoder"
    title = "a vocoder"
    section = VocoderConfig
    exports = ("onnx", "sherpa")
    evaluates_with: frozenset[str] = frozenset()

    def begin(self, config: RunConfig) -> Training:
        """A new run, from its plan to the graft that is ready to step."""
        from voxgraft.training.tasks.vocoder.setup import begin

        return begin(config)

    def resume(self, config: RunConfig, path: Path, content: dict[str, Any]) -> Training:
        """A run that was stopped."""
        from voxgraft.training.tasks.vocoder.setup import resume

        return resume(config, path, content)

    def outcome(self, config: RunConfig, folder: Path) -> Outcome:
        """The vocoder that was exported."""
        from voxgraft.training.tasks.vocoder.outcome import outcome

        return outcome(folder)

    def open_result(self, result: str) -> Any | None:
        """A vocoder and its corpus, ready to be measured; None for anything else."""
        from voxgraft.training.tasks.vocoder.evaluate import open_result

        return open_result(result)

    def evaluate(self, opened: Any, request: EvaluationRequest) -> Evaluated:
        """How near it comes to recordings, beside its base."""
        from voxgraft.training.tasks.vocoder.evaluate import evaluate

        return evaluate(opened, request)

    def export(self, source: Source, checkpoint: Checkpoint, request: ExportRequest) -> Exported:
        """An ONNX."""
        from voxgraft.training.tasks.vocoder.export import export

        return export(source, checkpoint, request)


TASK = VocoderTask()
