"""The transposed convolution is the inverse Fourier transform."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from voxgraft.models.vocoders.inverse_stft import InverseStft  # noqa: E402


def coefficients(points: int, frames: int) -> torch.Tensor:
    draw = torch.Generator().manual_seed(points + frames)
    return torch.complex(*(torch.randn(2, points // 2 + 1, frames, generator=draw) for _ in range(2)))


@pytest.mark.parametrize(("points", "hop"), [(16, 4), (64, 16), (1024, 256), (96, 24)])
@pytest.mark.parametrize("frames", [5, 6, 31])
@pytest.mark.parametrize("exported", [False, True])
def test_it_equals_torchs(points, hop, frames, exported, monkeypatch):
    """By the fast transform, and by the convolution of a graph."""
    monkeypatch.setattr(torch.onnx, "is_in_onnx_export", lambda: exported)
    spectrum = coefficients(points, frames)
    wanted = torch.istft(spectrum, points, hop, points, torch.hann_window(points))
    audio = InverseStft(points, hop, trim=points // 2)(spectrum.real, spectrum.imag)
    torch.testing.assert_close(audio.squeeze(1), wanted, rtol=0, atol=1e-5)


def test_it_gives_back_what_was_transformed():
    audio = torch.randn(1, 1, 40 * 256, generator=torch.Generator().manual_seed(0))
    padded = torch.nn.functional.pad(audio, (384, 384), mode="reflect").squeeze(1)
    spectrum = torch.stft(padded, 1024, 256, window=torch.hann_window(1024), center=False, return_complex=True)
    back = InverseStft(1024, 256, trim=384)(spectrum.real, spectrum.imag)
    assert back.shape == audio.shape
    torch.testing.assert_close(back, audio, rtol=0, atol=1e-5)


def test_half_precision_around_it_does_not_reach_it():
    spectrum = coefficients(64, 9)
    transform = InverseStft(64, 16, trim=32)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        audio = transform(spectrum.real, spectrum.imag)
    assert audio.dtype == torch.float32
    torch.testing.assert_close(audio, transform(spectrum.real, spectrum.imag), rtol=0, atol=0)


def test_it_adds_nothing_to_what_is_saved():
    assert not InverseStft(16, 4, trim=8).state_dict()
