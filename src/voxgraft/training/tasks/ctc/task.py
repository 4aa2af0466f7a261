"""The task of recognisers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from voxgraft.training.tasks.task import Outcome

if TYPE_CHECKING:
    from voxgraft.config.run import RunConfig
    from voxgraft.training.tasks.task import Training


class RecogniserTask:
    """Any encoder with a CTC head."""

    name = "recogniser"
    title = "a recogniser"

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


TASK = RecogniserTask()
