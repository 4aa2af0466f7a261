"""YAML of others: bounded, plain data only, no aliases that a few lines can blow up into gigabytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from voxgraft.errors import CheckpointError

_MAX_BYTES = 4 * 2**20
_REMEDY = "Get the file again from where the model came from."


class _PlainLoader(yaml.SafeLoader):
    """Plain data without aliases."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError(
                "it refers back to an earlier value with `*`, which is not allowed here: write the value out"
            )
        return super().compose_node(parent, index)


def parse_yaml(raw: bytes, path: Path) -> dict[str, Any]:
    """The mapping in a document that was read from `path`. Raises CheckpointError."""
    if len(raw) > _MAX_BYTES:
        raise CheckpointError("far too large", file=path, expected=f"at most {_MAX_BYTES} bytes", remedy=_REMEDY)
    try:
        document = yaml.load(raw.decode("utf-8-sig"), Loader=_PlainLoader)  # noqa: S506 - a SafeLoader
    except (yaml.YAMLError, ValueError, RecursionError, OverflowError) as fault:
        raise CheckpointError(f"not YAML: {' '.join(str(fault).split())[:120]}", file=path, remedy=_REMEDY) from fault
    if not isinstance(document, dict):
        raise CheckpointError("no YAML mapping", file=path, got=type(document).__name__, remedy=_REMEDY)
    return document
