"""What an acoustic model and a vocoder learn from: sound, mel spectrogram, pitch and energy, frame by frame, cached.

Every entry is frame-exact: its sound is cut to whole hops, so that `samples == frames * hop` (EveryVoice does the same, and
matching a vocoder rests on it).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

import voxgraft.audio.energy
import voxgraft.audio.pitch
from voxgraft.audio.energy import energy_contour
from voxgraft.audio.pitch import interpolated, pitch_contour, require_world
from voxgraft.audio.spec import AudioSpec
from voxgraft.audio.spectrogram import check_normalisation, mel_spectrogram
from voxgraft.audio.trim import speech_bounds
from voxgraft.corpus.manifest import Manifest, Utterance
from voxgraft.corpus.prepare.cache import ArrayCache, version_of_code
from voxgraft.corpus.prepare.parallel import map_in_parallel
from voxgraft.corpus.prepare.prepare import SOUND_CODE, SOUND_PACKAGES, Settings, as_float, entry_of
from voxgraft.errors import AudioError

_ARRAYS = ("audio", "mel", "pitch", "energy", "begin")


@dataclass(frozen=True)
class PreparedFrames:
    """One utterance frame by frame, still on disk: `frames` T, `samples` T × hop. `content` is the recording's SHA-256.

    `begin` is where its sound begins in the recording, in samples at the spec's rate: what trimming cut off.
    Stored as int16 audio and float32 features, 75 kB a second at 22 kHz.
    """

    utterance: Utterance
    samples: int
    frames: int
    begin: int
    audio_file: Path
    mel_file: Path
    pitch_file: Path
    energy_file: Path
    content: str

    @property
    def audio(self) -> np.ndarray:
        """Float32 [samples] in -1..1."""
        return self.audio_between(0, self.samples)

    @property
    def mel(self) -> np.ndarray:
        """Float32 [M, T] as the spec has it, mapped from disk."""
        return np.load(self.mel_file, mmap_mode="r")

    @property
    def pitch(self) -> np.ndarray:
        """Float32 [T] in Hz, 0 where unvoiced."""
        return np.load(self.pitch_file)

    @property
    def interpolated_pitch(self) -> np.ndarray:
        """Float32 [T] in Hz with straight lines over what is unvoiced; all 0 where nothing is voiced."""
        return interpolated(self.pitch)

    @property
    def energy(self) -> np.ndarray:
        """Float32 [T], the L2 norm of each frame of the mel spectrogram."""
        return np.load(self.energy_file)

    def audio_between(self, begin: int, end: int) -> np.ndarray:
        """Float32 samples `begin` to `end`; only these are read."""
        return as_float(np.load(self.audio_file, mmap_mode="r")[begin:end])

    def mel_between(self, begin: int, end: int) -> np.ndarray:
        """Float32 [M, end - begin]; only these frames are read."""
        return np.array(self.mel[:, begin:end])


def prepare_frames(
    manifest: Manifest,
    spec: AudioSpec,
    *,
    loudness: float | None = -23.0,
    trim: bool = True,
    cache_dir: str | os.PathLike[str],
    workers: int | None = None,
) -> list[PreparedFrames]:
    """Every utterance of the manifest, in order. A second call, or one after a kill, does only what is not done yet.

    Raises:
        AudioError: a recording can't be read, is silent or too short, or the spec's spectrogram isn't computed here.
        MissingExtra: pyworld is not installed.
    """
    check_normalisation(spec)
    require_world("preparing pitch")
    settings = Settings(spec, loudness, trim)
    store = ArrayCache(Path(cache_dir), _ARRAYS, {**settings.to_dict(code_version()), "kind": "frames"})
    return map_in_parallel(
        lambda utterance: _prepare_one(utterance, settings, store),
        manifest,
        "Preparing recordings",
        len(manifest),
        workers,
    )


def frames_of(sound: np.ndarray, spec: AudioSpec) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Sound, float [N], cut to whole hops [T × hop], and its mel [M, T], pitch [T] in Hz and energy [T], all float32."""
    frames = len(sound) // spec.hop
    if not frames:
        raise AudioError(
            "is too short for one frame",
            expected=f"at least {spec.hop} samples at {spec.sample_rate} Hz",
            got=len(sound),
            remedy="Leave it out, or record it again.",
        )
    sound = np.asarray(sound[: frames * spec.hop], np.float32)
    mel = np.ascontiguousarray(mel_spectrogram(sound, spec)[:, :frames], np.float32)
    return sound, mel, pitch_contour(sound, spec.sample_rate, spec.hop), energy_contour(mel)


def _prepare_one(utterance: Utterance, settings: Settings, store: ArrayCache) -> PreparedFrames:
    spec = settings.spec

    def make() -> tuple[np.ndarray, ...]:
        stored, begin = settings.sound_of(utterance.audio)
        # Of the stored samples, so that all arrays of an entry agree exactly.
        sound, mel, pitch, energy = _named(utterance, as_float(stored), spec)
        if speech_bounds(sound, spec.sample_rate) == (0, 0):
            remedy = "Leave it out, or record it again; `voxgraft corpus check` finds all such clips."
            raise AudioError("is silent from beginning to end", file=utterance.audio, remedy=remedy)
        return stored[: len(sound)], mel, pitch, energy, np.array([begin])

    content, (*files, begin_file) = entry_of(utterance, store, make)
    samples, frames = (np.load(file, mmap_mode="r").shape[-1] for file in files[:2])
    return PreparedFrames(utterance, samples, frames, int(np.load(begin_file)[0]), *files, content=content)


def _named(utterance: Utterance, sound: np.ndarray, spec: AudioSpec) -> tuple[np.ndarray, ...]:
    try:
        return frames_of(sound, spec)
    except AudioError as fault:
        raise AudioError(
            fault.problem, file=utterance.audio, expected=fault.expected, got=fault.got, remedy=fault.remedy
        ) from fault


@cache
def code_version() -> str:
    """Of the code that makes cache entries, and of the libraries that it leans on."""
    modules = (*SOUND_CODE, voxgraft.audio.pitch, voxgraft.audio.energy, __file__)
    return version_of_code(modules, (*SOUND_PACKAGES, "pyworld-prebuilt"))
