"""Entry: a base in the library, as the JSON file that describes it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from voxgraft.errors import CheckpointError, shown

QUALITIES = ("x_low", "low", "medium", "high")
VOICE_TYPES = ("M", "F", "other")
VERSION = 1

# Two dashes separate the parts where a name becomes that of a file, so only the last part may hold them.
_PART = r"[^\W_](?:[\w.+]|-(?!-))*"
_NAME = re.compile(rf"{_PART}/{_PART}/{_PART}/[^\W_][\w.+-]*")
_FILE_NAME = re.compile(r"[^\x00-\x1f/\\:*?\"<>|]{1,200}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_SEPARATOR = "--"


@dataclass(frozen=True)
class Slot:
    """What a base is for: language, voice type (M, F or other) and quality; None where it isn't known."""

    language: str | None = None
    voice_type: str | None = None
    quality: str | None = None

    def __str__(self) -> str:
        return " ".join((self.language or "?", self.voice_type or "?", self.quality or "?"))


UNKNOWN = Slot()


@dataclass(frozen=True)
class StoredFile:
    """A file of an entry; `size` in bytes."""

    name: str
    sha256: str
    size: int


@dataclass(frozen=True)
class Entry:
    """A base that is in the library.

    `name` is `type/lang/dataset/model`. `content` names the folder of its files: the hash of the only file, or of the
    hashes of all. `main` is the file to open; None where the folder as a whole is the checkpoint. `missing` are the
    parts that a full training checkpoint has and this one lacks. `added` is an ISO date. `generic`: it serves any
    language. `chosen`: the default of its slot.
    """

    name: str
    family: str
    format: str
    content: str
    sha256: str
    files: tuple[StoredFile, ...]
    main: str | None
    slot: Slot = UNKNOWN
    sample_rate: int | None = None
    speakers: int = 1
    licence: str | None = None
    source: str | None = None
    epoch: int | None = None
    step: int | None = None
    missing: tuple[str, ...] = ()
    added: str = ""
    note: str | None = None
    generic: bool = False
    chosen: bool = False

    @property
    def size(self) -> int:
        """Bytes of all its files."""
        return sum(file.size for file in self.files)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {"version": VERSION, **asdict(self)}


def file_stem(name: str) -> str:
    """`type--lang--dataset--model`: an entry's name as that of a file, as Coqui TTS names its folders."""
    return name.replace("/", _SEPARATOR)


def name_of_stem(stem: str) -> str | None:
    """The entry's name that a file or folder is named after; None where it is not of that form."""
    parts = stem.split(_SEPARATOR, 3)
    name = "/".join(parts)
    return name if len(parts) == 4 and is_name(name) else None


def is_name(text: str) -> bool:
    """Whether a text is of the form `type/lang/dataset/model`, with nothing in it that a file's name can't hold."""
    return len(text) <= 180 and _NAME.fullmatch(text) is not None


def word(text: str) -> str:
    """A text as a part of a name: letters, digits, dots, dashes and underscores."""
    plain = re.sub(r"[^\w.+-]+", "-", unicodedata.normalize("NFC", text)).strip("-._+")
    return re.sub(r"-{2,}", "-", plain)[:60] or "unnamed"


def size_words(size: int | None) -> str:
    """A size for people; `size unknown` for None."""
    return "size unknown" if size is None else f"{size / 1e9:.2f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"


def entry_from(data: object, file: str) -> Entry:
    """An entry from JSON, every field checked. Raises CheckpointError naming the file and the field."""
    if not isinstance(data, Mapping):
        raise _wrong(file, None, "an object", type(data).__name__)
    for name in _NEEDED:
        if name not in data:
            raise _wrong(file, name, "a value", "nothing")
    values = {name: value for name, value in data.items() if name in _CHECKS}
    for name, value in values.items():
        if not _CHECKS[name](value):
            raise _wrong(file, name, _EXPECTED.get(name, "another kind of value"), shown(value))
    stored = tuple(StoredFile(**part) for part in values.pop("files"))
    if values["main"] is not None and values["main"] not in {part.name for part in stored}:
        raise _wrong(file, "main", "one of its files", shown(values["main"]))
    slot = Slot(**values.pop("slot", {}))
    values["missing"] = tuple(values.get("missing", ()))
    return Entry(**values, files=stored, slot=slot)


def is_file_name(value: object) -> bool:
    """Whether a value names a file in a folder and can't lead out of it."""
    return isinstance(value, str) and _FILE_NAME.fullmatch(value) is not None and value.strip(". ") != ""


def _wrong(file: str, field: str | None, expected: str, got: str) -> CheckpointError:
    return CheckpointError(
        "not a description of a base",
        file=file,
        field=field,
        expected=expected,
        got=got,
        remedy="Delete this file and add the base again with `voxgraft library add`.",
    )


def _is_text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= 2000


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value < 2**62


def _or_none(check: Callable[[object], bool]) -> Callable[[object], bool]:
    return lambda value: value is None or check(value)


def _is_hash(value: object) -> bool:
    return isinstance(value, str) and _SHA256.fullmatch(value) is not None


def _is_stored(value: object) -> bool:
    return (
        isinstance(value, Mapping)
        and set(value) == {"name", "sha256", "size"}
        and is_file_name(value["name"])
        and _is_hash(value["sha256"])
        and _is_count(value["size"])
    )


def _is_slot(value: object) -> bool:
    return (
        isinstance(value, Mapping)
        and set(value) <= {"language", "voice_type", "quality"}
        and _or_none(_is_text)(value.get("language"))
        and value.get("voice_type") in (None, *VOICE_TYPES)
        and value.get("quality") in (None, *QUALITIES)
    )


_NEEDED = frozenset({"name", "family", "format", "content", "sha256", "files", "main"})
_EXPECTED = {
    "name": "type/lang/dataset/model",
    "content": "a SHA-256",
    "sha256": "a SHA-256",
    "files": "names and hashes",
}
_CHECKS: dict[str, Callable[[Any], bool]] = {
    "name": lambda value: isinstance(value, str) and is_name(value),
    "family": _is_text,
    "format": _is_text,
    "content": _is_hash,
    "sha256": _is_hash,
    "files": lambda value: isinstance(value, list) and 0 < len(value) <= 1000 and all(map(_is_stored, value)),
    "main": _or_none(is_file_name),
    "slot": _is_slot,
    "sample_rate": _or_none(_is_count),
    "speakers": _is_count,
    "licence": _or_none(_is_text),
    "source": _or_none(_is_text),
    "epoch": _or_none(_is_count),
    "step": _or_none(_is_count),
    "missing": lambda value: isinstance(value, list) and len(value) < 100 and all(map(_is_text, value)),
    "added": _is_text,
    "note": _or_none(_is_text),
    "generic": lambda value: isinstance(value, bool),
    "chosen": lambda value: isinstance(value, bool),
}
