"""Vocoders as ONNX: the sound of torch, at any length, without torch; what the file says of itself."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
from tests import paths

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")

from voxgraft.checkpoints import open_checkpoint  # noqa: E402
from voxgraft.errors import CheckpointError, ExportError  # noqa: E402
from voxgraft.export.vocoder import onnx as exporter  # noqa: E402
from voxgraft.export.vocoder.load import load_generator  # noqa: E402
from voxgraft.export.vocoder.onnx import export_vocoder  # noqa: E402
from voxgraft.inference.vocoder.vocoder import SEED, Vocoder  # noqa: E402
from voxgraft.models.vocoders.univnet import UnivNet  # noqa: E402

BASES = {
    "everyvoice": "everyvoice/spec-to-wav.ckpt",
    "everyvoice-exported": "everyvoice/exported.ckpt",
    "istft": "everyvoice/istft.ckpt",
    "coqui": "coqui_tts/hifigan.pth",
    "coqui-univnet": "coqui_tts/univnet.pth",
    "univnet": "tts_framework/univnet.ckpt",
    "vocos": "vocoders/vocos.safetensors",
}


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder, done = tmp_path_factory.mktemp("exported"), {}

    def export(name):
        if name not in done:
            base = open_checkpoint(paths.FIXTURES / BASES[name])
            done[name] = base, Vocoder.load(export_vocoder(base, folder / f"{name}.onnx"), threads=1)
        return done[name]

    return export


@pytest.mark.parametrize("name", sorted(BASES))
@pytest.mark.parametrize("frames", [4, 9, 41])
def test_it_sounds_as_torch(exported, name, frames):
    base, vocoder = exported(name)
    generator = load_generator(base)
    mel = np.random.default_rng(frames).standard_normal((2, base.architecture["mels"], frames)).astype(np.float32)
    with torch.no_grad():
        if isinstance(generator, UnivNet):
            noise = np.random.default_rng(SEED).standard_normal((2, generator.noise_channels, frames), np.float32)
            wanted = generator.with_tail(torch.from_numpy(mel), torch.from_numpy(noise))
        else:
            wanted = generator(torch.from_numpy(mel))
    found = vocoder.speak(mel)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, wanted[:, 0].numpy(), atol=1e-4)
    np.testing.assert_allclose(vocoder.speak(mel[0]), found[0], atol=1e-5)


def test_it_sounds_as_everyvoice(exported):
    with np.load(paths.FIXTURES / "everyvoice" / "reference.npz") as file:
        for name, key in (("everyvoice", "vocoder.audio"), ("istft", "istft.audio")):
            _, vocoder = exported(name)
            np.testing.assert_allclose(vocoder.speak(file["vocoder.in.mel"]), file[key][:, 0], atol=1e-4)


def test_the_file_says_what_it_is(exported):
    base, vocoder = exported("everyvoice")
    assert vocoder.settings.family == "hifigan"
    assert vocoder.settings.audio == base.audio
    assert vocoder.sample_rate == 16000
    graph = onnx.load(str(vocoder.path))
    found = {entry.key: entry.value for entry in graph.metadata_props}
    assert found["model_type"] == "hifigan"
    own = json.loads(found["voxgraft"])
    assert own["architecture"]["upsample_rates"] == [8, 4]
    assert graph.opset_import[0].version == 15
    assert not [node for node in graph.graph.node if node.op_type in ("Loop", "If")]


def test_it_speaks_without_torch(exported):
    _, vocoder = exported("vocos")
    program = (
        "import sys, numpy\nfrom voxgraft.inference.vocoder.vocoder import Vocoder\n"
        f"sound = Vocoder.load({str(vocoder.path)!r}, threads=1).speak(numpy.zeros((8, 6), 'float32'))\n"
        "assert sound.shape == (192,) and 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_sherpas_vocos_leaves_the_transform_to_who_runs_it(tmp_path, exported):
    base, usual = exported("vocos")
    vocoder = Vocoder.load(export_vocoder(base, tmp_path / "sherpa.onnx", spectrum=True), threads=1)
    mel = np.random.default_rng(0).standard_normal((8, 30)).astype(np.float32)
    np.testing.assert_allclose(vocoder.speak(mel), usual.speak(mel), atol=1e-4)
    graph = onnx.load(str(vocoder.path))
    assert [node.name for node in graph.graph.output] == ["mag", "x", "y"]
    found = {entry.key: entry.value for entry in graph.metadata_props}
    assert (found["model_type"], found["n_fft"], found["hop_length"], found["center"]) == ("vocos", "128", "32", "1")
    with pytest.raises(ExportError, match="only Vocos"):
        export_vocoder(open_checkpoint(paths.FIXTURES / BASES["coqui"]), tmp_path / "no.onnx", spectrum=True)


def test_what_sounds_otherwise_is_not_written(tmp_path, monkeypatch):
    monkeypatch.setattr(exporter, "_by_torch", lambda generator, mel: torch.zeros(2, mel.shape[2] * 32))
    base = open_checkpoint(paths.FIXTURES / BASES["everyvoice"])
    with pytest.raises(ExportError, match="doesn't sound"):
        export_vocoder(base, tmp_path / "v.onnx")
    assert not list(tmp_path.iterdir())


def test_a_voice_is_no_vocoder(exported):
    with pytest.raises(CheckpointError, match="no vocoder"):
        Vocoder.load(paths.FIXTURES / "piper" / "single.onnx", threads=1)
    with pytest.raises(ExportError, match="no vocoder"):
        load_generator(open_checkpoint(paths.FIXTURES / "everyvoice" / "text-to-spec.ckpt"))
    _, vocoder = exported("vocos")
    with pytest.raises(CheckpointError, match="mel bands") as fault:
        vocoder.speak(np.zeros((80, 5), np.float32))
    assert (fault.value.expected, fault.value.got) == (8, 80)
