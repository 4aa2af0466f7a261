"""TextyMcSpeechy's lists of checkpoints: `.conf` files read as data, never executed, and its folders of checkpoints."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

from voxgraft.errors import CheckpointError
from voxgraft.files import open_regular
from voxgraft.library.entry import QUALITIES, Slot, is_file_name, word
from voxgraft.library.languages import plain_language

# How its variables and folders spell qualities; its scripts train what it calls low with Piper's x-low network.
_SPELT = {"LOW": "low", "MED": "medium", "HIGH": "high"}
_URL = re.compile(r"DEFAULT_([MF])_(LOW|MED|HIGH)_URL")
_LINE = re.compile(r"(?:export\s+)?([A-Za-z_]\w*)=(.*)")
_LARGEST = 2**20
_ENDINGS = (".ckpt", ".pth", ".pt")
_EPOCH_STEP = re.compile(r"epoch=(\d{1,12})-step=(\d{1,15})\.ckpt")


@dataclass(frozen=True)
class Link:
    """A checkpoint that a .conf names. `used`: TextyMcSpeechy would take it, being the last of its variable."""

    url: str
    voice_type: str
    quality: str
    variable: str
    line: int
    used: bool = True


@dataclass(frozen=True)
class Conf:
    """What a .conf says; `remarks` are the things in it that are not as they seem."""

    path: Path
    language: str
    links: tuple[Link, ...]
    remarks: tuple[str, ...]


def read_conf(path: Path) -> Conf:
    """Read a .conf line by line as `NAME=value`. Raises CheckpointError where it isn't such a file or names no language."""
    text = _text(path)
    language: str | None = None
    links: list[Link] = []
    remarks: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        bare = line.strip()
        if not bare or bare.startswith("#"):
            continue
        found = _LINE.fullmatch(bare)
        value = _value(found[2]) if found else None
        if found is None or value is None:
            remarks.append(f"line {number} is no plain NAME=value and was not executed: {bare[:60]!r}")
        elif found[1] == "ESPEAK_LANGUAGE":
            language = value
        elif variable := _URL.fullmatch(found[1]):
            link = _link(value, variable[1], _SPELT[variable[2]], found[1], number, remarks)
            links += [link] if link else []
        else:
            remarks.append(f"line {number}: {found[1]} is no variable of TextyMcSpeechy's lists")
    if not language:
        remarks.append(f"ESPEAK_LANGUAGE is not set: taken from the file's name, {path.stem}")
        language = path.stem
    if not re.fullmatch(r"[A-Za-z]{2,20}(?:[-_][A-Za-z0-9]+)*", language):
        raise CheckpointError(
            "names no language", file=path, field="ESPEAK_LANGUAGE", got=repr(language[:40]), remedy="Set it, as in de."
        )
    return Conf(path, language, *_marked(links, remarks))


def _marked(links: list[Link], remarks: list[str]) -> tuple[tuple[Link, ...], tuple[str, ...]]:
    """Each variable counts once for TextyMcSpeechy, the last time; say so, and keep all as candidates."""
    last = {link.variable: index for index, link in enumerate(links)}
    for variable, index in last.items():
        lines = [str(link.line) for link in links if link.variable == variable]
        if len(lines) > 1:
            remarks.append(
                f"{variable} is set {len(lines)} times (lines {', '.join(lines)}): TextyMcSpeechy would take only the "
                f"last, {_dataset(links[index].url)}; all are kept as candidates"
            )
    marked = (replace(link, used=last[link.variable] == index) for index, link in enumerate(links))
    return tuple(marked), tuple(remarks)


def _link(url: str, voice_type: str, quality: str, variable: str, line: int, remarks: list[str]) -> Link | None:
    if not url:
        return None
    above = unquote(urlsplit(url).path).split("/")[-2:-1]
    if above and above[0] in QUALITIES and above[0] != quality:
        remarks.append(f"line {line}: {variable} points into a folder {above[0]!r}, which is believed")
        quality = above[0]
    return Link(url, voice_type, quality, variable, line)


def bases_of(conf: Conf) -> list[dict[str, object]]:
    """The links as fields of catalogue entries."""
    return [
        {
            "name": _name(link, conf.language),
            "kind": "checkpoint",
            "family": "vits",
            "language": plain_language(_locale(link.url) or conf.language),
            "voice_type": link.voice_type,
            "quality": link.quality,
            "default": link.used,
            "generic": conf.language == "generic",
            "origin": f"TextyMcSpeechy {conf.path.name}",
            "parts": [{"file": _file(link.url), "urls": [link.url]}],
        }
        for link in conf.links
    ]


