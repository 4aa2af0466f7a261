"""What changes a spectrogram: its axes stretched or bent, bands of it masked; and the way there and back.

A short-time Fourier transform (Hann windows of 32 ms, a quarter apart: the bands of Coqui STT's spectrogram), and sound
again by a phase vocoder: every model hears what was done, whatever it takes in. N frames, F bands.
Source: Laroche and Dolson, "Improved phase vocoder time-scale modification of audio", 1999.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from voxgraft.audio.augment.points import Pick

_WINDOW_SECONDS = 0.032
_OVERLAP = 4
# A bent line never meets its neighbour, which can move towards it by as much.
_MOST_BENT = 0.9
# Rounds in which the phases of neighbours are made to agree (Griffin and Lim).
_ROUNDS = 2
_LITTLE = 1e-12


@dataclass(frozen=True)
class Spectrum:
    """`magnitude` [N, F]; `turn` [N, F] is by how much a band's phase went on since the frame before, the first frame's
    its phase. `samples` is how long the sound is. `bent`: the phases have to be found anew."""

    magnitude: np.ndarray
    turn: np.ndarray
    samples: int
    rate: int
    bent: bool = False

    @property
    def window(self) -> int:
        """Samples of a window."""
        return _window_length(self.rate)

    @property
    def hop(self) -> int:
        """Samples from frame to frame."""
        return self.window // _OVERLAP

    @property
    def power(self) -> np.ndarray:
        """Squared magnitude [N, F]."""
        return np.square(self.magnitude)

    def with_power(self, power: np.ndarray) -> Spectrum:
        """The same phases with another power; what is under 0 counts as 0."""
        return replace(self, magnitude=np.sqrt(np.maximum(power, 0)))


SpectrumEffect = Callable[[Spectrum, Pick, np.random.Generator], Spectrum]


def analyse(x: np.ndarray, rate: int) -> Spectrum:
    """The spectrum of float [T]; frame n lies around sample n * hop."""
    window = _window_length(rate)
    hop = window // _OVERLAP
    transform = _transform(x, window)
    phase = np.angle(transform)
    expected = 2 * np.pi * np.arange(transform.shape[1]) * hop / window
    turn = np.diff(phase, axis=0, prepend=0)
    turn[1:] = expected + _wrapped(turn[1:] - expected)
    return Spectrum(np.abs(transform), turn, len(x), rate)


def resynthesise(spectrum: Spectrum) -> np.ndarray:
    """Float32 [T], in -1 to 1 where the spectrum's was."""
    phase = np.cumsum(spectrum.turn, axis=0)
    transform = spectrum.magnitude * np.exp(1j * phase)
    x = _sound(transform, spectrum.window, spectrum.samples)
    for _ in range(_ROUNDS if spectrum.bent else 0):
        found = _transform(x, spectrum.window)
        found *= spectrum.magnitude / np.maximum(np.abs(found), _LITTLE)
        x = _sound(found, spectrum.window, spectrum.samples)
    return x.astype(np.float32)


def pitch(spectrum: Spectrum, pick: Pick, _: np.random.Generator) -> Spectrum:
    """Every frequency times `pitch`."""
    frames, bands = np.indices(spectrum.magnitude.shape, dtype=np.float32)
    return _mapped(spectrum, frames, bands / np.float32(pick("pitch")))


def tempo(spectrum: Spectrum, pick: Pick, _: np.random.Generator) -> Spectrum:
    """`factor` times as fast, at the same pitch."""
    factor = pick("factor")
    samples = max(1, round(spectrum.samples / factor))
    frames, bands = np.indices((_frames(samples, spectrum.hop), spectrum.magnitude.shape[1]), dtype=np.float32)
    return replace(_mapped(spectrum, frames * np.float32(factor), bands), samples=samples)


def warp(spectrum: Spectrum, pick: Pick, random: np.random.Generator) -> Spectrum:
    """A grid of `nt` by `nf` lines bent at random: by `wt` and `wf` of half the distance to the next line."""
    shape = spectrum.magnitude.shape
    lines = (int(pick("nt")), int(pick("nf")))
    frames, bands = np.indices(shape, dtype=np.float32)
    moved = [np.zeros(shape, np.float32), np.zeros(shape, np.float32)]
    for axis, bend in enumerate((pick("wt"), pick("wf"))):
        if lines[axis]:
            crossings = bend * random.standard_normal((max(lines[0], 1), max(lines[1], 1)))
            half = (shape[axis] - 1) / (2 * (lines[axis] + 1))
            moved[axis] = half * _between(np.clip(crossings, -_MOST_BENT, _MOST_BENT), lines, shape)
    return _mapped(spectrum, frames + moved[0], bands + moved[1])


def frequency_mask(spectrum: Spectrum, pick: Pick, random: np.random.Generator) -> Spectrum:
    """`n` stretches of `size` bands at random places become silent; one at least, and never all."""
    magnitude = spectrum.magnitude.copy()
    bands = magnitude.shape[1]
    for _ in range(int(pick("n"))):
        size = max(1, min(bands - 1, int(pick("size"))))
        begin = int(random.integers(bands - size + 1))
        magnitude[:, begin : begin + size] = 0
    return replace(spectrum, magnitude=magnitude)


