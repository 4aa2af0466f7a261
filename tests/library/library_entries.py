"""Entries and choices for tests, made from what matters to each."""

import json

from voxgraft.library.choice import Choice
from voxgraft.library.entry import Entry, Slot, file_stem

HASH = "a" * 64


def entry(name="tts_models/de/anna/vits-medium", **fields):
    """An entry's description."""
    slot = Slot(*fields.pop("slot", ("de", "F", "medium")))
    return Entry(name, "vits", "piper-ckpt", HASH, HASH, (), None, slot, **fields)


def staged(folder, name="a.ckpt", content=b"weights"):
    """A folder with one file, as `Library.add` takes it."""
    folder.mkdir(parents=True)
    (folder / name).write_bytes(content)
    return folder


def described(library_folder, number, **slot):
    """Write the description of a base whose files are nowhere: enough to list and to pick."""
    name = f"tts_models/{slot.get('language', 'de')}/voice{number}/vits-{slot.get('quality', 'medium')}"
    content = f"{number:064x}"
    data = {
        "version": 1, "name": name, "family": "vits", "format": "piper-ckpt", "content": content, "sha256": content,
        "files": [{"name": "epoch=1-step=2.ckpt", "sha256": content, "size": 845_000_000}], "main": "epoch=1-step=2.ckpt",
        "slot": {"language": "de", "voice_type": "F", "quality": "medium"} | slot, "sample_rate": 22050, "step": number,
        "licence": "CC0-1.0", "added": "2026-01-01",
    }  # fmt: skip
    folder = library_folder / "entries"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{file_stem(name)}.json").write_text(json.dumps(data), "utf-8")
    return name


def choice(name, language="de", voice_type="F", quality="medium", *, here=True, tmp="x", **fields):
    """Something to pick from; at hand unless told otherwise."""
    from pathlib import Path

    where = {"where": "library", "path": Path(tmp)} if here else {"where": "catalogue"}
    given = {"family": "vits", "sample_rate": 22050, "licence": "CC0-1.0", "step": 100, "whole": True} | fields
    return Choice(name=name, slot=Slot(language, voice_type, quality), **where, **given)