@dataclass(frozen=True)
class Placed:
    """A checkpoint in a PRETRAINED_CHECKPOINTS folder and the slot that its folder stands for."""

    path: Path
    slot: Slot


def read_tree(folder: Path, language: str | None = None) -> tuple[list[Placed], list[str]]:
    """Checkpoints below `default/{M,F}_voice/{low,medium,high}`, and remarks. `folder` may be `default` itself.

    Raises CheckpointError where it is no such folder, or nothing says which language it holds.
    """
    root = folder / "default" if (folder / "default").is_dir() else folder
    if not any((root / f"{kind}_voice").is_dir() for kind in "MF"):
        raise CheckpointError(
            "not a folder of checkpoints as TextyMcSpeechy keeps them",
            file=folder,
            expected="default/M_voice and default/F_voice in it",
            remedy="Give PRETRAINED_CHECKPOINTS; for a single file use `voxgraft library add`.",
        )
    language = language or _language_of(root)
    if language is None or language == "generic":
        raise CheckpointError(
            "doesn't say which language its checkpoints speak",
            file=root / ".ESPEAK_LANGUAGE",
            remedy="Say it: --language de. The generic set is English: --language en-us.",
        )
    found: list[Placed] = []
    remarks: list[str] = []
    for voice_type in "MF":
        for quality in ("low", "medium", "high"):
            place = root / f"{voice_type}_voice" / quality
            inside = sorted(_checkpoints(place))
            if len(inside) > 1:
                remarks.append(f"{place.relative_to(root)} holds {len(inside)} checkpoints: all are taken")
            if not inside:
                remarks.append(f"{place.relative_to(root)} is empty")
            found += [Placed(path, Slot(language, voice_type, quality)) for path in inside]
    return found, remarks


def epoch_and_step(name: str) -> tuple[int, int] | None:
    """Epoch and step of a file that is named `epoch=E-step=S.ckpt`; None for every other name, digits or not."""
    found = _EPOCH_STEP.fullmatch(name)
    return (int(found[1]), int(found[2])) if found else None


def _checkpoints(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        root = folder.resolve()
        for path in folder.iterdir():
            if path.suffix in _ENDINGS and path.is_file() and path.resolve().is_relative_to(root):
                yield path


def _language_of(root: Path) -> str | None:
    path = root / ".ESPEAK_LANGUAGE"
    if not path.is_file() or path.stat().st_size > 100:
        return None
    text = path.read_text("utf-8", errors="replace").strip()
    return text if re.fullmatch(r"[A-Za-z]{2,20}(?:[-_][A-Za-z0-9]+)*", text) else None


def _value(text: str) -> str | None:
    """A plain or quoted value; None for anything that a shell would expand or run."""
    try:
        parts = shlex.split(text, comments=True)
    except ValueError:
        return None
    if len(parts) > 1 or any(mark in text for mark in "$`;|()<>\\"):
        return None
    # An `&` belongs to an address; bare, it would start a process.
    if "&" in text and not text.startswith(("'", '"')):
        return None
    return parts[0] if parts else ""


def _name(link: Link, language: str) -> str:
    locale = plain_language(_locale(link.url) or language)
    return f"tts_models/{locale}/{word(_dataset(link.url))}/vits-{link.quality}"


def _locale(url: str) -> str | None:
    """The locale that an address of Piper's checkpoints carries: …/en/en_US/lessac/medium/FILE."""
    parts = unquote(urlsplit(url).path).split("/")
    return next((part for part in parts if re.fullmatch(r"[a-z]{2,3}_[A-Z]{2}", part)), None)


def _dataset(url: str) -> str:
    """What a checkpoint was trained on, by the folder in its address; else the file's name."""
    parts = [part for part in unquote(urlsplit(url).path).split("/") if part]
    if len(parts) >= 3 and parts[-2] in QUALITIES:
        return parts[-3]
    return parts[-1].rpartition(".")[0] or parts[-1] if parts else "unnamed"


def _file(url: str) -> str:
    name = unquote(urlsplit(url).path).rpartition("/")[2]
    return name if is_file_name(name) else "checkpoint.ckpt"


def _text(path: Path) -> str:
    try:
        with open_regular(path) as file:
            content = file.read(_LARGEST + 1)
        if len(content) > _LARGEST or b"\0" in content:
            raise ValueError("not a list of links")
        return content.decode("utf-8-sig")
    except (OSError, ValueError) as fault:
        reason = getattr(fault, "strerror", None) or "it is not a small text file in UTF-8"
        raise CheckpointError(
            f"can't be read as a .conf of TextyMcSpeechy: {reason}", file=path, remedy="Give languages/LANG.conf."
        ) from fault
