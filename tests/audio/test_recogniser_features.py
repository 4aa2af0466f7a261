import numpy as np
import pytest
from tests import paths

from voxgraft.audio.mfcc import MfccSpec
from voxgraft.audio.recogniser_features import feature_count, hears_samples, recogniser_features
from voxgraft.audio.spec import AudioSpec
from voxgraft.errors import AudioError

THEIRS = np.load(paths.FIXTURES / "recogniser_features" / "features.npz")
WHISPER = AudioSpec(
    16000, 400, 160, 400, 80, fmax=8000.0, power=2.0, magnitude_floor=0.0, log_base="10", log_floor=1e-10,
    normalisation="whisper", centre=True,
)  # fmt: skip
PARAKEET = AudioSpec(
    16000, 512, 160, 400, 80, power=2.0, magnitude_floor=0.0, log_floor=2.0**-24, log_floor_added=True,
    window="symmetric", normalisation="bands", centre=True, preemphasis=0.97,
)  # fmt: skip
WAV2VEC2 = AudioSpec(16000, 400, 320, 400, 0, log_base="none", normalisation="utterance")
PLAIN = AudioSpec(16000, 512, 160, 400, 40)


@pytest.mark.parametrize(
    ("spec", "name", "tolerance"),
    [(WHISPER, "whisper", 1e-4), (PARAKEET, "parakeet", 1e-3), (WAV2VEC2, "wav2vec2", 1e-5)],
)
def test_features_equal_hugging_faces(spec, name, tolerance):
    ours = recogniser_features(THEIRS["x"], spec)
    assert ours.shape == THEIRS[name].shape
    assert np.abs(ours - THEIRS[name]).max() < tolerance


@pytest.mark.parametrize("spec", [MfccSpec(), WHISPER, PARAKEET, WAV2VEC2, PLAIN])
@pytest.mark.parametrize("samples", [1, 159, 160, 512, 1000, 90_000])
def test_the_count_is_known_before(spec, samples):
    x = np.random.default_rng(samples).normal(0, 0.1, samples).astype(np.float32)
    features = recogniser_features(x, spec)
    assert len(features) == feature_count(samples, spec)
    assert features.dtype == np.float32
    assert np.isfinite(features).all()
    assert (features.ndim == 1) == hears_samples(spec)


@pytest.mark.parametrize("spec", [MfccSpec(), WHISPER, PARAKEET, WAV2VEC2, PLAIN])
def test_silence_is_heard_as_numbers(spec):
    assert np.isfinite(recogniser_features(np.zeros(4000, np.float32), spec)).all()


def test_two_channels_are_refused():
    with pytest.raises(AudioError, match="one channel"):
        recogniser_features(np.zeros((2, 100), np.float32), WHISPER)
