import numpy as np
import pytest

from voxgraft.audio.spec import AudioSpec
from voxgraft.evaluation.metrics.spectral import flatness_error, mel_distance, mr_stft_distance

SPEC = AudioSpec(16000, 512, 128, 512, 40, 0.0, 8000.0)
TIME = np.arange(16000) / 16000
VOICED = np.ones(125, bool)


@pytest.fixture
def tone():
    return sum(np.sin(2 * np.pi * 200 * n * TIME) / n for n in range(1, 20)).astype(np.float32) * 0.1


@pytest.fixture
def noise():
    return np.random.default_rng(0).normal(0, 0.05, 16000).astype(np.float32)


def test_the_same_sound_is_at_no_distance(tone):
    assert mel_distance(tone, tone, SPEC) == 0
    assert mr_stft_distance(tone, tone, 16000) == 0
    assert flatness_error(tone, tone, VOICED, SPEC) == 0


def test_a_sound_twice_as_loud_is_log_2_away(noise):
    assert mel_distance(2 * noise, noise, SPEC) == pytest.approx(np.log(2), rel=0.02)
    # The spectral convergence of twice the magnitude is 1, and log 2 is added to it.
    assert mr_stft_distance(2 * noise, noise, 16000) == pytest.approx(1 + np.log(2), rel=0.02)
    assert flatness_error(2 * noise, noise, VOICED, SPEC) == pytest.approx(0, abs=0.05)


def test_more_noise_is_further_away_and_less_tonal(tone, noise):
    near, far = tone + 0.01 * noise, tone + noise
    assert mel_distance(near, tone, SPEC) < mel_distance(far, tone, SPEC)
    assert mr_stft_distance(near, tone, 16000) < mr_stft_distance(far, tone, 16000)
    assert flatness_error(near, tone, VOICED, SPEC) < flatness_error(far, tone, VOICED, SPEC)


def test_flatness_is_that_of_voiced_frames_alone(tone, noise):
    half = tone.copy()
    half[8000:] += noise[8000:]
    early = np.arange(125) < 58
    assert flatness_error(half, tone, early, SPEC) == pytest.approx(0, abs=1e-6)
    assert flatness_error(half, tone, ~early, SPEC) > 1
    assert flatness_error(half, tone, np.zeros(125, bool), SPEC) is None


def test_the_shorter_of_two_sounds_decides(tone):
    assert mel_distance(tone[:12000], tone, SPEC) == 0
