"""What a recogniser's run has to show at its end."""

from __future__ import annotations

import shlex
from pathlib import Path

from voxgraft.project.run_folder import RunFolder
from voxgraft.training.tasks.ctc.testing import measures_of, read_test, told
from voxgraft.training.tasks.task import Outcome


def outcome(folder: Path) -> Outcome:
    """The test, the report and the exported recogniser of a run, as far as they are there."""
    run = RunFolder(folder)
    tested = read_test(folder)
    files = {"exported": run.recogniser_model, "report": run.report}
    files = {name: path for name, path in files.items() if path.is_file()}
    values = {
        "recogniser": str(files["exported"]) if "exported" in files else None,
        "report": str(files["report"]) if "report" in files else None,
        **measures_of(tested),
    }
    lines = list(told(tested))
    if "report" in files:
        lines.append(f"report: {files['report']}")
    if "exported" in files:
        lines.append(f"next: voxgraft transcribe {shlex.quote(str(files['exported']))} RECORDING")
    return Outcome(tuple(lines), values, files)
