"""Prepare recordings for training: resample, trim, match loudness, spectrogram; cached by content, settings and code."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

import voxgraft.audio.loudness
import voxgraft.audio.read
import voxgraft.audio.resample
import voxgraft.audio.riff
import voxgraft.audio.spectrogram
import voxgraft.audio.trim
import voxgraft.audio.write
from voxgraft.audio.loudness import match_loudness
from voxgraft.audio.read import read_audio
from voxgraft.audio.resample import resample
from voxgraft.audio.spec import AudioSpec
from voxgraft.audio.spectrogram import linear_spectrogram
from voxgraft.audio.trim import trimmed_bounds
from voxgraft.audio.write import to_int16
from voxgraft.corpus.manifest import Manifest, Utterance
from voxgraft.corpus.prepare.cache import ArrayCache, version_of_code
from voxgraft.corpus.prepare.parallel import map_in_parallel
from voxgraft.errors import AudioError

_ARRAYS = ("audio", "spectrogram")


@dataclass(frozen=True)
class Prepared:
    """One utterance as it is trained on, still on disk: `samples` T, `frames` N; `content` is the recording's SHA-256.

    Stored as int16 audio (quantised at -96 dB) and float16 spectrogram (relative error 5e-4), 130 kB a second at 22 kHz.
    """

    utterance: Utterance
    samples: int
    frames: int
    audio_file: Path
    spectrogram_file: Path
    content: str

    @property
    def audio(self) -> np.ndarray:
        """Float32 [T] in -1..1."""
        return as_float(np.load(self.audio_file, mmap_mode="r"))

    @property
    def spectrogram(self) -> np.ndarray:
        """Float32 [bins, N]."""
        return np.load(self.spectrogram_file, mmap_mode="r").astype(np.float32)

    def audio_between(self, begin: int, end: int) -> np.ndarray:
        """Float32 samples `begin` to `end`; only these are read."""
        return as_float(np.load(self.audio_file, mmap_mode="r")[begin:end])

    def spectrogram_between(self, begin: int, end: int) -> np.ndarray:
        """Float32 [bins, end - begin]; only these frames are read."""
        return np.load(self.spectrogram_file, mmap_mode="r")[:, begin:end].astype(np.float32)


@dataclass(frozen=True)
class Settings:
    """How recordings become sound: `loudness` in LUFS, None leaves it; `trim` cuts the silence at both ends."""

    spec: AudioSpec
    loudness: float | None
    trim: bool

    def to_dict(self, code: str) -> dict[str, object]:
        """All that decides what becomes of a recording, the version of the code that does it included."""
        return {
            "spec": self.spec.to_dict(),
            "loudness": self.loudness,
            "trim": self.trim,
            "code": code,
        }

    def sound_of(self, recording: str) -> tuple[np.ndarray, int]:
        """A recording as it is stored, int16 [T] at the spec's rate, and how many samples were cut off before it."""
        audio, begin = _sound(recording, self)
        return to_int16(audio), begin


def prepare(
    manifest: Manifest,
    spec: AudioSpec,
    *,
    loudness: float | None = -23.0,
    trim: bool = True,
    cache_dir: str | os.PathLike[str],
    workers: int | None = None,
) -> list[Prepared]:
    """Every utterance of the manifest, in order. A second call, or one after a kill, does only what is not done yet.

    AudioError names the recording that can't be read.
    """
    settings = Settings(spec, loudness, trim)
    store = ArrayCache(Path(cache_dir), _ARRAYS, settings.to_dict(code_version()))
    return map_in_parallel(
        lambda utterance: _prepare_one(utterance, settings, store),
        manifest,
        "Preparing recordings",
        len(manifest),
        workers,
    )


def upsampled(manifest: Manifest, spec: AudioSpec) -> list[Utterance]:
    """The recordings of a lower sample rate than the model's: they stay dull, whatever is trained on them."""
    return [u for u in manifest if u.sample_rate < spec.sample_rate]


def prepare_audio(path: str | os.PathLike[str], spec: AudioSpec, *, loudness: float | None, trim: bool) -> np.ndarray:
    """One recording as float32 [T] at the spec's rate."""
    return _sound(path, Settings(spec, loudness, trim))[0]


def _sound(path: str | os.PathLike[str], settings: Settings) -> tuple[np.ndarray, int]:
    rate = settings.spec.sample_rate
    audio, own_rate = read_audio(path)
    audio = resample(audio, own_rate, rate)
    first, last = trimmed_bounds(audio, rate) if settings.trim else (0, len(audio))
    audio = audio[first:last]
    if settings.loudness is not None:
        audio = match_loudness(audio, rate, settings.loudness)
    return audio, first


def entry_of(
    utterance: Utterance, store: ArrayCache, make: Callable[[], tuple[np.ndarray, ...]]
) -> tuple[str, tuple[Path, ...]]:
    """An utterance's entry in the cache, see `ArrayCache.entry`; AudioError where the recording can't be read."""
    try:
        return store.entry(Path(utterance.audio), make)
    except OSError as fault:
        raise AudioError(
            f"can't be read: {fault.strerror}", file=utterance.audio, remedy="Run `voxgraft corpus check PROJECT`."
        ) from fault


def as_float(sound: np.ndarray) -> np.ndarray:
    """Stored samples, int16 [T], as float32 [T] in -1..1."""
    return sound.astype(np.float32) / np.float32(32768)


def _prepare_one(utterance: Utterance, settings: Settings, store: ArrayCache) -> Prepared:
    def make() -> tuple[np.ndarray, ...]:
        audio, _ = settings.sound_of(utterance.audio)
        # Of the stored samples, so that audio and spectrogram of an entry agree exactly.
        spectrogram = linear_spectrogram(as_float(audio), settings.spec)
        return audio, spectrogram.astype(_storage(settings.spec))

    content, (audio_file, spectrogram_file) = entry_of(utterance, store, make)
    shape = np.load(spectrogram_file, mmap_mode="r").shape
    samples = np.load(audio_file, mmap_mode="r").shape[0]
    return Prepared(utterance, samples, shape[1], audio_file, spectrogram_file, content)


def _storage(spec: AudioSpec) -> type[np.floating]:
    """float16, unless a full-scale tone would overflow it (power spectrograms)."""
    loudest = (spec.win / 2) ** spec.power
    return np.float16 if loudest < float(np.finfo(np.float16).max) else np.float32


# The code that reads recordings and makes sound of them.
SOUND_CODE = (
    voxgraft.audio.read,
    voxgraft.audio.riff,
    voxgraft.audio.resample,
    voxgraft.audio.trim,
    voxgraft.audio.loudness,
    voxgraft.audio.spectrogram,
    voxgraft.audio.write,
    __file__,
)
SOUND_PACKAGES = ("numpy", "soxr", "soundfile", "pyloudnorm")


@cache
def code_version() -> str:
    """Of the code that makes cache entries, and of the libraries that it leans on."""
    return version_of_code(SOUND_CODE, SOUND_PACKAGES)
