"""The task of text-to-spec models."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from voxgraft.config.tasks.acoustic import AcousticConfig
from voxgraft.training.tasks.task import Evaluated, EvaluationRequest, Exported, ExportRequest, Outcome

if TYPE_CHECKING:
    from voxgraft.checkpoints import Checkpoint
    from voxgraft.config.run import RunConfig
    from voxgraft.export.source import Source
    from voxgraft.training.tasks.task import Training


class AcousticTask:
    """From text to a mel spectrogram, which a vocoder makes heard."""

    name = "acoustic"
    title = "a text-to-spec model"
    section = AcousticConfig
    exports = ("piper", "onnx", "sherpa", "pack", "weights")
    evaluates_with = frozenset(
        ("texts", "seeds", "speaker", "base_speaker", "language", "recogniser", "dnsmos", "vocoder", "base_vocoder")
    )

    def begin(self, config: RunConfig) -> Training:
        """A new run, from its plan to the graft that is ready to step."""
        from voxgraft.training.tasks.acoustic.setup import begin

        return begin(config)

    def resume(self, config: RunConfig, path: Path, content: dict[str, Any]) -> Training:
        """A run that was stopped."""
        from voxgraft.training.tasks.acoustic.setup import resume

        return resume(config, path, content)

    def outcome(self, config: RunConfig, folder: Path) -> Outcome:
        """The best weights."""
        from voxgraft.training.tasks.acoustic.outcome import outcome

        return outcome(folder)

    def open_result(self, result: str) -> Any | None:
        """Weights of a text-to-spec model; None for anything else."""
        from voxgraft.training.tasks.acoustic.evaluate import acoustic_result

        return acoustic_result(result)

    def evaluate(self, opened: Any, request: EvaluationRequest) -> Evaluated:
        """What is heard through a vocoder, or mel distance and errors of durations on recordings, beside its base."""
        from voxgraft.training.tasks.acoustic.evaluate import evaluate

        return evaluate(opened, request)

    def export(self, source: Source, checkpoint: Checkpoint, request: ExportRequest) -> Exported:
        """A voice with its vocoder, both beside each other, a pack, or the weights alone."""
        from voxgraft.training.tasks.acoustic.export import export

        return export(source, checkpoint, request)


TASK = AcousticTask()
