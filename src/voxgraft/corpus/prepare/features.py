"""What a recogniser hears of each recording: sound and features, cached by content, settings and code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

import voxgraft.audio.mfcc
import voxgraft.audio.read
import voxgraft.audio.recogniser_features
import voxgraft.audio.resample
import voxgraft.audio.riff
import voxgraft.audio.spectrogram
import voxgraft.audio.write
from voxgraft.audio.read import read_audio
from voxgraft.audio.recogniser_features import FeatureSpec, recogniser_features
from voxgraft.audio.resample import resample
from voxgraft.audio.write import to_int16
from voxgraft.corpus.checks.finding import Finding, located, unreadable
from voxgraft.corpus.manifest import Utterance
from voxgraft.corpus.prepare.cache import ArrayCache, version_of_code
from voxgraft.corpus.prepare.parallel import map_in_parallel
from voxgraft.errors import AudioError

_ARRAYS = ("sound", "features")
_SCALE = np.float32(32768)


@dataclass(frozen=True)
class PreparedFeatures:
    """One utterance as a recogniser hears it, still on disk: `frames` of features at `spec`. Its duration is that of the
    sound, where a header may only have estimated it. `content` is the recording's SHA-256."""

    utterance: Utterance
    spec: FeatureSpec
    frames: int
    sound_file: Path
    features_file: Path
    content: str

    @property
    def sound(self) -> np.ndarray:
        """Float32 [T] in -1 to 1, at the spec's rate."""
        return np.load(self.sound_file, mmap_mode="r").astype(np.float32) / _SCALE

    @property
    def features(self) -> np.ndarray:
        """Float32 [N, C], mapped from disk."""
        return np.load(self.features_file, mmap_mode="r")


def features_of(sound: np.ndarray, spec: FeatureSpec) -> np.ndarray:
    """Float32 [T] in -1 to 1 at the spec's rate -> float32 [N, C]; [T, 1] for a model that takes samples."""
    found = recogniser_features(sound, spec)
    return found if found.ndim == 2 else found[:, None]


def prepare_features(
    utterances: Sequence[Utterance], spec: FeatureSpec, cache_dir: Path, *, workers: int | None = None
) -> tuple[list[PreparedFeatures], list[Finding]]:
    """Every utterance that can be read, in order: resampled, nothing else done to it; and what is wrong with the others.

    A second call does only what is not done yet.
    """
    settings = {"spec": spec.to_dict(), "kind": type(spec).__name__, "code": code_version()}
    store = ArrayCache(cache_dir, _ARRAYS, settings)
    results = map_in_parallel(
        lambda utterance: _prepare_one(utterance, spec, store),
        utterances,
        "Preparing recordings",
        len(utterances),
        workers,
    )
    faults = [result for result in results if isinstance(result, Finding)]
    return [result for result in results if isinstance(result, PreparedFeatures)], located(faults, utterances)


def _prepare_one(utterance: Utterance, spec: FeatureSpec, store: ArrayCache) -> PreparedFeatures | Finding:
    def make() -> tuple[np.ndarray, ...]:
        audio, rate = read_audio(utterance.audio)
        sound = to_int16(resample(audio, rate, spec.sample_rate))
        # Of the stored samples, so that sound and features of an entry agree exactly.
        return sound, features_of(sound.astype(np.float32) / _SCALE, spec)

    try:
        content, (sound_file, features_file) = store.entry(Path(utterance.audio), make)
    except AudioError as fault:
        return unreadable(utterance, fault)
    except OSError as fault:
        detail = f"{utterance.audio}: {fault.strerror}"
        return Finding(utterance.id, "missing audio", detail, "Add the file or remove the row.")
    frames = np.load(features_file, mmap_mode="r").shape[0]
    duration = np.load(sound_file, mmap_mode="r").shape[0] / spec.sample_rate
    return PreparedFeatures(replace(utterance, duration=duration), spec, frames, sound_file, features_file, content)


@cache
def code_version() -> str:
    """Of the code that makes cache entries, and of the libraries that it leans on."""
    modules = (
        voxgraft.audio.read,
        voxgraft.audio.riff,
        voxgraft.audio.resample,
        voxgraft.audio.mfcc,
        voxgraft.audio.spectrogram,
        voxgraft.audio.recogniser_features,
        voxgraft.audio.write,
    )
    return version_of_code((*modules, __file__), ("numpy", "soxr", "soundfile"))
