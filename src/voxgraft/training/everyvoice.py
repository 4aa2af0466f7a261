"""Training as EveryVoice's users know it: a configuration of text-to-spec or spec-to-wav, and changes of its settings."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from voxgraft.checkpoints.formats.everyvoice.symbols import symbols_of_settings
from voxgraft.config.everyvoice import Asked, read_everyvoice
from voxgraft.config.load import load_config
from voxgraft.config.run import RunConfig
from voxgraft.files import write_atomically
from voxgraft.progress import notice
from voxgraft.project.run_names import free_name, unfinished
from voxgraft.training.run import RunResult, train

SYMBOLS = "everyvoice-symbols.json"


def train_everyvoice(
    path: Path,
    kind: str,
    changes: Sequence[str] = (),
    overrides: Sequence[str] = (),
    values: Mapping[str, Any] | None = None,
    *,
    resume: bool = False,
) -> RunResult:
    """Train what a configuration of `kind` (text-to-spec or spec-to-wav) asks for; `changes` are of its settings, `overrides`
    and `values` of ours. The run lies in runs/ beside the folder config/.

    Raises:
        VoxgraftError: the configuration, a checkpoint or the recordings are not in order.
    """
    asked = read_everyvoice(path, kind, changes)
    for line in asked.told:
        notice(line)
    if resume:
        run = unfinished(Path((values or {}).get("output", asked.folder)), kind)
        return train(RunConfig(output=str(run.parent.parent), name=run.name), resume=True)
    return train(config_of(asked, kind, overrides, values))


def config_of(
    asked: Asked, kind: str, overrides: Sequence[str] = (), values: Mapping[str, Any] | None = None
) -> RunConfig:
    """The settings of the run that was asked for; the symbols of a model from scratch are written beside runs/."""
    output = Path((values or {}).get("output", asked.folder))
    settings: dict[str, Any] = {"output": str(output), "name": free_name(output, kind), **asked.settings}
    if asked.symbols is not None:
        table = output / SYMBOLS
        write_atomically(table, json.dumps(symbols_of_settings(asked.symbols), ensure_ascii=False, indent=1))
        settings["graft.symbols"] = str(table)
    return load_config(None, overrides, {**settings, **(values or {})})
