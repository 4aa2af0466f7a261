"""The task of voices."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from voxgraft.training.tasks.task import Outcome

if TYPE_CHECKING:
    from voxgraft.config.run import RunConfig
    from voxgraft.training.tasks.task import Training


class VoiceTask:
    """VITS voices for Piper."""

    name = "voice"
    title = "a voice"

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


TASK = VoiceTask()
