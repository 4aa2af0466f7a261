"""The hyper-parameters of an EveryVoice checkpoint: plain data, nothing of it trusted, no path of it followed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_DEEPEST = 32
_LONGEST = 1000


def plain(value: Any, depth: int = 0) -> Any:
    """JSON's own types; anything else as text."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return value
    if depth < _DEEPEST and isinstance(value, Mapping):
        return {str(key): plain(item, depth + 1) for key, item in value.items()}
    if depth < _DEEPEST and isinstance(value, list | tuple):
        return [plain(item, depth + 1) for item in value]
    return str(value)[:_LONGEST]


def section(data: Any, *names: str) -> dict[str, Any]:
    """The mapping under a path of names; empty where there is none."""
    for name in names:
        data = data.get(name) if isinstance(data, dict) else None
    return data if isinstance(data, dict) else {}


def whole(data: Mapping[str, Any], name: str, default: int, most: int = 2**20) -> int:
    """A whole number above zero."""
    value = data.get(name)
    return value if type(value) is int and 0 < value < most else default


def number(data: Mapping[str, Any], name: str, default: float) -> float:
    """A number from zero on."""
    value = data.get(name)
    return float(value) if isinstance(value, int | float) and 0 <= value < 1e9 else default


def names_of(lookup: Any, count: int | None) -> tuple[str, ...]:
    """The names in a table of name -> id by their ids, `count` of them; the id itself where nobody named it."""
    ids = lookup.items() if isinstance(lookup, dict) else ()
    names = {number: str(name) for name, number in ids if type(name) in (str, int) and type(number) is int}
    if count is None:
        return tuple(names[number] for number in sorted(names))
    return tuple(names.get(number, str(number)) for number in range(count))


def maker(config: Mapping[str, Any]) -> tuple[str, ...]:
    """Whom to ask about a model, and what is stated about the permission to use its data."""
    contact = section(config, "contact")
    said = [f"contact: {contact.get('contact_name')} <{contact.get('contact_email')}>"[:_LONGEST]] if contact else []
    for source in _sources(config):
        obtained = source.get("permissions_obtained")
        if isinstance(obtained, bool):
            stated = "permission" if obtained else "no permission"
            said.append(f"{stated} to use the recordings of {str(source.get('label'))[:200]}")
    return tuple(said)


def dataset_of(config: Mapping[str, Any]) -> str | None:
    """The name of the data that it was trained on."""
    labels = [str(source["label"]) for source in _sources(config) if source.get("label")]
    named = section(config, "preprocessing").get("dataset")
    return ", ".join(dict.fromkeys(labels))[:_LONGEST] or (named if isinstance(named, str) else None)


def _sources(config: Mapping[str, Any]) -> list[dict[str, Any]]:
    sources = section(config, "preprocessing").get("source_data")
    return [source for source in sources if isinstance(source, dict)] if isinstance(sources, list) else []
