import sys

import numpy as np
import pytest

from voxgraft.errors import MissingExtra
from voxgraft.evaluation.metrics.mcd import mel_cepstral_distortion
from voxgraft.evaluation.metrics.pitch import f0_rmse
from voxgraft.evaluation.metrics.world import COEFFICIENTS, Analysis, World, mel_cepstra


def buzz(hertz: float, seconds: float = 1.0, rate: int = 16_000) -> np.ndarray:
    """A steady vowel-like tone: 20 harmonics that fall by 6 dB an octave."""
    time = np.arange(int(seconds * rate)) / rate
    return (
        sum(np.sin(2 * np.pi * hertz * k * time) / k for k in range(1, 21) if hertz * k < rate / 2).astype(np.float32)
        * 0.2
    )


@pytest.fixture(scope="module")
def world():
    pytest.importorskip("pyworld")
    return World()


def test_pitch_of_a_tone(world):
    f0 = world.analyse(buzz(150.0), 16_000).f0
    assert np.median(f0[f0 > 0]) == pytest.approx(150, rel=0.005)


@pytest.mark.parametrize("semitones", [1, -3])
def test_pitch_error_of_a_known_shift(world, semitones):
    low, shifted = buzz(200.0), buzz(200.0 * 2 ** (semitones / 12))
    error = f0_rmse(world.analyse(shifted, 16_000), world.analyse(low, 16_000))
    assert error == pytest.approx(100 * abs(semitones), rel=0.05)


def test_identical_audio_has_no_distance(world, recordings):
    analysis = world.analyse(*recordings[0][0])
    assert mel_cepstral_distortion(analysis, analysis) == 0
    assert f0_rmse(analysis, analysis) == 0


def test_a_louder_clip_has_no_distance(world, recordings):
    clip, _ = recordings[0]
    louder = world.analyse(clip.audio * 0.5, clip.sample_rate)
    assert mel_cepstral_distortion(louder, world.analyse(*clip)) < 0.2


def test_a_slower_clip_is_nearer_than_another_text(world, recordings):
    ours, other = recordings[0][0], recordings[1][0]
    slower = world.analyse(ours.audio, int(ours.sample_rate * 0.97))
    recording = world.analyse(*ours)
    assert mel_cepstral_distortion(slower, recording) < 0.6 * mel_cepstral_distortion(world.analyse(*other), recording)


def test_cepstra_of_a_known_spectrum():
    angles = np.pi * np.arange(513) / 512
    mel_angles = np.pi * np.log10(1 + angles / np.pi * 8000 / 700) / np.log10(1 + 7000 / 700)
    amplitude = np.exp(0.5 + 0.3 * np.cos(mel_angles) - 0.2 * np.cos(3 * mel_angles))
    cepstra = mel_cepstra(amplitude[None] ** 2, 16_000)[0]
    np.testing.assert_allclose(cepstra[:4], [0.5, 0.3, 0, -0.2], atol=2e-3)
    assert cepstra.shape == (COEFFICIENTS + 1,)


def test_distortion_of_known_cepstra():
    still = np.zeros((5, COEFFICIENTS + 1))
    moved = still.copy()
    moved[:, 0], moved[:, 3] = 9.0, 1.0
    distance = mel_cepstral_distortion(Analysis(np.zeros(5), moved), Analysis(np.zeros(5), still))
    assert distance == pytest.approx(10 / np.log(10) * np.sqrt(2))


def test_silence_has_no_value(world, recordings):
    silence = world.analyse(np.zeros(16_000, np.float32), 16_000)
    assert len(silence) == 0
    assert mel_cepstral_distortion(silence, world.analyse(*recordings[0][0])) is None
    assert f0_rmse(silence, silence) is None


def test_nothing_voiced_has_no_pitch_error():
    whisper = Analysis(np.zeros(4), np.zeros((4, COEFFICIENTS + 1)))
    assert f0_rmse(whisper, whisper) is None


def test_without_the_package_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyworld", None)
    with pytest.raises(MissingExtra, match="pyworld-prebuilt"):
        World()
