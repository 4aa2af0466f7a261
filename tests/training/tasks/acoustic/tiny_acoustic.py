"""A text-to-spec project so small that a run takes a second: EveryVoice's tiny fixture, and a few seconds of tones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tests import paths
from tests.training.tasks.vits.tiny_project import RATE, fit, tones

from voxgraft.audio.write import write_wav
from voxgraft.config.run import RunConfig
from voxgraft.corpus.manifest import Manifest, Utterance
from voxgraft.project.run_folder import MANIFEST

__all__ = ["BASE", "fit", "project", "scratch"]

BASE = paths.FIXTURES / "everyvoice" / "text-to-spec.ckpt"
TEXTS = ("hello", "bad word", "bold", "he rode a deer", "a work", "held a ball", "old bread", "be hard", "he wore red")
SPECTROGRAM = {"sample_rate": RATE, "n_fft": 256, "win": 256, "hop": 128, "n_mels": 16, "fmax": None, "centre": True}


def corpus(
    folder: Path,
    texts: Iterable[str] = TEXTS,
    *,
    seconds: float = 0.5,
    speakers: tuple[str | None, ...] = ("ada", "bo"),
    languages: tuple[str | None, ...] = ("eng", "fra"),
) -> Manifest:
    """A tone for each text, speakers and languages in turn; lengths differ, so that batches have padding."""
    found = []
    for number, text in enumerate(texts):
        path = folder / "wavs" / f"{number}.wav"
        sound = tones(seconds + 0.05 * number, 110 + 20 * number)
        write_wav(path, sound, RATE)
        who, what = speakers[number % len(speakers)], languages[number // 2 % len(languages)]
        found.append(
            Utterance(
                str(number), str(path), text, len(sound) / RATE, RATE, speaker=who, language=what, sha256=str(number)
            )
        )
    return Manifest(tuple(found))


def settings(folder: Path, base: Path | str, changes: Mapping[str, Any], training: Mapping[str, Any]) -> RunConfig:
    loop = {"steps": 6, "batch": 3, "precision": "fp32", "validate_every": 100, "device": "cpu", "ema": 0.9}
    found = {
        "name": "tiny",
        "task": "acoustic",
        "output": str(folder),
        "base": str(base),
        "corpus": {"validation": 1, "loudness": None, "trim": False, "shortest": 0.1},
        "training": {**loop, **training},
    }
    return RunConfig(**(found | changes))


def project(
    folder: Path,
    *,
    base: Path = BASE,
    manifest: Manifest | None = None,
    training: Mapping[str, Any] = {},
    **changes: Any,
) -> RunConfig:
    """A project with recordings of two speakers and EveryVoice's tiny model as its base; `changes` are sections."""
    (manifest or corpus(folder / "recordings")).write(folder / MANIFEST)
    return settings(folder, base, changes, training)


def scratch(folder: Path, *, training: Mapping[str, Any] = {}, **changes: Any) -> RunConfig:
    """A project from scratch, one speaker, spelt by letters."""
    corpus(folder / "recordings", speakers=(None,), languages=(None,)).write(folder / MANIFEST)
    (folder / "symbols.txt").write_text("\n".join("_abdehklorw") + "\n", "utf-8")
    acoustic = {"size": "tiny", "spectrogram": SPECTROGRAM, **changes.pop("acoustic", {})}
    graft = {"symbols": str(folder / "symbols.txt")}
    return settings(folder, "none", {"acoustic": acoustic, "graft": graft, **changes}, training)
