"""validated: others' settings held against what is known of them; the first fault is one clear error."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from voxgraft.errors import CheckpointError, shown


class Settings(BaseModel):
    """Others' settings: unknown fields belong to them and are left alone, known ones must be right."""

    model_config = ConfigDict(frozen=True, extra="ignore")


Kind = TypeVar("Kind", bound=BaseModel)


def validated(kind: type[Kind], data: Any, path: Path, remedy: str, within: tuple[str, ...] = ()) -> Kind:
    """`data` from the file `path`, where it lies `within` these fields, as a `kind`. Raises CheckpointError naming the field."""
    try:
        return kind.model_validate(data)
    except ValidationError as fault:
        first = fault.errors(include_url=False)[0]
        raise CheckpointError(
            first["msg"].removeprefix("Value error, "),
            file=path,
            field=".".join(str(part) for part in (*within, *first["loc"])) or None,
            got=None if first["type"] == "missing" else shown(first["input"]),
            remedy=remedy,
        ) from fault
