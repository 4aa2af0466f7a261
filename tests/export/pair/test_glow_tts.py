"""Coqui TTS' Glow-TTS and HiFi-GAN as one voice, which Piper's runtimes speak."""

from __future__ import annotations

import numpy as np
import pytest
from tests import paths

pytest.importorskip("torch")

from voxgraft.checkpoints import open_checkpoint
from voxgraft.export.pair.pair import describe_pair, load_pair
from voxgraft.export.pair.voice import export_pair, verify_pair
from voxgraft.inference.voice.voice import Voice

COQUI = paths.FIXTURES / "coqui_tts"


def test_they_speak_as_one(tmp_path):
    pair = load_pair(open_checkpoint(COQUI / "glow_tts.pth"), open_checkpoint(COQUI / "hifigan.pth"))
    path = export_pair(pair, describe_pair(pair, name="glow"), tmp_path)
    assert verify_pair(path, pair) < 1e-3
    voice = Voice.load(path)
    said = np.concatenate(list(voice.speak("hello there.", noise_scale=0.0)))
    assert voice.sample_rate == 22050
    # Each of its twelve letters lasts a frame.
    assert len(said) == 12 * 256
    assert np.abs(said).max() > 0.5
