"""Which spectrogram a vocoder learns from, and how long its segments are."""

from __future__ import annotations

from pathlib import Path

import pytest

from voxgraft.architectures.presets import preset_of
from voxgraft.audio.spec import AudioSpec
from voxgraft.errors import TrainingError
from voxgraft.training.tasks.vocoder.spectrogram import require_fitting, samples_of_frame, segment_frames

HIFIGAN = AudioSpec(22050, fmax=8000.0, magnitude_floor=1e-9)


@pytest.mark.parametrize(
    ("family", "size"),
    [
        *(("hifigan", size) for size in ("tiny", "small", "full", "v1", "v2", "v3", "istft")),
        *((family, size) for family in ("univnet", "vocos") for size in ("tiny", "small", "full")),
    ],
)
def test_every_preset_has_the_hop_of_the_usual_spectrogram(family, size):
    architecture = preset_of(family, size) | {"mels": 80}
    assert samples_of_frame(architecture) == 256
    assert require_fitting(HIFIGAN, architecture, None) is HIFIGAN


def test_what_does_not_fit_is_named():
    architecture = preset_of("hifigan", "v1") | {"mels": 100}
    with pytest.raises(TrainingError) as fault:
        require_fitting(HIFIGAN, architecture, Path("base.ckpt"))
    assert (fault.value.field, fault.value.expected, fault.value.got) == ("audio.n_mels", 100, 80)
    with pytest.raises(TrainingError, match="does not say how"):
        require_fitting(None, architecture, Path("base.ckpt"))


@pytest.mark.parametrize(("segment", "n_fft", "frames"), [(8192, 1024, 32), (2048, 4096, 16), (2048, 1024, 8)])
def test_a_segment_holds_a_window(segment, n_fft, frames):
    assert segment_frames(segment, AudioSpec(22050, n_fft=n_fft, win=n_fft)) == frames
