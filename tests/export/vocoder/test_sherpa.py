"""Our vocoders in sherpa-onnx, beside a text-to-spec model of ours, against our own runtime."""

from __future__ import annotations

import numpy as np
import pytest
from tests import paths

pytest.importorskip("torch")
pytest.importorskip("onnx")
sherpa = pytest.importorskip("sherpa_onnx")

from voxgraft.checkpoints import open_checkpoint  # noqa: E402
from voxgraft.export.acoustic.onnx import export_acoustic  # noqa: E402
from voxgraft.export.vocoder.onnx import export_vocoder  # noqa: E402
from voxgraft.inference.acoustic.acoustic import Acoustic  # noqa: E402
from voxgraft.inference.vocoder.vocoder import Vocoder  # noqa: E402

WORD = "hello"
HOP = 32


def heard(folder):
    """What sherpa-onnx's Matcha loader says."""
    matcha = sherpa.OfflineTtsMatchaModelConfig(
        acoustic_model=str(folder / "ada.onnx"), vocoder=str(folder / "vocoder.onnx"), tokens=str(folder / "tokens.txt")
    )
    model = sherpa.OfflineTtsModelConfig(matcha=matcha, num_threads=1)
    generation = sherpa.GenerationConfig()
    generation.phoneme_codepoints = [[ord(letter) for letter in WORD]]
    audio = sherpa.OfflineTts(sherpa.OfflineTtsConfig(model=model)).generate(WORD, generation)
    assert audio.sample_rate == 16000
    return np.array(audio.samples, np.float32)


@pytest.mark.parametrize("source", ["everyvoice/spec-to-wav.ckpt", "vocoders/vocos.safetensors"])
def test_it_says_what_we_say(tmp_path, source):
    if not hasattr(getattr(sherpa, "GenerationConfig", None), "phoneme_codepoints"):
        pytest.skip("sherpa-onnx 1 reads no characters")
    base = open_checkpoint(paths.FIXTURES / source)
    export_acoustic(open_checkpoint(paths.FIXTURES / "everyvoice" / "text-to-spec.ckpt"), tmp_path, "ada")
    export_vocoder(base, tmp_path / "vocoder.onnx", spectrum=base.family == "vocos")
    (spoken,) = Acoustic.load(tmp_path / "ada.onnx", threads=1).mels(WORD)
    wanted = Vocoder.load(tmp_path / "vocoder.onnx", threads=1).speak(spoken.mel)
    found = heard(tmp_path)
    if base.family == "vocos":
        # It cuts half a window off at either end, a hop in all more than our own, whose frames are not centred.
        assert len(found) == len(wanted) - HOP
        wanted = wanted[HOP // 2 : -HOP // 2]
    np.testing.assert_allclose(found, wanted, atol=1e-4)
