"""Torch spectrograms equal the numpy ones and pass gradients."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from voxgraft.audio import spectrogram as numpy_spectrogram  # noqa: E402
from voxgraft.audio.spec import AudioSpec  # noqa: E402
from voxgraft.models import spectral  # noqa: E402

SPECS = [
    AudioSpec(sample_rate=22050),
    AudioSpec(sample_rate=16000, n_mels=40, fmin=50, fmax=7000, mel_scale="htk", mel_norm="none", log_base="10"),
    AudioSpec(sample_rate=16000, n_fft=512, hop=128, win=400, power=2.0, centre=True),
]


@pytest.mark.parametrize("spec", SPECS)
def test_equal_numpy(spec):
    audio = np.random.default_rng(0).uniform(-0.5, 0.5, (2, 5000)).astype(np.float32)
    linear = spectral.linear_spectrogram(torch.from_numpy(audio), spec).numpy()
    mel = spectral.mel_spectrogram(torch.from_numpy(audio), spec).numpy()
    for row in range(2):
        np.testing.assert_allclose(
            linear[row], numpy_spectrogram.linear_spectrogram(audio[row], spec), rtol=1e-3, atol=1e-4
        )
        np.testing.assert_allclose(mel[row], numpy_spectrogram.mel_spectrogram(audio[row], spec), atol=1e-4)


def test_gradients_are_right():
    spec = AudioSpec(sample_rate=16000, n_fft=64, hop=16, win=64, n_mels=8)
    audio = torch.randn(1, 160, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: spectral.mel_spectrogram(x, spec), audio)


def test_silence_has_finite_gradients():
    audio = torch.zeros(1, 4096, requires_grad=True)
    spectral.mel_spectrogram(audio, SPECS[0]).sum().backward()
    assert torch.isfinite(audio.grad).all()


def test_half_precision_is_computed_in_float32():
    audio = torch.randn(1, 4096) * 0.1
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mel = spectral.mel_spectrogram(audio, SPECS[0])
    assert mel.dtype == torch.float32
    assert torch.equal(mel, spectral.mel_spectrogram(audio, SPECS[0]))