SPECTRUM_EFFECTS: dict[str, SpectrumEffect] = {
    "pitch": pitch,
    "tempo": tempo,
    "warp": warp,
    "frequency_mask": frequency_mask,
}


def _between(points: np.ndarray, lines: tuple[int, int], shape: tuple[int, int]) -> np.ndarray:
    """Values at the crossings of lines, 0 at the edges, as [N, F]; along an axis without lines they are all alike."""
    for axis in (0, 1):
        places = np.linspace(0, 1, shape[axis])
        count = lines[axis]
        if not count:
            points = np.repeat(points, shape[axis], axis=axis)
            continue
        padded = np.pad(points, [(1, 1) if a == axis else (0, 0) for a in (0, 1)])
        at = places * (count + 1)
        low = np.minimum(at.astype(int), count)
        part = np.expand_dims(at - low, 1 - axis)
        points = np.take(padded, low, axis) * (1 - part) + np.take(padded, low + 1, axis) * part
    return points.astype(np.float32)


def _mapped(spectrum: Spectrum, frames: np.ndarray, bands: np.ndarray) -> Spectrum:
    """A spectrum whose point [n, k] is the given one at (frames[n, k], bands[n, k]); silence beyond its bands."""
    magnitude = _interpolated(spectrum.magnitude, frames, bands)
    count, width = spectrum.magnitude.shape
    own = np.arange(width, dtype=np.float32)
    band = np.clip(np.rint(bands).astype(int), 0, width - 1)
    middle = np.concatenate([frames[:1], (frames[1:] + frames[:-1]) / 2])
    # The turn of a frame belongs to the time between it and the one before.
    frame = np.clip(np.ceil(middle).astype(int), min(1, count - 1), count - 1)
    frame[0] = 0
    turn = spectrum.turn[frame, band]
    turn[1:] *= np.divide(own, bands[1:], out=np.ones_like(bands[1:]), where=bands[1:] > 0.5)
    return replace(spectrum, magnitude=magnitude, turn=turn, bent=True)


def _interpolated(values: np.ndarray, frames: np.ndarray, bands: np.ndarray) -> np.ndarray:
    """Bilinear; 0 beyond the last band, the last frame beyond the last."""
    count, width = values.shape
    frames, outside = np.clip(frames, 0, count - 1), bands > width - 1
    bands = np.clip(bands, 0, width - 1)
    n, k = np.minimum(frames.astype(int), max(count - 2, 0)), np.minimum(bands.astype(int), width - 2)
    right, up = frames - n, bands - k
    after = np.minimum(n + 1, count - 1)
    found = (values[n, k] * (1 - up) + values[n, k + 1] * up) * (1 - right)
    found += (values[after, k] * (1 - up) + values[after, k + 1] * up) * right
    return np.where(outside, 0, found)


def _transform(x: np.ndarray, window: int) -> np.ndarray:
    """Complex [N, F], phases as seen from the middle of each window."""
    hop = window // _OVERLAP
    count = _frames(len(x), hop)
    padded = np.pad(x, (window // 2, count * hop + window - len(x)))
    frames = np.lib.stride_tricks.sliding_window_view(padded, window)[::hop][:count] * _hann(window)
    return np.fft.rfft(np.fft.ifftshift(frames, axes=1), axis=1)


def _sound(transform: np.ndarray, window: int, samples: int) -> np.ndarray:
    """Overlapped and added: float64 [T]."""
    hop = window // _OVERLAP
    shape = _hann(window)
    frames = np.fft.fftshift(np.fft.irfft(transform, window, axis=1), axes=1) * shape
    weights = np.broadcast_to(np.square(shape), frames.shape)
    x, weight = (_overlapped(each, hop) for each in (frames, weights))
    begin = window // 2
    return (x / np.maximum(weight, _LITTLE))[begin : begin + samples]


def _overlapped(frames: np.ndarray, hop: int) -> np.ndarray:
    """Frames [N, W], each `hop` after the one before, added up: [(N + W / hop - 1) * hop]."""
    parts = frames.reshape(len(frames), _OVERLAP, hop)
    out = np.zeros((len(frames) + _OVERLAP - 1, hop))
    for part in range(_OVERLAP):
        out[part : part + len(frames)] += parts[:, part]
    return out.reshape(-1)


def _frames(samples: int, hop: int) -> int:
    return 2 + samples // hop


def _window_length(rate: int) -> int:
    """32 ms, as a multiple of the overlap and even."""
    return max(1, round(_WINDOW_SECONDS * rate / (2 * _OVERLAP))) * 2 * _OVERLAP


def _hann(window: int) -> np.ndarray:
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)


def _wrapped(angle: np.ndarray) -> np.ndarray:
    return angle - 2 * np.pi * np.rint(angle / (2 * np.pi))
