"""Our UnivNet says what tts-framework's, VoiceSmith's and Coqui's say, given the same spectrogram and noise."""

import json

import numpy as np
import pytest
import torch
from tests import paths

from voxgraft.architectures.dimensions.univnet import AUTHORS, COQUI, generator_shapes, univnet_architecture
from voxgraft.architectures.names import univnet as univnet_names
from voxgraft.architectures.names.rules import canonical_name
from voxgraft.models.vocoders.univnet import SILENCE, TAIL, UnivNet, located_convolution
from voxgraft.models.weight_norm import NormedConv

FIXTURES = paths.FIXTURES / "tts_framework"
CASES = ("univnet.ckpt", "vocoder.pt", "coqui_univnet.npz")


def state_of(name):
    """The fixture's generator under canonical names, without `generator.`."""
    if name == "coqui_univnet.npz":
        stored = np.load(FIXTURES / name)
        named = {f"model_g.{key[6:]}": stored[key] for key in stored if key.startswith("state.")}
        rules = univnet_names.COQUI
    elif name == "vocoder.pt":
        stored = torch.load(FIXTURES / name, weights_only=True)["generator"]
        named, rules = {f"generator.{key}": value for key, value in stored.items()}, univnet_names.VOICESMITH
    else:
        named, rules = torch.load(FIXTURES / name, weights_only=False)["state_dict"], univnet_names.TTS_FRAMEWORK
    canonical = {canonical_name(key, rules): torch.as_tensor(value) for key, value in named.items()}
    return {key.removeprefix("generator."): value for key, value in canonical.items() if key and key[:9] == "generator"}


def model_of(name):
    state = state_of(name)
    shapes = {f"generator.{key}": tuple(value.shape) for key, value in state.items()}
    model = UnivNet(**univnet_architecture(shapes, COQUI if name.startswith("coqui") else AUTHORS)).eval()
    model.load_state_dict(state)
    return model


@pytest.mark.parametrize("name", CASES)
def test_the_waveform_is_the_original_s(name):
    model, said = model_of(name), np.load(FIXTURES / f"{name.split('.')[0]}.npz")
    with torch.no_grad():
        wave = model(torch.tensor(said["mel"]), torch.tensor(said["noise"])).numpy()
    assert np.abs(said["wave"]).max() > 0.1
    np.testing.assert_allclose(wave, said["wave"], atol=1e-4)


@pytest.mark.parametrize("name", CASES)
def test_folding_weight_norm_changes_nothing(name):
    model, said = model_of(name), np.load(FIXTURES / f"{name.split('.')[0]}.npz")
    mel, noise = torch.tensor(said["mel"]), torch.tensor(said["noise"])
    with torch.no_grad():
        before = model(mel, noise)
        after = model.fold()(mel, noise)
    assert all(module.folded for module in model.modules() if isinstance(module, NormedConv))
    torch.testing.assert_close(after, before, atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", ["univnet.ckpt", "vocoder.pt"])
def test_the_edge_falls_into_a_tail_of_silence_as_in_the_original(name):
    model, said = model_of(name), np.load(FIXTURES / f"{name.split('.')[0]}.npz")
    mel = torch.nn.functional.pad(torch.tensor(said["mel"][:1]), (0, TAIL), value=SILENCE)
    with torch.no_grad():
        wave = model(mel, torch.tensor(said["tail_noise"]))[:, :, : -TAIL * model.hop]
    np.testing.assert_allclose(wave.numpy(), said["inferred"], atol=1e-4)


def test_a_seed_gives_the_same_waveform_again():
    model = model_of("univnet.ckpt")
    mel = torch.tensor(np.load(FIXTURES / "univnet.npz")["mel"])
    first, again, other = model.infer(mel, seed=1), model.infer(mel, seed=1), model.infer(mel, seed=2)
    assert first.shape == (2, 1, 7 * 256)
    assert torch.equal(first, again)
    assert not torch.allclose(first, other, atol=1e-3)


def test_an_odd_stride_gives_that_many_samples():
    model = UnivNet(mels=4, noise_channels=3, channels=2, strides=(3, 5), predictor_channels=4).eval()
    assert model.infer(torch.zeros(1, 4, 6)).shape == (1, 1, 6 * 15)


def test_predicted_convolution_is_a_convolution_with_each_frame_s_kernel():
    torch.manual_seed(0)
    x, kernels, biases = torch.randn(1, 2, 12), torch.randn(1, 2, 4, 3, 3), torch.randn(1, 4, 3)
    result = located_convolution(x, kernels, biases)
    padded = torch.nn.functional.pad(x, (1, 1))
    for frame in range(3):
        stretch = padded[:, :, 4 * frame : 4 * frame + 6]
        kernel = kernels[0, ..., frame].transpose(0, 1)
        expected = torch.nn.functional.conv1d(stretch, kernel, biases[0, :, frame])
        torch.testing.assert_close(result[:, :, 4 * frame : 4 * frame + 4], expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", CASES)
def test_the_shapes_of_an_architecture_are_the_module_s(name):
    model = model_of(name).fold()
    state = state_of(name)
    shapes = {f"generator.{key}": tuple(value.shape) for key, value in state.items()}
    architecture = univnet_architecture(shapes, COQUI if name.startswith("coqui") else AUTHORS)
    assert generator_shapes(architecture) == {
        f"generator.{key}": tuple(value.shape) for key, value in model.state_dict().items()
    }


def test_coqui_s_discriminator_comes_under_the_authors_names():
    listed = json.loads(str(np.load(FIXTURES / "coqui_univnet.npz")["discriminator"]))
    names = {name: canonical_name(f"model_d.{name}", univnet_names.COQUI) for name in listed}
    assert {name for name, canonical in names.items() if canonical is None} == {
        f"msd.discriminators.{i}.stft.window" for i in range(3)
    }
    kept = [canonical for canonical in names.values() if canonical]
    assert len(set(kept)) == len(kept)
    modules = {canonical.rsplit(".", 1)[0] for canonical in kept}
    assert modules == {
        f"discriminator.{kind}.discriminators.{i}.{layer}"
        for kind, count in (("mpd", 5), ("mrd", 3))
        for i in range(count)
        for layer in (*(f"convs.{k}" for k in range(5)), "conv_post")
    }
