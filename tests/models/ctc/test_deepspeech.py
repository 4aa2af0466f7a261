"""DeepSpeech against TensorFlow's ops, through the committed saves and what they computed."""

import numpy as np
import pytest
import torch
from tests.checkpoints.fixture_files import DEEPSPEECH

from voxgraft.architectures.names.deepspeech import canonical_shapes, tensors_for_module, tensors_from_module
from voxgraft.audio.mfcc import mfcc
from voxgraft.checkpoints import open_checkpoint
from voxgraft.models.ctc.deepspeech import DeepSpeech

NAMES = ("english", "cyrillic", "bytes", "norm")


def restored(name):
    """Our module with a save's weights in evaluation mode, and the save's references."""
    checkpoint = open_checkpoint(DEEPSPEECH / name)
    module = DeepSpeech(**checkpoint.architecture)
    tensors = tensors_for_module(checkpoint.tensors, checkpoint.architecture["layer_norm"])
    module.load_state_dict({key: torch.tensor(array) for key, array in tensors.items()})
    with np.load(DEEPSPEECH / name / "reference.npz") as file:
        return module.eval(), checkpoint, {key: file[key] for key in file}


@pytest.mark.parametrize("name", NAMES)
@torch.no_grad()
def test_from_sound_to_logits_as_tensorflow(name):
    module, checkpoint, reference = restored(name)
    features = mfcc((reference["audio"] / 32767).astype(np.float32), checkpoint.features)
    logits = module(torch.from_numpy(features)[None])[0].numpy()
    assert logits.shape == (27, checkpoint.architecture["symbols"])
    np.testing.assert_allclose(logits, reference["logits"], atol=1e-5)
    assert reference["logits"].std() > 0.1


@torch.no_grad()
def test_the_references_reach_both_ends_of_the_clipped_relu():
    module, _, reference = restored("english")
    windows = module._windows(torch.nn.functional.pad(torch.from_numpy(reference["mfcc"])[None], (0, 0, 9, 9)))
    first = module.layer_1(windows)
    assert first.min() < 0
    assert first.max() > 20
    module.relu_clip = 1e9
    assert not np.allclose(module(torch.from_numpy(reference["mfcc"])[None])[0], reference["logits"], atol=1e-2)


@pytest.mark.parametrize("pieces", [(27,), (1,) * 27, (5, 16, 6)])
@torch.no_grad()
def test_piece_by_piece_is_the_whole(pieces):
    module, _, reference = restored("cyrillic")
    padded = torch.nn.functional.pad(torch.from_numpy(reference["mfcc"])[None], (0, 0, 9, 9))
    state, found, start = None, [], 0
    for length in pieces:
        logits, state = module.stream(padded[:, start : start + length + 18], state)
        assert logits.shape[1] == length
        found.append(logits)
        start += length
    np.testing.assert_allclose(torch.cat(found, 1)[0], reference["logits"], atol=1e-5)
    assert [tuple(part.shape) for part in state] == [(1, 1, 12)] * 2


@torch.no_grad()
def test_a_batch_changes_no_utterance():
    module, _, reference = restored("english")
    features = torch.from_numpy(reference["mfcc"])
    batch = torch.full((2, 40, 26), 7.0)
    batch[0, :27], batch[1, :20] = features, features[:20]
    logits = module(batch, torch.tensor([27, 20]))
    np.testing.assert_allclose(logits[0, :27], reference["logits"], atol=1e-5)
    np.testing.assert_allclose(logits[1, :20], module(features[None, :20])[0], atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_the_layout_leads_back(name):
    module, checkpoint, _ = restored(name)
    state = {key: value.numpy() for key, value in module.state_dict().items()}
    back = tensors_from_module(state, checkpoint.architecture["layer_norm"])
    assert set(back) == set(checkpoint.tensors)
    for key in back:
        np.testing.assert_array_equal(back[key], checkpoint.tensors[key], err_msg=key)
        assert back[key].flags.c_contiguous


def test_both_biases_of_an_lstm_become_one():
    module = DeepSpeech(symbols=5, n_hidden=4)
    torch.nn.init.normal_(module.lstm.bias_ih_l0)
    torch.nn.init.normal_(module.lstm.bias_hh_l0)
    twin = DeepSpeech(symbols=5, n_hidden=4)
    tensors = tensors_from_module({key: value.detach().numpy() for key, value in module.state_dict().items()})
    twin.load_state_dict({key: torch.tensor(array) for key, array in tensors_for_module(tensors).items()})
    features = torch.randn(1, 6, 26)
    np.testing.assert_allclose(twin.eval()(features).detach(), module.eval()(features).detach(), atol=1e-6)


@pytest.mark.parametrize("layer_norm", [False, True])
def test_every_tensor_of_the_module_has_one_conversion(layer_norm):
    module = DeepSpeech(symbols=7, n_hidden=6, n_input=5, n_context=2, layer_norm=layer_norm)
    shapes = canonical_shapes(7, 6, 5, 2, layer_norm)
    tensors = tensors_for_module({name: np.zeros(shape, np.float32) for name, shape in shapes.items()}, layer_norm)
    assert {key: value.shape for key, value in module.state_dict().items()} == {
        key: array.shape for key, array in tensors.items()
    }


def test_it_learns_and_the_second_bias_stays_zero():
    torch.manual_seed(0)
    module = DeepSpeech(symbols=4, n_hidden=32, n_context=1, n_input=6, dropout=0.0)
    features, targets = torch.randn(2, 20, 6), torch.tensor([[0, 1, 2], [2, 0, 1]])
    lengths, sizes = torch.tensor([20, 18]), torch.tensor([3, 3])
    optimizer = torch.optim.Adam([weight for weight in module.parameters() if weight.requires_grad], lr=0.01)
    losses = []
    for _ in range(150):
        logits = module(features, lengths).log_softmax(-1).transpose(0, 1)
        loss = torch.nn.functional.ctc_loss(logits, targets, lengths, sizes, blank=3)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.1 < 1 < losses[0]
    assert not module.lstm.bias_hh_l0.any()
    assert module.lstm.bias_ih_l0.any()


def test_dropout_is_for_training_only():
    module = DeepSpeech(symbols=4, n_hidden=16, dropout=0.5)
    features = torch.randn(1, 10, 26)
    assert not torch.equal(module(features), module(features))
    module.eval()
    assert torch.equal(module(features), module(features))


def test_as_coqui_stt_starts_a_network():
    module = DeepSpeech(symbols=29, n_hidden=64)
    assert module.layer_1.weight.abs().max().item() == pytest.approx((6 / (494 + 64)) ** 0.5, rel=0.01)
    assert module.lstm.weight_ih_l0.abs().max().item() == pytest.approx((6 / (2 * 64 + 4 * 64)) ** 0.5, rel=0.01)
    assert not any(bias.any() for name, bias in module.named_parameters() if "bias" in name)
