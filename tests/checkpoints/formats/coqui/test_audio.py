"""Coqui TTS' mel conventions: told apart, and computed as Coqui computes them."""

import json
from dataclasses import replace

import numpy as np
import pytest
from tests.checkpoints.formats.coqui.coqui_files import COQUI

from voxgraft.audio.spec import AudioSpec
from voxgraft.audio.spectrogram import mel_spectrogram
from voxgraft.checkpoints.formats.coqui.audio import audio_spec
from voxgraft.errors import AudioError

SETTINGS = json.loads((COQUI / "audio.json").read_text())
NAMES = sorted(SETTINGS)


def spec_of(**changes):
    notes: list[str] = []
    return audio_spec(SETTINGS["default"] | changes, notes), notes


@pytest.mark.parametrize("name", NAMES)
def test_mels_equal_coquis(name):
    reference = np.load(COQUI / "reference.npz")
    spec = audio_spec(SETTINGS[name], [])
    expected = reference[f"mel_{name}"]
    assert expected.std() > 0.1
    np.testing.assert_allclose(mel_spectrogram(reference["sound"], spec), expected, atol=1e-3)


@pytest.mark.parametrize("name", NAMES)
def test_differentiable_mels_equal_coquis(name):
    torch = pytest.importorskip("torch")
    from voxgraft.models import spectral

    reference = np.load(COQUI / "reference.npz")
    ours = spectral.mel_spectrogram(torch.from_numpy(reference["sound"])[None], audio_spec(SETTINGS[name], []))
    np.testing.assert_allclose(ours[0].numpy(), reference[f"mel_{name}"], atol=1e-3)


def test_the_two_conventions_differ():
    default, recipe = (audio_spec(SETTINGS[name], []) for name in ("default", "recipe"))
    assert set(default.differences(recipe)) >= {"log_base", "log_gain", "normalisation", "fmax"}
    assert default.differences(audio_spec(SETTINGS["default"], [])) == {}


def test_vits_takes_only_the_sizes():
    spec = audio_spec(SETTINGS["default"] | {"hop_length": 128, "num_mels": 40}, [], waveform_model=True)
    assert spec == AudioSpec(22050, hop=128, n_mels=40)


def test_hop_and_window_in_milliseconds():
    spec, _ = spec_of(hop_length=None, win_length=None, frame_shift_ms=12.5, frame_length_ms=50, sample_rate=16000)
    assert (spec.hop, spec.win) == (200, 800)


def test_statistics_in_a_file_are_told_and_refused():
    spec, notes = spec_of(stats_path="/home/x/scale_stats.npy")
    assert spec.normalisation == "mean-variance"
    assert "scale_stats.npy" in notes[0]
    assert "/home" not in notes[0]
    with pytest.raises(AudioError, match="file of their own"):
        mel_spectrogram(np.ones(4000, np.float32), spec)


def test_an_empty_range_is_refused():
    spec, _ = spec_of()
    with pytest.raises(AudioError, match="span nothing"):
        mel_spectrogram(np.ones(4000, np.float32), replace(spec, level_low=20.0))


@pytest.mark.parametrize(
    "changes",
    [
        {"sample_rate": 0}, {"sample_rate": 10**9}, {"hop_length": None}, {"fft_size": "1024"}, {"num_mels": True},
        {"mel_fmin": float("nan")}, {"spec_gain": None}, {"preemphasis": "x"}, {"frame_shift_ms": 1e-300, "hop_length": None, "frame_length_ms": 50},
    ],
)  # fmt: skip
def test_settings_that_cannot_be_right_are_not_used(changes):
    spec, notes = spec_of(**changes)
    assert spec is None
    assert "can't be right" in notes[0]


@pytest.mark.parametrize("section", [None, [], "x", 3])
def test_without_settings_there_is_no_spec(section):
    assert audio_spec(section, []) is None
