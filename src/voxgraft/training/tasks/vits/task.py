"""The task of voices."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from voxgraft.config.tasks.voice import VoiceConfig
from voxgraft.training.tasks.task import Evaluated, EvaluationRequest, Exported, ExportRequest, Outcome

if TYPE_CHECKING:
    from voxgraft.checkpoints import Checkpoint
    from voxgraft.config.run import RunConfig
    from voxgraft.export.source import Source
    from voxgraft.training.tasks.task import Training


class VoiceTask:
    """VITS voices for Piper."""

    name = "voice"
    title = "a voice"
    section = VoiceConfig
    exports = ("piper", "pack", "trainer")
    evaluates_with = frozenset(("texts", "seeds", "speaker", "base_speaker", "language", "recogniser", "dnsmos"))

    def begin(self, config: RunConfig) -> Training:
        """A new run, from its plan to the graft that is ready to step."""
        from voxgraft.training.tasks.vits.setup import begin

        return begin(config)

    def resume(self, config: RunConfig, path: Path, content: dict[str, Any]) -> Training:
        """A run that was stopped."""
        from voxgraft.training.tasks.vits.setup import resume

        return resume(config, path, content)

    def outcome(self, config: RunConfig, folder: Path) -> Outcome:
        """The voice that was exported."""
        from voxgraft.training.tasks.vits.outcome import outcome

        return outcome(folder)

    def open_result(self, result: str) -> str | None:
        """Whatever no other task knows is asked for as a voice, whose errors say what is wrong with it."""
        return result

    def evaluate(self, opened: str, request: EvaluationRequest) -> Evaluated:
        """How well it is understood, how like the target it sounds and how clean, beside its base."""
        from voxgraft.training.tasks.vits.evaluate import evaluate

        return evaluate(opened, request)

    def export(self, source: Source, checkpoint: Checkpoint, request: ExportRequest) -> Exported:
        """A Piper voice, a pack, or a checkpoint for Piper's trainer."""
        from voxgraft.training.tasks.vits.export import export_voice

        return export_voice(source, checkpoint, request)


TASK = VoiceTask()
