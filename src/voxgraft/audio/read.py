"""Read recordings as float32 mono, in blocks so that a header can't demand memory."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from voxgraft.audio.kinds import TOLD, conversion
from voxgraft.audio.riff import Sound, find_sound, open_as_whole
from voxgraft.errors import AudioError

if TYPE_CHECKING:
    from soundfile import SoundFile

LONGEST_SECONDS = 600.0
_LOWEST_RATE, _HIGHEST_RATE = 2_000, 768_000
# Values of all channels that are decoded at once.
_BLOCK_VALUES = 1 << 19
_ENDLESS = 1 << 62
# As many samples are a size that a header does not know.
_UNKNOWN_FRAMES = 1 << 40
# The channels cancel where the mean of them has less than this share of their energy (in antiphase it has none, of
# independent channels a half, of one that is silent a quarter).
_CANCELLED = 0.05
_CONVERT = f"Open it in an audio editor, or convert it again from its source ({TOLD})."


@dataclass(frozen=True)
class AudioInfo:
    """What the header says: `duration` in seconds, `sample_rate` in Hz, `frames` samples of each channel."""

    duration: float
    sample_rate: int
    channels: int
    frames: int


def read_info(path: str | os.PathLike[str]) -> AudioInfo:
    """Length and format of a recording, from its header; AudioError where there is no whole recording."""
    with _opened(Path(path)) as file:
        rate, frames = file.samplerate, max(0, file.frames)
        return AudioInfo(frames / rate, rate, file.channels, frames)


@dataclass(frozen=True)
class Recording:
    """Float32 mono [T] at `rate` in Hz. `cancelling`: the channels are each other's opposite, so that one was taken."""

    audio: np.ndarray
    rate: int
    cancelling: bool


def read_audio(path: str | os.PathLike[str], *, longest: float = LONGEST_SECONDS) -> tuple[np.ndarray, int]:
    """A recording as (float32 mono [T], sample rate in Hz), see `read_recording`."""
    recording = read_recording(path, longest=longest)
    return recording.audio, recording.rate


def read_recording(path: str | os.PathLike[str], *, longest: float = LONGEST_SECONDS) -> Recording:
    """A whole recording; its channels are averaged, or the loudest is taken where they cancel each other.

    AudioError for a file that is missing, empty, truncated, not audio, over `longest` seconds, or that holds NaN or Inf.
    """
    path = Path(path)
    with _opened(path) as file:
        rate, mixer = file.samplerate, _Mixer()
        audio = np.concatenate([np.zeros(0, np.float32), *_mono_blocks(file, path, mixer, int(longest * rate))])
        promised = file.frames
    if not len(audio):
        raise AudioError("holds no sound", file=path, remedy="Record it again or leave it out.")
    # libsndfile only estimates the length of an MP3, by up to a few frames of 1152 samples.
    if promised < _UNKNOWN_FRAMES and len(audio) < promised - 4 * 1152:
        raise AudioError("is cut off", file=path, expected=f"{promised} samples", got=len(audio), remedy=_CONVERT)
    return Recording(audio, rate, mixer.cancelling)


@contextmanager
def audio_blocks(path: str | os.PathLike[str], seconds: float) -> Iterator[Iterator[np.ndarray]]:
    """A recording of any length as blocks of float32 mono [T], each of `seconds` at most. Raises AudioError."""
    path = Path(path)
    with _opened(path) as file:
        yield _mono_blocks(file, path, _Mixer(), _ENDLESS, max(1, int(seconds * file.samplerate)))


