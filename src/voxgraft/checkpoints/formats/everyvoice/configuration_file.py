"""EveryVoice's YAML and JSON configurations, told from others and never mistaken for a checkpoint."""

from __future__ import annotations

import re
from typing import Any

from voxgraft.checkpoints.formats.everyvoice.settings import section
from voxgraft.checkpoints.source import CheckpointSource
from voxgraft.errors import CheckpointError
from voxgraft.files import open_regular
from voxgraft.yaml_file import parse_yaml

MAX_BYTES = 4 * 2**20
_MARK = re.compile(rb"^[\s{\"']*(?:path_to_\w+_config_file|source_data|g2p_engines)[\"']?\s*:", re.MULTILINE)
# What only the model of one kind has.
_KINDS = {"upsample_rates": "spec-to-wav", "variance_predictors": "text-to-spec"}
_REFERENCES = {f"path_to_{part}_config_file" for part in ("model", "training", "preprocessing", "text")}


def stated_kind(candidate: CheckpointSource) -> str | None:
    """What an EveryVoice configuration configures, such as `text-to-spec`; None for any other file."""
    if candidate.path.is_dir() or b"\0" in candidate.head or candidate.path.stat().st_size > MAX_BYTES:
        return None
    with open_regular(candidate.path) as file:
        raw = file.read(MAX_BYTES)
    if not _MARK.search(raw):
        return None
    try:
        return _kind_of(parse_yaml(raw, candidate.path))
    except CheckpointError:
        return None


def _kind_of(config: dict[str, Any]) -> str | None:
    model = section(config, "model")
    if _REFERENCES & set(config):
        found = (kind for mark, kind in _KINDS.items() if mark in model)
        return next(found, "text-to-wav" if "path_to_text_config_file" in config else "a model")
    if "source_data" in config and ("audio" in config or "path_to_audio_config_file" in config):
        return "shared data"
    return "shared text" if "symbols" in config else None


def refuse(candidate: CheckpointSource, kind: str) -> CheckpointError:
    """The error that says what it is and where its checkpoints would lie."""
    folder = _checkpoints_of(parse_yaml(candidate.path.read_bytes(), candidate.path))
    return CheckpointError(
        f"an EveryVoice configuration ({kind}), not a checkpoint",
        file=candidate.path,
        remedy=f"Give a checkpoint that training with it left, or their folder: {folder}.",
    )


def _checkpoints_of(config: dict[str, Any]) -> str:
    """Where training puts them, as far as the file says; nothing is looked up there."""
    logger = section(config, "training", "logger")
    place = str(logger.get("save_dir", "logs_and_checkpoints")), str(logger.get("name", "NAME"))
    return "/".join((*place, str(logger.get("version", "VERSION")), "checkpoints"))[:500]
