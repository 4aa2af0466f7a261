"""MFCCs against TensorFlow's own ops, through committed outputs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.checkpoints.fixture_files import DEEPSPEECH

from voxgraft.audio.mfcc import MfccSpec, MfccStream, mfcc, mfcc_frame_count
from voxgraft.errors import AudioError

SPEC = MfccSpec()
with np.load(DEEPSPEECH / "mfcc.npz") as file:
    REFERENCES = {name: file[name] for name in file}
SOUND = (REFERENCES["audio"] / 32767).astype(np.float32)


@pytest.mark.parametrize("name", ["english", "cyrillic", "bytes", "norm"])
def test_coqui_stts_features(name):
    with np.load(DEEPSPEECH / name / "reference.npz") as reference:
        ours = mfcc((reference["audio"] / 32767).astype(np.float32), SPEC)
        assert ours.dtype == np.float32
        assert ours.shape == reference["mfcc"].shape == (27, 26)
        np.testing.assert_allclose(ours, reference["mfcc"], atol=1e-4)
        assert np.abs(reference["mfcc"]).max() > 10


@pytest.mark.parametrize("name", ["8000_256_160", "16000_400_160", "22050_705_441"])
def test_other_rates_and_windows(name):
    rate, win, hop = map(int, name.split("_"))
    ours = mfcc(SOUND, MfccSpec(sample_rate=rate, win=win, hop=hop))
    np.testing.assert_allclose(ours, REFERENCES[name], atol=1e-4)


def test_silence_is_the_floor():
    frame = mfcc(np.zeros(512, np.float32), SPEC)[0]
    assert frame[0] == pytest.approx(np.sqrt(2 / 40) * 40 * np.log(1e-12), rel=1e-6)
    np.testing.assert_allclose(frame[1:], 0, atol=1e-4)


@pytest.mark.parametrize(("samples", "frames"), [(0, 0), (511, 0), (512, 1), (831, 1), (832, 2), (16000, 49)])
def test_frames_are_never_padded(samples, frames):
    assert mfcc_frame_count(samples, SPEC) == frames
    assert mfcc(np.zeros(samples, np.float32), SPEC).shape == (frames, 26)


def test_blocks_make_no_difference():
    sound = np.random.default_rng(0).standard_normal(320 * 600 + 512).astype(np.float32)
    late = mfcc(sound, SPEC)[590]
    np.testing.assert_allclose(late, mfcc(sound[590 * 320 : 590 * 320 + 512], SPEC)[0], atol=1e-5)


@given(st.lists(st.integers(0, 2000), max_size=12))
@settings(max_examples=40, deadline=None)
def test_pieces_give_the_frames_of_the_whole(lengths):
    stream, start, found = MfccStream(SPEC), 0, []
    for length in lengths:
        found.append(stream.push(SOUND[start : start + length]))
        start += length
    whole = mfcc(SOUND[:start], SPEC)
    np.testing.assert_allclose(np.concatenate([*found, np.zeros((0, 26), np.float32)]), whole, atol=1e-5)


@pytest.mark.parametrize("bad", [np.zeros((2, 1000)), np.float32(1)])
def test_two_channels_are_refused(bad):
    with pytest.raises(AudioError, match="one channel"):
        mfcc(bad, SPEC)


@pytest.mark.parametrize("bad", [{"hop": 0}, {"hop": 513}, {"coefficients": 41}, {"coefficients": 0}])
def test_settings_that_can_not_be(bad):
    with pytest.raises(ValueError, match="coefficients"):
        MfccSpec(**bad)


def test_the_length_of_the_transform():
    assert [MfccSpec(win=win, hop=1).n_fft for win in (256, 257, 512, 705)] == [256, 512, 512, 1024]
