"""Make src/voxgraft/library/catalogue.json from the public lists of four projects: facts only, nothing is downloaded.

    python tools/make_catalogue.py TEXTYMCSPEECHY PIPER COQUI_TTS

Each argument is a checkout of
  github.com/domesticatedviking/TextyMcSpeechy  (tts_dojo/PRETRAINED_CHECKPOINTS/languages/*.conf)   413a6ed
  github.com/rhasspy/piper                      (VOICES.md, src/python_run/piper/voices.json, notebooks/pretrained_models.json)   73c04d8
  github.com/idiap/coqui-ai-TTS                 (TTS/.models.json)   7cde79e
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from voxgraft.library.coqui_models import read_models
from voxgraft.library.languages import plain_language
from voxgraft.library.textymcspeechy import read_conf

TARGET = Path(__file__).parents[1] / "src" / "voxgraft" / "library" / "catalogue.json"
VOICES = "https://huggingface.co/rhasspy/piper-voices/resolve/v1.0.0/"
CHECKPOINTS = "https://huggingface.co/datasets/rhasspy/piper-checkpoints"
DRIVE = "https://drive.google.com/file/d/{}/view"
# Piper's TRAINING.md: the sample rate of each quality.
RATES = {"x_low": 16000, "low": 16000, "medium": 22050, "high": 22050}
MMS = {
    "name": "tts_models/{iso}/fairseq/vits",
    "iso": "[a-z]{3}(-script_[a-z]+)?",
    "family": "vits",
    "sample_rate": 16000,
    "licence": "CC-BY-NC-4.0",
    "source": "https://huggingface.co/facebook/mms-tts-{iso}",
    "note": "Meta's MMS: about 1,100 languages by their ISO 639-3 code",
    "parts": [
        {"file": name, "urls": [f"https://huggingface.co/facebook/mms-tts-{{iso}}/resolve/main/{name}"], "optional": more}
        for name, more in (
            ("model.safetensors", False), ("config.json", False), ("vocab.json", False),
            ("tokenizer_config.json", False), ("special_tokens_map.json", True),
        )
    ],
}  # fmt: skip


def main(textymcspeechy: Path, piper: Path, coqui: Path) -> None:
    """Write the catalogue."""
    voices = json.loads((piper / "src/python_run/piper/voices.json").read_text("utf-8"))
    voices |= newer_voices((piper / "VOICES.md").read_text("utf-8"), voices)
    bases = checkpoints(textymcspeechy / "tts_dojo/PRETRAINED_CHECKPOINTS/languages")
    add_notebook_links(bases, json.loads((piper / "notebooks/pretrained_models.json").read_text("utf-8")))
    add_speakers(bases, voices)
    bases |= exported(voices, bases)
    for base in read_models(coqui / "TTS" / ".models.json")[0]:
        bases[base["name"]] = base | {"origin": "Coqui TTS"}
    lines = [json.dumps(plain(bases[name]), ensure_ascii=False) for name in sorted(bases)]
    text = (
        '{"about": "Public bases, from the lists of TextyMcSpeechy, Piper and Coqui TTS; not verified by download",\n'
    )
    text += f'"patterns": [{json.dumps(plain(MMS))}],\n"bases": [\n' + ",\n".join(lines) + "\n]}\n"
    TARGET.write_text(text, "utf-8")
    print(f"{len(bases)} bases, {len(text) / 1e3:.0f} kB: {TARGET}")


def plain(base: dict[str, Any]) -> dict[str, Any]:
    """Without what isn't known; marked as not verified."""
    parts = [{key: value for key, value in part.items() if value not in (None, False)} for part in base["parts"]]
    known = {key: value for key, value in base.items() if value not in (None, False)}
    return known | {"parts": parts, "verified": False}


def checkpoints(folder: Path) -> dict[str, dict[str, Any]]:
    """Piper's training checkpoints as TextyMcSpeechy lists them, with their voice types."""
    bases: dict[str, dict[str, Any]] = {}
    generic = set()
    for path in sorted(folder.glob("*.conf")):
        conf = read_conf(path)
        for link in conf.links:
            locale, dataset, quality, file = map(unquote, urlsplit(link.url).path.split("/")[-4:])
            name = f"tts_models/{plain_language(locale)}/{dataset}/vits-{quality}"
            if conf.language == "generic":
                generic.add(name)
                continue
            bases[name] = checkpoint(name, locale, quality, link.url) | {
                "voice_type": link.voice_type,
                "default": link.used,
                **counters(file),
            }
    for name in generic:
        bases[name]["generic"] = True
    return bases


