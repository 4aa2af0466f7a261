"""Spectrograms that an acoustic model generated of the corpus: found, and held against the recordings before training begins.

A folder of them has a file for each recording: named in `index.json`, {"audio": {AudioSpec}, "mels": {ID: {"file": FILE}}}, or by
its id, ID.npy; or as EveryVoice's `synthesized_spec` has them, ID--SPEAKER--LANGUAGE--spec-pred-RATE-KIND.pt.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from voxgraft.audio.spec import AudioSpec
from voxgraft.checkpoints.containers.torch.tensor import TorchTensor
from voxgraft.checkpoints.source import CheckpointSource
from voxgraft.errors import TrainingError
from voxgraft.json_file import read_object

INDEX = "index.json"
FIELD = "vocoder.generated"
_REMEDY = "Generate the spectrograms again, of this corpus and with teacher forcing, or leave vocoder.generated out."


def generated_files(folder: Path, spec: AudioSpec, wanted: Mapping[str, int]) -> dict[str, Path]:
    """Id -> file of the generated spectrogram of each recording in `wanted` (id -> frames).

    TrainingError: one is missing, has other bands or frames than the recording, or a value that is no finite number; or the
    folder says that its spectrograms are of another kind than `spec`.
    """
    if not folder.is_dir():
        raise TrainingError(
            "there is no such folder of generated spectrograms", file=folder, field=FIELD, remedy=_REMEDY
        )
    index = read_object(folder / INDEX, remedy=_REMEDY) if (folder / INDEX).is_file() else {}
    _require_same_kind(index.get("audio"), spec, folder)
    found = {name: _file_of(folder, name, index.get("mels")) for name in wanted}
    for name, frames in wanted.items():
        _check(found[name], spec, frames, name)
    return found


def read_mel(path: Path) -> np.ndarray:
    """[M, T], mapped from disk where it is a .npy. TrainingError: it holds no spectrogram."""
    if path.suffix == ".npy":
        try:
            array = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError) as fault:
            raise _fault(path, f"can't be read: {fault}") from fault
    else:
        tensor = source.content if (source := CheckpointSource(path).torch) is not None else None
        if not isinstance(tensor, TorchTensor):
            raise _fault(path, "holds no tensor")
        array = tensor.load()
    if array.ndim != 2:
        raise _fault(path, "is no spectrogram", expected="[mels, frames]", got=list(array.shape))
    return array


def _file_of(folder: Path, name: str, mels: Any) -> Path:
    entry = mels.get(name) if isinstance(mels, dict) else None
    listed = entry.get("file") if isinstance(entry, dict) else None
    places = [folder / listed] if isinstance(listed, str) else [folder / f"{name}.npy"]
    places += sorted(folder.glob(f"{_escaped(name)}--*--spec-pred-*.pt"))
    inside = (path for path in places if path.is_file() and path.resolve().is_relative_to(folder.resolve()))
    found = next(inside, None)
    if found is None:
        raise TrainingError(
            f"there is no generated spectrogram of {name}",
            file=folder,
            field=FIELD,
            expected=places[0].name,
            remedy=_REMEDY,
        )
    return found


def _escaped(name: str) -> str:
    return "".join(f"[{sign}]" if sign in "*?[" else sign for sign in name)


def _check(path: Path, spec: AudioSpec, frames: int, name: str) -> None:
    mel = read_mel(path)
    if mel.shape != (spec.n_mels, frames):
        what = "mel bands" if mel.shape[0] != spec.n_mels else "frames"
        raise _fault(
            path,
            f"the generated spectrogram of {name} has other {what} than the recording",
            expected=[spec.n_mels, frames],
            got=list(mel.shape),
        )
    if not np.isfinite(mel).all():
        raise _fault(path, f"the generated spectrogram of {name} has values that are no finite numbers")


def _require_same_kind(stated: Any, spec: AudioSpec, folder: Path) -> None:
    """What a folder states of its spectrograms must be what the vocoder reads."""
    if not isinstance(stated, dict):
        return
    ours = spec.to_dict()
    differing = [f.name for f in fields(AudioSpec) if f.name in stated and stated[f.name] != ours[f.name]]
    if differing:
        name = differing[0]
        raise TrainingError(
            "the generated spectrograms are of another kind than the vocoder reads",
            file=folder / INDEX,
            field=f"audio.{name}",
            expected=ours[name],
            got=stated[name],
            remedy="Take an acoustic model and a vocoder whose spectrograms are the same.",
        )


def _fault(path: Path, problem: str, *, expected: object = None, got: object = None) -> TrainingError:
    return TrainingError(problem, file=path, field=FIELD, expected=expected, got=got, remedy=_REMEDY)


__all__: Sequence[str] = ("FIELD", "INDEX", "generated_files", "read_mel")
