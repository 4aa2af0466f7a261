"""Spectrograms against librosa and torch, which VITS and HiFi-GAN used."""

from dataclasses import replace

import numpy as np
import pytest

from voxgraft.audio.spec import AudioSpec
from voxgraft.audio.spectrogram import frame_count, linear_spectrogram, mel_filterbank, mel_spectrogram
from voxgraft.errors import AudioError

SPEC = AudioSpec(22050)


@pytest.fixture
def speech_like() -> np.ndarray:
    noise = np.random.default_rng(0).standard_normal(30_000)
    return (0.1 * noise * np.hanning(30_000)).astype(np.float32)


@pytest.mark.parametrize(
    "spec",
    [
        SPEC,
        AudioSpec(16000),
        AudioSpec(22050, fmax=8000.0, fmin=55.0),
        AudioSpec(44100, n_fft=2048, n_mels=128),
        AudioSpec(16000, mel_scale="htk", mel_norm="none"),
    ],
)
def test_filterbank_equals_librosa(spec):
    librosa = pytest.importorskip("librosa")
    norm = "slaney" if spec.mel_norm == "slaney" else None
    theirs = librosa.filters.mel(
        sr=spec.sample_rate,
        n_fft=spec.n_fft,
        n_mels=spec.n_mels,
        fmin=spec.fmin,
        fmax=spec.fmax,
        htk=spec.mel_scale == "htk",
        norm=norm,
    )
    np.testing.assert_allclose(mel_filterbank(spec), theirs, atol=1e-6)
    assert mel_filterbank(spec).max() > 0


@pytest.mark.parametrize("spec", [SPEC, replace(SPEC, win=800), replace(SPEC, centre=True)])
def test_linear_spectrogram_equals_torch_stft(spec, speech_like):
    torch = pytest.importorskip("torch")
    margin = spec.n_fft // 2 if spec.centre else (spec.n_fft - spec.hop) // 2
    padded = torch.nn.functional.pad(torch.from_numpy(speech_like)[None, None], (margin, margin), mode="reflect")[0]
    theirs = torch.stft(
        padded,
        spec.n_fft,
        spec.hop,
        spec.win,
        window=torch.hann_window(spec.win),
        center=False,
        return_complex=True,
    )[0]
    expected = torch.sqrt(theirs.real**2 + theirs.imag**2 + 1e-6).numpy()
    ours = linear_spectrogram(speech_like, spec)
    assert ours.shape == expected.shape == (spec.bins, frame_count(len(speech_like), spec))
    assert ours.dtype == np.float32
    np.testing.assert_allclose(ours, expected, atol=2e-5)


def test_mel_spectrogram_is_the_floored_logarithm(speech_like):
    ours = mel_spectrogram(speech_like, SPEC)
    expected = np.log(np.maximum(mel_filterbank(SPEC) @ linear_spectrogram(speech_like, SPEC), 1e-5))
    assert ours.shape == (80, frame_count(len(speech_like), SPEC))
    np.testing.assert_allclose(ours, expected, atol=1e-6)


def test_blocks_make_no_difference():
    long = np.random.default_rng(1).standard_normal(256 * 1200).astype(np.float32)
    whole = linear_spectrogram(long, SPEC)
    # Frame 700 lies in the second block; alone it starts at sample 700 * hop - margin.
    start = 700 * SPEC.hop - (SPEC.n_fft - SPEC.hop) // 2
    frame = long[start : start + SPEC.n_fft] * np.hanning(SPEC.n_fft + 1)[:-1]
    np.testing.assert_allclose(whole[:, 700], np.sqrt(np.abs(np.fft.rfft(frame)) ** 2 + 1e-6), rtol=1e-4)


@pytest.mark.parametrize("samples", [1, 2, 100, 383, 384, 385, 1024])
def test_clips_shorter_than_a_frame_are_padded(samples):
    out = linear_spectrogram(np.full(samples, 0.1, np.float32), SPEC)
    assert out.shape[0] == 513
    assert out.shape[1] >= 1
    assert np.isfinite(out).all()


@pytest.mark.parametrize("bad", [np.zeros(0), np.zeros((2, 100)), np.float32(1)])
def test_no_spectrogram_of_nothing_or_of_two_channels(bad):
    with pytest.raises(AudioError, match="one channel"):
        linear_spectrogram(bad, SPEC)
