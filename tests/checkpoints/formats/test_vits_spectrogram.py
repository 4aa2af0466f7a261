"""Every reader of VITS gives the spectrogram that the files state, and where they state none, that of the network."""

import json
import shutil

import pytest
from tests import paths

from voxgraft.audio.spec import AudioSpec
from voxgraft.checkpoints import open_checkpoint
from voxgraft.checkpoints.formats.vits_spectrogram import spectrogram_of

STATED = AudioSpec(24000, n_fft=2048, hop=300, win=1200, n_mels=100, fmin=40.0, fmax=11000.0)
SIZES = ("n_fft", "hop", "win", "n_mels", "fmin", "fmax")
PIPERS = ("filter_length", "hop_length", "win_length", "mel_channels", "mel_fmin", "mel_fmax")
ORIGINALS = ("filter_length", "hop_length", "win_length", "n_mel_channels", "mel_fmin", "mel_fmax")
COQUIS = ("fft_size", "hop_length", "win_length", "num_mels", "mel_fmin", "mel_fmax")
NETWORK = {"spec_channels": 1025, "upsample_rates": (8, 8, 8)}


def under(names, **more):
    return {theirs: getattr(STATED, ours) for theirs, ours in zip(names, SIZES, strict=True)} | more


def edited(path, section, values):
    """A JSON file with values set in a section."""
    content = json.loads(path.read_text("utf-8"))
    content[section] = {**(content.get(section) or {}), **values}
    path.write_text(json.dumps(content), "utf-8")


def without(tensors, part):
    return {name: tensor for name, tensor in tensors.items() if f"{part}." not in name}


@pytest.mark.parametrize("whole", [True, False])
def test_of_a_piper_checkpoint(tmp_path, whole):
    torch = pytest.importorskip("torch")
    content = torch.load(paths.FIXTURES / "piper" / "single.ckpt", weights_only=False)
    content["hyper_parameters"] = dict(content["hyper_parameters"]) | under(PIPERS, sample_rate=24000)
    if not whole:
        content["state_dict"] = without(content["state_dict"], "enc_q")
    torch.save(content, tmp_path / "a.ckpt")
    checkpoint = open_checkpoint(tmp_path / "a.ckpt")
    assert checkpoint.audio == STATED
    assert checkpoint.architecture["spec_channels"] == (513 if whole else 1025)


def test_of_an_original_save(tmp_path):
    folder = shutil.copytree(paths.FIXTURES / "vits_original" / "ljs", tmp_path / "ljs")
    edited(folder / "config.json", "data", under(ORIGINALS, sampling_rate=24000))
    assert open_checkpoint(folder).audio == STATED


@pytest.mark.parametrize("whole", [True, False])
def test_of_coqui(tmp_path, whole):
    folder = shutil.copytree(paths.FIXTURES / "coqui_tts" / "vits", tmp_path / "vits")
    edited(folder / "config.json", "audio", under(COQUIS, sample_rate=24000))
    if not whole:
        torch = pytest.importorskip("torch")
        content = torch.load(folder / "model.pth", weights_only=False)
        content["model"] = without(content["model"], "posterior_encoder")
        torch.save(content, folder / "model.pth")
    checkpoint = open_checkpoint(folder)
    assert checkpoint.audio == STATED
    if not whole:
        assert checkpoint.architecture["spec_channels"] == 1025


def test_of_hugging_face():
    """Its settings hold no more than the bins, and the hop in its upsampling."""
    checkpoint = open_checkpoint(paths.FIXTURES / "hugging_face" / "vits")
    bins = checkpoint.architecture["spec_channels"]
    assert checkpoint.config["spectrogram_bins"] == bins
    assert checkpoint.audio == AudioSpec(checkpoint.config["sampling_rate"], 2 * bins - 2, 8, 2 * bins - 2)


@pytest.mark.parametrize(("stated", "hop"), [(300, 300), (None, 256)])
def test_of_an_exported_voice(tmp_path, stated, hop):
    voice = shutil.copy(paths.FIXTURES / "piper" / "single.onnx", tmp_path)
    content = json.loads((paths.FIXTURES / "piper" / "single.onnx.json").read_text("utf-8")) | {"hop_length": stated}
    content["audio"]["sample_rate"] = 24000
    (tmp_path / "single.onnx.json").write_text(json.dumps(content), "utf-8")
    assert open_checkpoint(voice).audio == AudioSpec(24000, hop=hop)


def test_of_a_voice_that_voxgraft_exported(tmp_path):
    """What a .onnx.json has no field for stands under `voxgraft`."""
    voice = shutil.copy(paths.FIXTURES / "piper" / "single.onnx", tmp_path)
    content = json.loads((paths.FIXTURES / "piper" / "single.onnx.json").read_text("utf-8"))
    content |= {"voxgraft": {"audio": STATED.to_dict()}, "hop_length": STATED.hop}
    content["audio"]["sample_rate"] = STATED.sample_rate
    (tmp_path / "single.onnx.json").write_text(json.dumps(content), "utf-8")
    checkpoint = open_checkpoint(voice)
    assert checkpoint.audio == STATED
    assert checkpoint.architecture["spec_channels"] == STATED.bins


def test_what_is_not_stated_is_as_the_network_has_it():
    assert spectrogram_of(NETWORK, 48000) == AudioSpec(48000, n_fft=2048, hop=512, win=2048)


@pytest.mark.parametrize("value", [True, -1, 0, "256", 10**400, float("nan"), float("inf"), None, []])
def test_impossible_values_count_as_not_stated(value):
    usual = AudioSpec(48000, n_fft=2048, hop=512, win=2048)
    assert spectrogram_of(NETWORK, 48000, n_fft=value, hop=value, win=value, n_mels=value) == usual
    if value != 0:
        assert spectrogram_of(NETWORK, 48000, fmin=value, fmax=value) == usual
