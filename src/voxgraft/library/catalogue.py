"""The catalogue: public bases that could be fetched, and the user's own changes and additions to it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from voxgraft.errors import ConfigError, shown
from voxgraft.files import open_regular, write_atomically
from voxgraft.json_file import json_fault
from voxgraft.library.entry import QUALITIES, UNKNOWN, VOICE_TYPES, Slot, is_file_name, is_name
from voxgraft.library.folder import home
from voxgraft.library.languages import OTHER, closeness

OVERLAY = "catalogue.yaml"
IMPORTED = "catalogue.d"
KINDS = ("checkpoint", "voice", "release")
_TEXTS = ("family", "language", "licence", "source", "by_hand", "note", "origin")
_COUNTS = ("sample_rate", "size", "epoch", "step", "speakers")
_SWITCHES = ("archive", "generic", "default", "verified")
_PART_FIELDS = frozenset({"file", "urls", "size", "sha256", "md5", "optional"})
_LARGEST = 32 * 2**20


@dataclass(frozen=True)
class Part:
    """A file of a base: its mirrors, and what is known of it. `optional`: the base works without."""

    file: str
    urls: tuple[str, ...]
    size: int | None = None
    sha256: str | None = None
    md5: str | None = None
    optional: bool = False


@dataclass(frozen=True)
class Base:
    """A base that could be fetched.

    `by_hand` is a link that only a browser can follow. `archive`: its one part is a zip of the files. `default`: its
    list takes it for its slot. `nameless`: it is only an address, and gets its name from its content. `size` in bytes; None where not known. Nothing here was `verified` by downloading it,
    unless it says so.
    """

    name: str
    parts: tuple[Part, ...] = ()
    kind: str = "checkpoint"
    family: str | None = None
    slot: Slot = UNKNOWN
    sample_rate: int | None = None
    speakers: int = 1
    licence: str | None = None
    size: int | None = None
    epoch: int | None = None
    step: int | None = None
    source: str | None = None
    by_hand: str | None = None
    origin: str | None = None
    note: str | None = None
    archive: bool = False
    generic: bool = False
    default: bool = False
    verified: bool = False
    nameless: bool = False


@dataclass
class Catalogue:
    """All bases by name; `patterns` stand for families of names that are not listed one by one."""

    bases: dict[str, Base]
    patterns: list[Mapping[str, Any]] = field(default_factory=list)

    def find(self, name: str) -> Base | None:
        """The base of that name; None without one."""
        name = name.replace("--", "/", 3) if "/" not in name else name
        if name in self.bases:
            return self.bases[name]
        for pattern in self.patterns:
            head, _, tail = str(pattern["name"]).partition("{iso}")
            found = re.fullmatch(f"{re.escape(head)}({pattern['iso']}){re.escape(tail)}", name)
            if found:
                filled = json.loads(json.dumps(pattern).replace("{iso}", found[1]))
                fields = {key: value for key, value in filled.items() if key not in ("name", "iso")}
                return base_from(name, fields | {"kind": "release", "language": found[1]}, "catalogue.json")
        return None

    def for_language(self, language: str) -> list[Base]:
        """Bases of a language, its other regions included; `generic` is the set that serves any language."""
        if language == "generic":
            return [base for base in self.bases.values() if base.generic]
        return [base for base in self.bases.values() if closeness(language, base.slot.language) > OTHER]


def load_catalogue() -> Catalogue:
    """The package's list; over it what was imported, by file name; over that the user's own `catalogue.yaml`.

    Raises ConfigError where one of the user's files is wrong, naming the field.
    """
    ours = json.loads(resources.files("voxgraft.library").joinpath("catalogue.json").read_text("utf-8"))
    fields: dict[str, dict[str, Any]] = {base.pop("name"): base for base in ours["bases"]}
    bases = {name: base_from(name, values, "catalogue.json") for name, values in fields.items()}
    for file, overlay in _overlays(home()):
        for name, values in overlay.items():
            if not is_name(name):
                raise _wrong(file, str(name)[:80], "type/lang/dataset/model", "another form of name")
            if not isinstance(values, Mapping):
                raise _wrong(file, name, "fields such as `urls: [...]`", type(values).__name__)
            fields[name] = _changed(fields.get(name, {}), values)
            bases[name] = base_from(name, fields[name], file)
    return Catalogue(bases, ours["patterns"])


def _changed(fields: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """An entry's fields with some of them changed. A list that only repeats a known link takes nothing away."""
    known = {url.partition("?")[0] for part in fields.get("parts", ()) for url in part["urls"]}
    changed = {**fields, **values}
    if "urls" in values and "parts" not in values:
        changed.pop("parts", None)
    elif "parts" in fields and isinstance(values.get("parts"), list):
        links = [url for part in values["parts"] if isinstance(part, Mapping) for url in part.get("urls", ())]
        if links and all(isinstance(url, str) and url.partition("?")[0] in known for url in links):
            changed["parts"] = fields["parts"]
    return changed


