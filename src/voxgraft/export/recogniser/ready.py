"""A recogniser that is ready to hear, whatever form it is in: exported before, or now and for the moment."""

from __future__ import annotations

import tempfile
from pathlib import Path

from voxgraft.architectures.families import family_of
from voxgraft.checkpoints import open_checkpoint
from voxgraft.export.recogniser.onnx import export_recogniser
from voxgraft.export.source import find_source
from voxgraft.inference.recogniser.recogniser import Recogniser
from voxgraft.inference.recogniser.settings import FORMAT, LARGEST_FILE, METADATA_KEY, settings_path
from voxgraft.inference.session import open_session
from voxgraft.json_file import read_json


def ready_recogniser(source: str) -> Recogniser | None:
    """The recogniser that a .onnx, its folder, a run, a checkpoint or a save of Coqui STT's holds; None for a voice.

    Raises CheckpointError, ExportError: it can't be opened, or exported.
    """
    path = Path(source).expanduser()
    models = sorted(path.glob("*.onnx")) if path.is_dir() else [path] if path.suffix == ".onnx" else []
    if len(models) == 1:
        return Recogniser.load(models[0]) if models[0].is_file() and _is_recogniser(models[0]) else None
    if models or not path.exists():
        return None
    checkpoint = open_checkpoint(find_source(source).path)
    if family_of(checkpoint.family).task != "recogniser":
        return None
    with tempfile.TemporaryDirectory() as folder:
        return Recogniser.load(export_recogniser(checkpoint, Path(folder), path.stem or "recogniser"))


def _is_recogniser(model: Path) -> bool:
    """By the settings beside it, else by those in it: a voice never goes without a file of settings."""
    beside = settings_path(model)
    if beside.is_file():
        document = read_json(beside, limit=LARGEST_FILE)
        return isinstance(document, dict) and document.get("format") == FORMAT
    return METADATA_KEY in open_session(model, threads=1).get_modelmeta().custom_metadata_map
