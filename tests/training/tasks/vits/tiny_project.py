"""A project so small that a run takes a second: a tiny voice of Piper's, spelt by letters, and a few seconds of tones."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from tests import paths

from voxgraft.audio.write import write_wav
from voxgraft.config.run import RunConfig, TrainingConfig
from voxgraft.corpus.importers import import_corpus
from voxgraft.project.run_folder import MANIFEST

PIPER = paths.FIXTURES / "piper"
RATE = 16000
TEXTS = ("abc", "bad cab", "dab", "a cad", "bab dab", "cabba", "dad", "ab ba", "cab dab")


def spelt(kind: str, folder: Path, **changes: Any) -> Path:
    """A copy of a tiny Piper voice (`single.ckpt`, `single.onnx`, …) whose symbols are letters: no espeak is needed."""
    source = PIPER / kind
    config = json.loads((PIPER / f"{source.stem}.onnx.json").read_text("utf-8"))
    config |= {"phoneme_type": "text"} | changes
    folder.mkdir(parents=True, exist_ok=True)
    path = Path(shutil.copy(source, folder / kind))
    beside = path.with_name(f"{kind}.json") if kind.endswith(".onnx") else path.with_name("config.json")
    beside.write_text(json.dumps(config), "utf-8")
    return path


def tones(seconds: float, pitch: float, rate: int = RATE) -> np.ndarray:
    """A buzzing vowel-like sound with some noise, float32 [T]."""
    time = np.arange(int(seconds * rate)) / rate
    sound = sum(np.sin(2 * np.pi * pitch * k * time) / k for k in (1, 2, 3, 5, 8))
    noise = np.random.default_rng(int(pitch)).normal(size=len(time))
    return (0.15 * sound * (1.2 + np.sin(7 * time)) + 0.01 * noise).astype(np.float32)


def corpus(folder: Path, texts: Iterable[str] = TEXTS, seconds: float = 0.9, speakers: Iterable[str] = ()) -> Path:
    """An LJSpeech folder: a tone for each text."""
    names = tuple(speakers)
    lines = []
    for number, text in enumerate(texts):
        # Of different lengths, so that batches have padding.
        write_wav(folder / "wavs" / f"{number}.wav", tones(seconds + 0.07 * number, 110 + 20 * number), RATE)
        lines.append("|".join((str(number), *names[number % len(names) :][:1], text)) if names else f"{number}|{text}")
    (folder / "metadata.csv").write_text("\n".join(lines) + "\n", "utf-8")
    return folder


def settings(folder: Path, base: Path | str, **training: Any) -> dict[str, Any]:
    """Settings of a run of a few steps; `training` goes over them, and over those of the voice what only voices have."""
    of_loop = {name: value for name, value in training.items() if name in TrainingConfig.model_fields}
    return {
        "name": "tiny",
        "output": str(folder),
        "base": str(base),
        "corpus": {"validation": 1, "loudness": None, "trim": False},
        "evaluation": {"recogniser": "absent-on-purpose"},
        "training": {
            "steps": 6,
            "batch": 3,
            "precision": "fp32",
            "validate_every": 100,
            "device": "cpu",
            **of_loop,
        },
        "voice": {
            "recovery": {"steps": 4, "batch": 2, "crop": 16, "check_every": 2},
            "sentences": ["abc dab."],
            "segment": 2048,
            "window": 32,
            "discriminator": "light",
            "weights": {"from_text": 45},
            **{name: value for name, value in training.items() if name not in of_loop},
        },
    }


def project(folder: Path, kind: str = "single.ckpt", **training: Any) -> RunConfig:
    """A project with an imported corpus and a spelt base, ready to train."""
    base = spelt(kind, folder / "base")
    import_corpus(corpus(folder / "recordings")).write(folder / MANIFEST)
    return RunConfig(**settings(folder, base, **training))


EVERYTHING_LEARNS = dict.fromkeys(("text_encoder", "duration", "flow", "posterior", "decoder", "discriminator"), 0.0001)


def fit(training: Any, *looks: Any) -> Any:
    """Take all steps of what `begin` made ready, and nothing else; each look is called as look(training, terms) after a step."""
    from voxgraft.training.loop.processes import Processes
    from voxgraft.training.loop.step import take_step

    position, settings, alone = training.position, training.config.training, Processes()
    for batch in training.batches(position.step, position.steps, alone):
        terms = take_step(training.learner, batch, settings, position, training.config.seed, alone)
        for look in looks:
            look(training, {name: float(value) for name, value in terms.items()})
    return training


def batch_of(training: Any, step: int = 0) -> Any:
    """The batch of a step, its clips aligned."""
    from voxgraft.training.tasks.vits.setup import passes

    return passes(training)(step)
