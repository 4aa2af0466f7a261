"""Pitch and energy: EveryVoice's numbers, and gaps that are filled."""

import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from voxgraft.audio import pitch as module
from voxgraft.audio.energy import energy_contour
from voxgraft.audio.pitch import interpolated, pitch_contour, world_pitch
from voxgraft.audio.spec import AudioSpec
from voxgraft.audio.spectrogram import mel_spectrogram
from voxgraft.errors import MissingExtra

THEIRS = Path(__file__).parents[1] / "fixtures" / "everyvoice" / "frames.npz"


@pytest.fixture(scope="module")
def theirs():
    with np.load(THEIRS) as arrays:
        return dict(arrays)


@pytest.fixture(scope="module")
def speech(theirs):
    pytest.importorskip("pyworld")
    return theirs["audio"].astype(np.float32) / 32768


def test_pitch_is_everyvoice_s(theirs, speech):
    ours = pitch_contour(speech, 16000, 256)
    assert ours.shape == theirs["pitch"].shape
    assert (ours == 0).any()
    assert (ours > 0).sum() > 20
    np.testing.assert_allclose(interpolated(ours), theirs["pitch"], rtol=1e-6)


def test_mel_and_energy_are_everyvoice_s(theirs, speech):
    spec = AudioSpec(16000, fmax=8000.0, magnitude_floor=1e-9, centre=True)
    mel = mel_spectrogram(speech, spec)[:, : theirs["mel"].shape[1]]
    np.testing.assert_allclose(mel, theirs["mel"], atol=1e-4)
    np.testing.assert_allclose(energy_contour(mel), theirs["energy"], rtol=1e-5)


def test_without_the_lock_the_numbers_are_the_same(speech, monkeypatch):
    unlocked = world_pitch(speech, 16000, 10.0, lowest=60.0, highest=500.0, speed=2)
    monkeypatch.setattr(module, "_library", lambda: None)
    for ours, theirs in zip(
        unlocked, world_pitch(speech, 16000, 10.0, lowest=60.0, highest=500.0, speed=2), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)


def test_many_threads_at_once_get_the_same(speech):
    alone = pitch_contour(speech, 16000, 256)
    found: list[np.ndarray] = []
    threads = [threading.Thread(target=lambda: found.append(pitch_contour(speech, 16000, 256))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    assert all(np.array_equal(one, alone) for one in found)


def test_gaps_are_filled_with_straight_lines():
    filled = interpolated(np.array([0, 100, 0, 0, 130, 0], np.float32))
    np.testing.assert_allclose(filled, [100, 100, 110, 120, 130, 130])


@pytest.mark.parametrize("length", [0, 4])
def test_nothing_voiced_is_what_was_asked_for(length):
    np.testing.assert_array_equal(interpolated(np.zeros(length), 7.0), np.full(length, 7, np.float32))


def test_without_the_package_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyworld", None)
    with pytest.raises(MissingExtra, match="pyworld-prebuilt") as caught:
        pitch_contour(np.zeros(1000, np.float32), 16000, 256)
    assert "voxgraft[train]" in caught.value.remedy
