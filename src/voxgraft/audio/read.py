"""Read recordings: WAV, FLAC, OGG and MP3 as float32 mono, in blocks so that a header can't demand memory."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from voxgraft.audio.riff import missing_bytes
from voxgraft.errors import AudioError

if TYPE_CHECKING:
    from soundfile import SoundFile

LONGEST_SECONDS = 600.0
_LOWEST_RATE, _HIGHEST_RATE = 2_000, 768_000
# Values of all channels that are decoded at once.
_BLOCK_VALUES = 1 << 19
_ENDLESS = 1 << 62
_CONVERT = "open it in an audio editor or convert it again from its source (WAV, FLAC, OGG and MP3 are read)"


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


def read_audio(path: str | os.PathLike[str], *, longest: float = LONGEST_SECONDS) -> tuple[np.ndarray, int]:
    """A recording as (float32 mono [T], sample rate in Hz); channels are averaged.

    AudioError for a file that is missing, empty, truncated, not audio, over `longest` seconds, or that holds NaN or Inf.
    """
    path = Path(path)
    with _opened(path) as file:
        rate = file.samplerate
        audio = np.concatenate([np.zeros(0, np.float32), *_mono_blocks(file, path, int(longest * rate))])
        promised = file.frames
    if not len(audio):
        raise AudioError("holds no sound", file=path, remedy="record it again or leave it out")
    # libsndfile only estimates the length of an MP3, by up to a few frames of 1152 samples.
    if promised < 1 << 40 and len(audio) < promised - 4 * 1152:
        raise AudioError("is cut off", file=path, expected=f"{promised} samples", got=len(audio), remedy=_CONVERT)
    return audio, rate


@contextmanager
def audio_blocks(path: str | os.PathLike[str], seconds: float) -> Iterator[Iterator[np.ndarray]]:
    """A recording of any length as blocks of float32 mono [T], each of `seconds` at most. Raises AudioError."""
    path = Path(path)
    with _opened(path) as file:
        yield _mono_blocks(file, path, _ENDLESS, max(1, int(seconds * file.samplerate)))


def _mono_blocks(file: SoundFile, path: Path, most: int, block_frames: int = _BLOCK_VALUES) -> Iterator[np.ndarray]:
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
                remedy="cut it into utterances with `voxgraft corpus make`",
            )
        mono = block[:, 0] if block.shape[1] == 1 else block.mean(axis=1, dtype=np.float32)
        if not np.isfinite(mono).all():
            raise AudioError("holds samples that are not numbers (NaN or Inf)", file=path, remedy=_CONVERT)
        yield mono


@contextmanager
def _opened(path: Path) -> Iterator[SoundFile]:
    import soundfile

    if not path.is_file():
        raise AudioError("no such file", file=path, remedy="check the name and the folder")
    try:
        if os.path.getsize(path) == 0:
            raise AudioError("is empty", file=path, remedy="record it again or leave it out")
        lacking = missing_bytes(path)
        file = soundfile.SoundFile(os.fspath(path))
    except OSError as fault:
        raise AudioError(f"can't be opened: {fault.strerror}", file=path, remedy="check its permissions") from fault
    except (RuntimeError, TypeError, ValueError, UnicodeError) as fault:
        raise AudioError("is not audio that can be read", file=path, got=_reason(fault), remedy=_CONVERT) from fault
    with file:
        if not _LOWEST_RATE <= file.samplerate <= _HIGHEST_RATE:
            raise AudioError(
                "has an impossible sample rate", file=path, field="sample rate", got=file.samplerate, remedy=_CONVERT
            )
        if lacking:
            raise AudioError("is cut off", file=path, got=f"{lacking} bytes fewer than declared", remedy=_CONVERT)
        yield file


def _reason(fault: Exception) -> str:
    return str(getattr(fault, "error_string", fault)).rstrip(".")