def keep_imported(title: str, bases: Iterable[Mapping[str, Any]]) -> Path:
    """Write bases of somebody's list to `$VOXGRAFT_HOME/catalogue.d/TITLE.json`; each is checked. Returns the file."""
    kept: dict[str, Any] = {}
    path = home() / IMPORTED / f"{title}.json"
    for base in bases:
        # That a list does not call a base generic does not mean that it isn't.
        fields = {key: base[key] for key in base if base[key] is not None and (key, base[key]) != ("generic", False)}
        del fields["name"]
        base_from(str(base["name"]), fields, str(path))
        name, number = str(base["name"]), 2
        while name in kept and kept[name]["parts"] != fields["parts"]:
            name, number = f"{base['name']}-{number}", number + 1
        kept[name] = {**kept.get(name, {}), **fields}
    write_atomically(path, json.dumps(kept, ensure_ascii=False, indent=1) + "\n")
    return path


def base_from(name: str, fields: Mapping[str, Any], file: str) -> Base:
    """A base from plain data, every field checked. Raises ConfigError naming file, base and field."""
    for key, value in fields.items():
        expected = _expected(key, value)
        if expected is not None:
            raise _wrong(file, f"{name}: {key}", expected, shown(value))
    parts = [_part(part, f"{name}: parts", file) for part in fields.get("parts", ())]
    if not parts and fields.get("urls"):
        main = _part({key: fields[key] for key in ("urls", "sha256", "md5", "size") if key in fields}, name, file)
        parts = [main]
    slot = Slot(fields.get("language"), fields.get("voice_type"), fields.get("quality"))
    simple = {
        key: fields[key] for key in (*_TEXTS, *_COUNTS, *_SWITCHES, "kind") if key in fields and key != "language"
    }
    return Base(name=name, parts=tuple(parts), slot=slot, **{k: v for k, v in simple.items() if v is not None})


def _expected(key: str, value: object) -> str | None:
    """What a field should have been; None where it is right."""
    if key not in _RULES:
        return f"one of {', '.join(sorted(_RULES))}"
    expected, is_right = _RULES[key]
    return None if value is None or is_right(value) else expected


def _part(data: object, place: str, file: str) -> Part:
    if not isinstance(data, Mapping) or not set(data) <= _PART_FIELDS or not _are_urls(data.get("urls")):
        raise _wrong(file, place, f"a mapping of {', '.join(sorted(_PART_FIELDS))}", shown(data))
    name = data.get("file") or _file_of(data["urls"][0])
    facts = all(_expected(key, data.get(key)) is None for key in ("sha256", "md5", "size"))
    if not is_file_name(name) or name.startswith(".") or not facts:
        raise _wrong(file, place, "a plain file name, a size in bytes and hashes in hexadecimal", shown(data))
    return Part(
        name, tuple(data["urls"]), data.get("size"), data.get("sha256"), data.get("md5"), data.get("optional") is True
    )


def _file_of(url: str) -> str:
    from urllib.parse import unquote, urlsplit

    name = unquote(urlsplit(url).path).rpartition("/")[2]
    return name if is_file_name(name) and not name.startswith(".") else "checkpoint"


def _are_urls(value: object) -> bool:
    return (
        isinstance(value, list | tuple)
        and 0 < len(value) <= 50
        and all(isinstance(url, str) and 0 < len(url) <= 4000 for url in value)
    )


def _is_sha256(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[0-9a-f]{64}", value) is not None


def _is_md5(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[0-9a-f]{32}", value) is not None


def _is_text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= 2000


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value < 2**62


def _overlays(folder: Path) -> Iterable[tuple[str, Mapping[str, Any]]]:
    imported = folder / IMPORTED
    for path in sorted(imported.glob("*.json")) if imported.is_dir() else ():
        yield str(path), _json(path)
    own = folder / OVERLAY
    if own.is_file():
        from voxgraft.config.document import read_document

        yield str(own), read_document(own).values


def _json(path: Path) -> Mapping[str, Any]:
    try:
        with open_regular(path) as file:
            content = file.read(_LARGEST + 1)
        document = json.loads(content) if len(content) <= _LARGEST else None
    except (OSError, ValueError, RecursionError) as fault:
        raise _wrong(str(path), None, "JSON", json_fault(fault)) from fault
    if not isinstance(document, Mapping):
        raise _wrong(str(path), None, "names and their fields", type(document).__name__)
    return document


def _wrong(file: str, field: str | None, expected: str, got: str) -> ConfigError:
    return ConfigError(
        "not an entry of a catalogue",
        file=file,
        field=field,
        expected=expected,
        got=got,
        remedy="Correct or delete it.",
    )


# Field -> what it must be, in words and as a check; null is always allowed.
_RULES: dict[str, tuple[str, Callable[[Any], bool]]] = {
    **dict.fromkeys(_TEXTS, ("text", _is_text)),
    **dict.fromkeys(_COUNTS, ("a whole number", _is_count)),
    **dict.fromkeys(_SWITCHES, ("yes or no", lambda value: isinstance(value, bool))),
    "voice_type": ("M, F or other", lambda value: value in VOICE_TYPES),
    "quality": (", ".join(QUALITIES), lambda value: value in QUALITIES),
    "kind": (", ".join(KINDS), lambda value: value in KINDS),
    "urls": ("a list of addresses", _are_urls),
    "sha256": ("a SHA-256 in hexadecimal", _is_sha256),
    "md5": ("an MD5 in hexadecimal", _is_md5),
    "parts": ("a list of files", lambda value: isinstance(value, list) and len(value) <= 100),
}
