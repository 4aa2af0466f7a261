"""Pitch of speech by WORLD (Morise et al. 2016): DIO finds it, StoneMask refines it."""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

import numpy as np

from voxgraft.errors import MissingExtra

# WORLD's own: what DIO looks for where nobody says otherwise.
LOWEST_HZ, HIGHEST_HZ = 71.0, 800.0
_OCTAVE_CHANNELS = 2.0
_ALLOWED_RANGE = 0.1
# How many times DIO thins out the sound that it looks at. StoneMask then sees all of it.
FAST = 4


def pitch_contour(x: np.ndarray, sample_rate: int, hop: int) -> np.ndarray:
    """Pitch of float [T], a value every `hop` samples from the first on: float32 [T // hop] in Hz, 0 where unvoiced.

    The values are EveryVoice's and FastSpeech 2's, before they fill what is unvoiced: see `interpolated`.
    """
    hertz, _ = world_pitch(x, sample_rate, 1000 * hop / sample_rate, speed=FAST)
    return hertz[: len(x) // hop].astype(np.float32)


def interpolated(pitch: np.ndarray, unvoiced: float = 0.0) -> np.ndarray:
    """A contour [T] with straight lines over what is unvoiced (0), float32 [T]; all `unvoiced` where nothing is voiced."""
    voiced = np.flatnonzero(pitch > 0)
    if not len(voiced):
        return np.full(len(pitch), unvoiced, np.float32)
    return np.interp(np.arange(len(pitch)), voiced, pitch[voiced]).astype(np.float32)


def world_pitch(
    x: np.ndarray,
    sample_rate: int,
    frame_ms: float,
    *,
    lowest: float = LOWEST_HZ,
    highest: float = HIGHEST_HZ,
    speed: int = 1,
) -> tuple[np.ndarray, np.ndarray]:
    """Pitch of float [T]: float64 [N] in Hz, 0 where unvoiced, and the times [N] in seconds. Raises MissingExtra."""
    world = require_world("pitch")
    sound = np.ascontiguousarray(x, np.float64)
    library = _library()
    if library is not None:
        return _unlocked(library, sound, sample_rate, _Option(lowest, highest, _OCTAVE_CHANNELS, frame_ms, speed))
    hertz, times = world.dio(sound, sample_rate, lowest, highest, _OCTAVE_CHANNELS, frame_ms, speed, _ALLOWED_RANGE)
    return world.stonemask(sound, hertz, times, sample_rate), times


def require_world(purpose: str, extra: str = "train") -> Any:
    """The module pyworld; MissingExtra says what it was wanted for, and which extra brings it."""
    try:
        import pyworld
    except ImportError as fault:
        raise MissingExtra("pyworld-prebuilt", extra, purpose) from fault
    return pyworld


class _Option(ctypes.Structure):
    """World's `DioOption`."""

    _fields_ = (
        ("f0_floor", ctypes.c_double),
        ("f0_ceil", ctypes.c_double),
        ("channels_in_octave", ctypes.c_double),
        ("frame_period", ctypes.c_double),
        ("speed", ctypes.c_int),
        ("allowed_range", ctypes.c_double),
    )

    def __init__(self, lowest: float, highest: float, channels: float, frame_ms: float, speed: int) -> None:
        super().__init__(lowest, highest, channels, frame_ms, speed, _ALLOWED_RANGE)


def _unlocked(
    library: ctypes.CDLL, sound: np.ndarray, sample_rate: int, option: _Option
) -> tuple[np.ndarray, np.ndarray]:
    """The same calls as pyworld's, past its wrapper: that one holds the interpreter lock, so that threads would queue."""
    frames = library.GetSamplesForDIO(sample_rate, len(sound), option.frame_period)
    times, rough, fine = (np.zeros(frames) for _ in range(3))
    library.Dio(_data(sound), len(sound), sample_rate, ctypes.byref(option), _data(times), _data(rough))
    library.StoneMask(_data(sound), len(sound), sample_rate, _data(times), _data(rough), frames, _data(fine))
    return fine, times


@cache
def _library() -> ctypes.CDLL | None:
    """World's C functions out of pyworld's extension; None where it doesn't show them (on Windows)."""
    import pyworld.pyworld

    library = ctypes.CDLL(pyworld.pyworld.__file__)
    try:
        library.GetSamplesForDIO.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_double]
        library.GetSamplesForDIO.restype = ctypes.c_int
        array, whole = ctypes.c_void_p, ctypes.c_int
        library.Dio.argtypes = [array, whole, whole, ctypes.POINTER(_Option), array, array]
        library.StoneMask.argtypes = [array, whole, whole, array, array, whole, array]
        library.Dio.restype = library.StoneMask.restype = None
    except AttributeError:
        return None
    return library


def _data(values: np.ndarray) -> int:
    return int(values.ctypes.data)
