"""The settings that a run keeps in its folder: written once, when it begins, and read whole or not at all."""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from voxgraft.config.document import parse_document, read_text
from voxgraft.config.load import config_of_document, dump_config, is_text_setting
from voxgraft.config.moved import moved_document, tell_nothing
from voxgraft.config.run import RunConfig
from voxgraft.errors import ConfigError
from voxgraft.files import write_atomically

_GUARD = re.compile(r"# voxgraft: the settings of a run; sha256 of the lines below: ([0-9a-f]{64})\n")
# Files of earlier versions have no guard: what each of them holds to its end.
_OF_EVERY_RUN = {"corpus": "path", "training": "devices", "evaluation": "cer_margin"}
_LAST_OF_RECOGNISERS = "augment"


def write_run_config(config: RunConfig, path: Path) -> None:
    """Keep the settings that a run begins with."""
    text = dump_config(config)
    guard = f"# voxgraft: the settings of a run; sha256 of the lines below: {_digest(text)}\n"
    write_atomically(path, guard + text)


def load_run_config(path: Path) -> RunConfig:
    """The settings that a run began with.

    Raises:
        ConfigError: the file is not there, was cut short or changed, or holds what is no setting.
    """
    text = read_text(path)
    guard = _GUARD.match(text)
    if guard is not None and guard[1] != _digest(text[guard.end() :]):
        raise _damaged("was cut short or changed since the run began", path)
    document = parse_document(text, path, is_text_setting)
    if guard is None and not (text.endswith("\n") and _is_whole(document.values)):
        raise _damaged("was cut short: settings that every run has are missing", path)
    return config_of_document(moved_document(document, path, tell_nothing), path)


def _digest(text: str) -> str:
    return sha256(text.encode("utf-8")).hexdigest()


def _is_whole(values: Mapping[str, Any]) -> bool:
    """Whether settings without a guard are all that an earlier version wrote."""
    for section, name in _OF_EVERY_RUN.items():
        if not isinstance(values.get(section), Mapping) or name not in values[section]:
            return False
    if values.get("task") != "recogniser" and "recogniser" not in values:
        return True
    recogniser = values.get("recogniser")
    return isinstance(recogniser, Mapping) and _LAST_OF_RECOGNISERS in recogniser


def _damaged(problem: str, path: Path) -> ConfigError:
    return ConfigError(
        problem,
        file=path,
        remedy="Restore the file from a copy, or begin the run again under another name (--set name=…).",
    )