def checkpoint(name: str, locale: str, quality: str, url: str) -> dict[str, Any]:
    """What all of Piper's checkpoints have in common."""
    address = url.partition("?")[0]
    folder = address.rpartition("/")[0]
    return {
        "name": name, "kind": "checkpoint", "family": "vits", "language": plain_language(locale),
        "voice_type": None, "quality": quality, "sample_rate": RATES[quality],
        "source": f"{CHECKPOINTS}/tree/main/" + folder.partition("/resolve/main/")[2], "origin": "Piper checkpoints",
        "parts": [
            {"file": unquote(address.rpartition("/")[2]), "urls": [address]},
            {"file": "config.json", "urls": [f"{folder}/config.json"], "optional": True},
            {"file": "MODEL_CARD", "urls": [f"{folder}/MODEL_CARD"], "optional": True},
        ],
    }  # fmt: skip


def counters(file: str) -> dict[str, int]:
    """Epoch and step of a file that is named after both; nothing of any other name."""
    found = re.fullmatch(r"epoch=(\d+)-step=(\d+)\.ckpt", file)
    return {"epoch": int(found[1]), "step": int(found[2])} if found else {}


def add_notebook_links(bases: dict[str, dict[str, Any]], models: dict[str, dict[str, str]]) -> None:
    """The links of Piper's notebooks: other addresses of the same files, and checkpoints on Google Drive."""
    by_file = {base["parts"][0]["file"]: base for base in bases.values()}
    for language, links in models.items():
        for title, link in links.items():
            if not link.startswith("https:"):
                dataset, _, quality = title.partition("-")
                name = f"tts_models/{language}/{dataset}/vits-{quality}"
                bases[name] = {
                    "name": name, "kind": "checkpoint", "family": "vits", "language": language, "quality": quality,
                    "sample_rate": RATES[quality], "by_hand": DRIVE.format(link), "parts": [],
                    "source": "https://github.com/rhasspy/piper/blob/master/notebooks/pretrained_models.json",
                    "origin": "Piper notebooks", "note": "on Google Drive, which only a browser can fetch from",
                }  # fmt: skip
                continue
            address = link.replace("/blob/", "/resolve/")
            urls = by_file[unquote(address.rpartition("/")[2])]["parts"][0]["urls"]
            if address not in urls:
                urls.append(address)


def add_speakers(bases: dict[str, dict[str, Any]], voices: dict[str, Any]) -> None:
    """How many speakers a checkpoint has, from the voice that was exported from it."""
    count = {(v["language"]["code"], v["name"], v["quality"]): v["num_speakers"] for v in voices.values()}
    for base in bases.values():
        _, language, dataset, model = base["name"].split("/")
        head, _, region = language.partition("-")
        speakers = count.get((f"{head}_{region.upper()}", dataset, model.removeprefix("vits-")), 1)
        if speakers > 1:
            base["speakers"] = speakers


def newer_voices(page: str, known: dict[str, Any]) -> dict[str, Any]:
    """The voices that the page alone lists, in the form of the other list; without sizes, hashes and speakers."""
    found = re.findall(r"resolve/v1\.0\.0/(\S+?)/([^/\s]+)\.onnx\?download=true\)", page)
    voices = {}
    for folder, key in found:
        if key not in known:
            _, locale, dataset, quality = folder.split("/")
            files = {f"{folder}/{key}{ending}": {} for ending in (".onnx", ".onnx.json")} | {f"{folder}/MODEL_CARD": {}}
            voices[key] = {
                "name": dataset, "quality": quality, "language": {"code": locale}, "num_speakers": 1, "files": files
            }  # fmt: skip
    return voices


def exported(voices: dict[str, Any], known: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Piper's exported voices; their voice types are those of checkpoints of the same recordings."""
    types = {tuple(name.split("/")[1:3]): base.get("voice_type") for name, base in known.items()}
    bases = {}
    for voice in voices.values():
        language, quality = plain_language(voice["language"]["code"]), voice["quality"]
        name = f"tts_models/{language}/{voice['name']}/vits-{quality}-onnx"
        parts = [
            {
                "file": path.rpartition("/")[2], "urls": [VOICES + path], "size": facts.get("size_bytes"),
                "md5": facts.get("md5_digest"),
            } | ({"optional": True} if path.endswith("MODEL_CARD") else {})
            for path, facts in voice["files"].items()
        ]  # fmt: skip
        voice_type = types.get((language, voice["name"])) or ("other" if voice["num_speakers"] > 1 else None)
        bases[name] = {
            "name": name, "kind": "voice", "family": "vits", "language": language, "voice_type": voice_type,
            "quality": quality, "sample_rate": RATES[quality], "origin": "Piper voices", "parts": parts,
            "speakers": voice["num_speakers"] if voice["num_speakers"] > 1 else None,
            "size": sum(part["size"] or 0 for part in parts) or None,
            "source": VOICES.replace("resolve", "tree") + parts[0]["urls"][0].removeprefix(VOICES).rpartition("/")[0],
        }  # fmt: skip
    return bases


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
