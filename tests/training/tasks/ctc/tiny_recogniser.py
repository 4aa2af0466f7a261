"""Recordings in which every letter is a tone of its own, so that a tiny recogniser learns them in seconds."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from voxgraft.audio.write import write_wav
from voxgraft.config.run import RunConfig

RATE = 16000
LETTER_SECONDS = 0.12
ENGLISH = ("abba", "cab", "bad dad", "acca", "dab a cab", "cadc", "bacca d", "adda bc")
RUSSIAN = ("абба", "вага", "гав ва", "баг", "ваба гав", "аввг", "га ба", "ввба")
PITCHES = {letter: 350 + 330 * place for place, letter in enumerate("abcd")}
PITCHES |= {letter: 300 + 310 * place for place, letter in enumerate("абвг")}


def sung(text: str, seed: int = 0) -> np.ndarray:
    """Each letter as a tone, the space as near silence, float32 [T]."""
    random = np.random.default_rng(seed)
    time = np.arange(int(LETTER_SECONDS * RATE)) / RATE
    fade = np.minimum(1, np.minimum(time, time[::-1]) / 0.02)
    tones = [0.3 * fade * np.sin(2 * np.pi * PITCHES[c] * time) if c != " " else 0 * time for c in text]
    sound = np.concatenate([np.zeros(800), *tones, np.zeros(800)])
    return (sound + 0.003 * random.standard_normal(len(sound))).astype(np.float32)


def table(folder: Path, name: str, texts: Iterable[str], seed: int = 0) -> Path:
    """A CSV as Coqui STT has it, with its recordings."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.csv"
    with open(path, "w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("wav_filename", "wav_filesize", "transcript"))
        for number, text in enumerate(texts):
            wav = folder / f"{name}-{number}.wav"
            write_wav(wav, sung(text, seed + number), RATE)
            rows.writerow((wav.name, wav.stat().st_size, text))
    return path


def tables(folder: Path, texts: tuple[str, ...] = ENGLISH) -> dict[str, tuple[str, ...]]:
    """Settings that name a table each for train, dev and test."""
    return {
        "train": (str(table(folder, "train", texts)),),
        "dev": (str(table(folder, "dev", texts[:3], seed=50)),),
        "test": (str(table(folder, "test", texts[2:5], seed=90)),),
    }


def settings(
    folder: Path, base: Path | str = "none", texts: tuple[str, ...] = ENGLISH, **changes: Any
) -> dict[str, Any]:
    """Settings of a run of a few steps; `changes` are sections that go over them."""
    sections: dict[str, dict[str, Any]] = {
        "training": {"steps": 6, "batch": 3, "precision": "fp32", "device": "cpu", "validate_every": 3, "ema": 0.9},
        "recogniser": {"n_hidden": 16, "dropout": 0.1, **tables(folder / "recordings", texts)},
        "corpus": {"shortest": 0.1},
    }
    if base != "none":
        del sections["recogniser"]["n_hidden"]
    for name, values in changes.items():
        sections[name] = sections.get(name, {}) | values
    if "epochs" in sections["recogniser"] and "steps" not in changes.get("training", {}):
        del sections["training"]["steps"]
    return {"name": "tiny", "output": str(folder), "base": str(base), "task": "recogniser", **sections}


def project(folder: Path, base: Path | str = "none", texts: tuple[str, ...] = ENGLISH, **changes: Any) -> RunConfig:
    """A recogniser's run, ready to begin."""
    return RunConfig(**settings(folder, base, texts, **changes))
