"""Coqui TTS's `.models.json`: type → language → dataset → model, as catalogue entries."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from voxgraft.errors import CheckpointError
from voxgraft.files import open_regular
from voxgraft.json_file import json_fault
from voxgraft.library.entry import is_file_name, is_name

_LARGEST = 16 * 2**20
_LINKS = ("github_rls_url", "hf_url")
# How its models are called -> our families; the first that the name begins with counts.
_FAMILIES = (
    ("vits", "vits"), ("jenny", "vits"), ("your_tts", "vits"), ("glow-tts", "glow_tts"), ("fast_pitch", "fast_pitch"),
    ("speedy-speech", "speedy_speech"), ("tacotron2", "tacotron2"), ("tacotron", "tacotron"),
    ("capacitron", "tacotron2"), ("overflow", "overflow"), ("neural_hmm", "neural_hmm"), ("hifigan", "hifigan"),
    ("wavlm-hifigan", "hifigan"), ("univnet", "univnet"), ("multiband-melgan", "multiband_melgan"),
    ("fullband-melgan", "fullband_melgan"), ("parallel-wavegan", "parallel_wavegan"), ("wavegrad", "wavegrad"),
)  # fmt: skip
# The list's free words -> SPDX, where they mean one licence without doubt.
_LICENCES = {
    "apache 2.0": "Apache-2.0", "mit": "MIT", "mpl": "MPL-2.0", "bsd-3-clause": "BSD-3-Clause",
    "cc by-nc-nd 4.0": "CC-BY-NC-ND-4.0", "cc-by-4.0": "CC-BY-4.0", "cc-by-sa 4.0": "CC-BY-SA-4.0",
}  # fmt: skip


def read_models(path: Path) -> tuple[list[dict[str, Any]], list[str]]:
    """The models of a list as fields of catalogue entries, and remarks on those that are left out.

    Raises CheckpointError where the file is no such list.
    """
    bases, remarks = [], []
    for name, model in _models(_document(path), path):
        urls = _urls(model)
        if not is_name(name):
            remarks.append(f"{name[:80]!r} is no name of the form type/lang/dataset/model: left out")
        elif not urls:
            remarks.append(f"{name} has no link: left out")
        else:
            bases.append(_base(name, model, urls))
    return bases, remarks


def _base(name: str, model: Mapping[str, Any], urls: list[str]) -> dict[str, Any]:
    _, language, dataset, kind = name.split("/")
    archive = len(urls) == 1 and urlsplit(urls[0]).path.endswith(".zip")
    words = re.split(r"[-_]", f"{dataset}-{kind}")
    licence = model.get("license")
    licence = licence.strip()[:200] if isinstance(licence, str) else None
    return {
        "name": name,
        "kind": "release",
        "family": next((family for prefix, family in _FAMILIES if kind.startswith(prefix)), None),
        "language": None if language in ("multilingual", "universal") else language,
        "voice_type": "F" if "female" in words else "M" if "male" in words else None,
        "licence": _LICENCES.get(licence.lower(), licence) if licence else None,
        "source": urls[0],
        "archive": archive,
        "parts": [{"file": "release.zip" if archive else _file(url, n), "urls": [url]} for n, url in enumerate(urls)],
    }


def _models(document: Mapping[str, Any], path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    def below(node: object, names: tuple[str, ...]) -> Iterator[tuple[str, Mapping[str, Any]]]:
        if not isinstance(node, Mapping):
            raise CheckpointError(
                "not Coqui's list of models",
                file=path,
                field=".".join(names),
                expected="type → language → dataset → model",
                got=type(node).__name__,
                remedy="Give TTS/.models.json of Coqui TTS.",
            )
        if len(names) == 4:
            yield "/".join(names), node
            return
        for name, child in node.items():
            yield from below(child, (*names, name))

    yield from below(document, ())


def _urls(model: Mapping[str, Any]) -> list[str]:
    for key in _LINKS:
        links = model.get(key)
        links = [links] if isinstance(links, str) else links
        if isinstance(links, list) and links and all(isinstance(link, str) for link in links):
            return links[:50]
    return []


def _file(url: str, number: int) -> str:
    name = unquote(urlsplit(url).path).rpartition("/")[2]
    return name if is_file_name(name) else f"file-{number}"


def _document(path: Path) -> Mapping[str, Any]:
    try:
        with open_regular(path) as file:
            content = file.read(_LARGEST + 1)
        if len(content) > _LARGEST:
            raise ValueError(f"more than {_LARGEST} bytes")
        document = json.loads(content)
    except (OSError, ValueError, RecursionError) as fault:
        reason = getattr(fault, "strerror", None) or json_fault(fault)
        raise CheckpointError(
            f"can't be read as JSON: {reason}", file=path, remedy="Give TTS/.models.json of Coqui TTS."
        ) from fault
    return document if isinstance(document, Mapping) else {}
