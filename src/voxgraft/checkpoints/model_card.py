"""ModelCard: what the YAML head of a README.md says, as Hugging Face's model cards have it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from voxgraft.checkpoints.licence import stated_licence
from voxgraft.errors import CheckpointError
from voxgraft.files import open_regular
from voxgraft.yaml_file import parse_yaml

_MAX_BYTES = 2**18
_HEAD = re.compile(rb"\A\s*---[ \t]*\r?\n(.*?)^---[ \t]*\r?$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class ModelCard:
    """Licence, datasets and languages as their maker states them."""

    licence: str | None = None
    datasets: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    source: str | None = None
    notes: tuple[str, ...] = ()


def card_beside(path: Path) -> ModelCard:
    """The card in the folder of `path`; where it has no head, the licence that other files beside it state."""
    licence, source = stated_licence(path)
    card = path.with_name("README.md")
    if not card.is_file():
        return ModelCard(licence, source=source)
    with open_regular(card) as file:
        head = _HEAD.match(file.read(_MAX_BYTES))
    if head is None:
        return ModelCard(licence, source=source)
    try:
        stated = parse_yaml(head[1], card)
    except CheckpointError as fault:
        return ModelCard(notes=(f"README.md: its head can't be read and states no licence: {fault.problem}",))
    named = _texts(stated.get("license"))
    if named in ((), ("other",)):
        named = _texts(stated.get("license_name")) or named
    return ModelCard(", ".join(named) or None, _texts(stated.get("datasets")), _texts(stated.get("language")), source)


def _texts(value: object) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    return tuple(text[:200] for text in values[:2000] if isinstance(text, str) and text.strip())