class _Mixer:
    """Mixes channels to one, block by block; by all that it has met it tells whether they cancel."""

    def __init__(self) -> None:
        self._mean_energy = 0.0
        self._energies = np.zeros(0)

    @property
    def cancelling(self) -> bool:
        """Whether the mean of the channels is (nearly) silent while they are not."""
        loudness = float(self._energies.mean()) if len(self._energies) else 0.0
        return self._mean_energy < _CANCELLED * loudness

    def mono(self, block: np.ndarray) -> np.ndarray:
        """Float32 [T, channels] -> float32 [T]."""
        if block.shape[1] == 1:
            return block[:, 0]
        mean = block.mean(axis=1, dtype=np.float32)
        if not len(self._energies):
            self._energies = np.zeros(block.shape[1])
        self._energies += np.einsum("tc,tc->c", block, block, dtype=np.float64)
        self._mean_energy += float(np.dot(mean, mean))
        return np.ascontiguousarray(block[:, int(self._energies.argmax())]) if self.cancelling else mean


def _mono_blocks(
    file: SoundFile, path: Path, mixer: _Mixer, most: int, block_frames: int = _BLOCK_VALUES
) -> Iterator[np.ndarray]:
    total = 0
    frames = max(1, min(block_frames, _BLOCK_VALUES // file.channels))
    while True:
        try:
            block = file.read(frames, dtype="float32", always_2d=True)
        except (RuntimeError, ValueError) as fault:
            raise AudioError(f"is damaged: {fault}", file=path, remedy=_CONVERT) from fault
        if not len(block):
            return
        total += len(block)
        if total > most:
            raise AudioError(
                "is too long",
                file=path,
                expected=f"at most {most / file.samplerate:g} s",
                remedy="Cut it into utterances with `voxgraft corpus make`.",
            )
        mono = mixer.mono(block)
        if not np.isfinite(mono).all():
            raise AudioError("holds samples that are not numbers (NaN or Inf)", file=path, remedy=_CONVERT)
        yield mono


@contextmanager
def _opened(path: Path) -> Iterator[SoundFile]:
    import soundfile

    # Nothing else is opened: a pipe would block, a device never end.
    if not path.is_file():
        there = os.path.lexists(path) and not path.is_dir()
        problem = "is not a file that holds sound" if there else "no such file"
        raise AudioError(problem, file=path, remedy="Check the name and the folder.")
    with ExitStack() as held:
        try:
            if os.path.getsize(path) == 0:
                raise AudioError("is empty", file=path, remedy="Record it again or leave it out.")
            sound = find_sound(path)
            source = held.enter_context(_source(path, sound))
            file = held.enter_context(soundfile.SoundFile(source))
        except OSError as fault:
            raise AudioError(
                f"can't be opened: {fault.strerror}", file=path, remedy="Check its permissions."
            ) from fault
        except (RuntimeError, TypeError, ValueError, UnicodeError) as fault:
            raise AudioError(
                "is not audio that can be read", file=path, got=_reason(fault), remedy=conversion(path)
            ) from fault
        _require_possible(file, path, sound)
        yield file


def _require_possible(file: SoundFile, path: Path, sound: Sound | None) -> None:
    """Raise AudioError for what a header can't say of a whole recording."""
    if file.frames >= _UNKNOWN_FRAMES and file.format == "FLAC":
        raise AudioError("doesn't say how long it is", file=path, remedy=conversion(path))
    if not _LOWEST_RATE <= file.samplerate <= _HIGHEST_RATE:
        raise AudioError(
            "has an impossible sample rate", file=path, field="sample rate", got=file.samplerate, remedy=_CONVERT
        )
    if sound is not None and sound.missing:
        raise AudioError("is cut off", file=path, got=f"{sound.missing} bytes fewer than declared", remedy=_CONVERT)


@contextmanager
def _source(path: Path, sound: Sound | None) -> Iterator[str | BinaryIO]:
    """What libsndfile reads: a name; the file itself where its name is not UTF-8, or its header lacks a size."""
    name = os.fspath(path)
    if sound is not None and not sound.known:
        with open_as_whole(path, sound) as file:
            yield file
    elif name.isascii() or name == name.encode("utf-8", "replace").decode("utf-8"):
        yield name
    else:
        with open(path, "rb") as file:
            yield file


def _reason(fault: Exception) -> str:
    return str(getattr(fault, "error_string", fault)).rstrip(".")
