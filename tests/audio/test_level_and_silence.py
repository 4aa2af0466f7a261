"""Resampling, loudness and trimming."""

import sys

import numpy as np
import pytest

from voxgraft.audio.loudness import PEAK, loudness, match_loudness
from voxgraft.audio.resample import resample
from voxgraft.audio.trim import speech_bounds, trim_silence
from voxgraft.errors import MissingExtra

RATE = 16000


def tone(seconds: float, level: float = 0.3) -> np.ndarray:
    return (level * np.sin(2 * np.pi * 220 * np.arange(int(seconds * RATE)) / RATE)).astype(np.float32)


@pytest.mark.parametrize(("source", "target"), [(16000, 22050), (44100, 22050), (8000, 16000), (16000, 16000)])
def test_a_tone_keeps_pitch_level_and_length(source, target):
    seconds = np.arange(source) / source
    out = resample((0.5 * np.sin(2 * np.pi * 440 * seconds)).astype(np.float32), source, target)
    assert out.dtype == np.float32
    assert abs(len(out) - target) <= 1
    expected = 0.5 * np.sin(2 * np.pi * 440 * np.arange(len(out)) / target)
    np.testing.assert_allclose(out[500:-500], expected[500:-500], atol=2e-3)


@pytest.mark.parametrize("seconds", [0.05, 0.39, 0.4, 2.0])
def test_loudness_is_matched_whatever_the_length(seconds):
    pytest.importorskip("pyloudnorm")
    out = match_loudness(tone(seconds), RATE, -23.0)
    assert loudness(out, RATE) == pytest.approx(-23.0, abs=0.1)


def test_peaks_are_protected():
    pytest.importorskip("pyloudnorm")
    clicks = tone(1, 0.001)
    clicks[::4000] = 0.5
    out = match_loudness(clicks, RATE, -5.0)
    assert np.abs(out).max() == pytest.approx(PEAK, abs=1e-5)


@pytest.mark.parametrize("x", [np.zeros(RATE, np.float32), np.zeros(0, np.float32), np.full(100, 1e-9, np.float32)])
def test_silence_stays_as_it_is(x):
    pytest.importorskip("pyloudnorm")
    np.testing.assert_array_equal(match_loudness(x, RATE, -23.0), x)
    np.testing.assert_array_equal(trim_silence(x, RATE), x)


def test_a_missing_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyloudnorm", None)
    with pytest.raises(MissingExtra, match="pyloudnorm") as caught:
        match_loudness(tone(1), RATE, -23.0)
    assert "voxgraft[corpus]" in caught.value.remedy


@pytest.mark.parametrize("noise", [0.0, 1e-4, 1e-3])
def test_trimming_keeps_the_sound_and_its_margin(noise):
    before, after = int(0.7 * RATE), int(0.5 * RATE)
    x = np.concatenate([np.zeros(before, np.float32), tone(1), np.zeros(after, np.float32)])
    x += noise * np.random.default_rng(0).standard_normal(len(x)).astype(np.float32)
    out = trim_silence(x, RATE)
    assert len(out) == pytest.approx(1.16 * RATE, abs=0.03 * RATE)
    first, last = speech_bounds(x, RATE)
    assert before - 0.02 * RATE <= first <= before
    assert before + RATE <= last <= before + 1.02 * RATE


def test_an_offset_is_not_taken_for_sound():
    x = np.concatenate([np.zeros(RATE, np.float32), tone(1), np.zeros(RATE, np.float32)]) + np.float32(0.05)
    assert len(trim_silence(x, RATE)) == pytest.approx(1.16 * RATE, abs=0.03 * RATE)


def test_a_soft_beginning_and_ending_stay():
    """A fricative 35 dB under the vowel is speech."""
    hiss = 0.3 * 10 ** (-35 / 20) * np.random.default_rng(0).standard_normal(int(0.15 * RATE)).astype(np.float32)
    quiet = np.zeros(RATE // 2, np.float32)
    x = np.concatenate([quiet, hiss, tone(1), hiss, quiet])
    first, last = speech_bounds(x, RATE)
    assert first <= len(quiet)
    assert last >= len(quiet) + 2 * len(hiss) + RATE
