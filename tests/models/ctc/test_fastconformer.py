"""FastConformer against `transformers`, through the committed Parakeet and what it computed."""

import numpy as np
import pytest
import torch
from tests.checkpoints.formats.hugging_face.hugging_face_files import HUGGING_FACE

from voxgraft.checkpoints import open_checkpoint
from voxgraft.errors import CheckpointError
from voxgraft.models.ctc.activations import activation_of
from voxgraft.models.ctc.fastconformer import FastConformerCtc
from voxgraft.models.ctc.networks import build_network, canonical_state, load_canonical


@pytest.fixture(scope="module")
def tiny():
    """Our module with the fixture's weights, the checkpoint, features [1, 64, 80] and logits."""
    checkpoint = open_checkpoint(HUGGING_FACE / "parakeet")
    module = build_network("fastconformer", checkpoint.architecture)
    load_canonical("fastconformer", module, checkpoint.tensors, checkpoint.architecture)
    with np.load(HUGGING_FACE / "parakeet" / "reference.npz") as file:
        return module.eval(), checkpoint, torch.from_numpy(file["features"]), file["logits"]


@torch.no_grad()
def test_hears_as_transformers(tiny):
    module, _, features, logits = tiny
    assert logits.std() > 0.1
    np.testing.assert_allclose(module(features), logits, atol=1e-4)
    np.testing.assert_allclose(module(features, torch.tensor([64])), logits, atol=1e-4)


@torch.no_grad()
def test_an_utterance_in_a_batch_is_the_utterance_alone(tiny):
    module, _, features, _ = tiny
    lengths = torch.tensor([64, 41, 17, 1])
    together = module(features.repeat(4, 1, 1), lengths)
    assert together.shape == (4, 8, 9)
    for row, length, positions in zip(together, lengths, module.output_lengths(lengths), strict=True):
        alone = module(features[:, :length])
        assert alone.shape[1] == positions
        np.testing.assert_allclose(row[:positions], alone[0], atol=1e-4)


def test_every_tensor_goes_in_and_comes_out(tiny):
    module, checkpoint, _, _ = tiny
    state = canonical_state("fastconformer", module, checkpoint.architecture)
    assert set(state) == set(checkpoint.tensors)
    assert all(np.array_equal(state[name], checkpoint.tensors[name]) for name in state)


def test_every_parameter_learns():
    fresh = FastConformerCtc(
        5, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
        subsampling_conv_channels=4, attention_bias=False, convolution_bias=False, dropout=0.1,
    )  # fmt: skip
    logits = fresh(torch.randn(2, 70, 80), torch.tensor([70, 33]))
    assert logits.shape == (2, 9, 5)
    logits.square().sum().backward()
    assert [name for name, parameter in fresh.named_parameters() if parameter.grad is None] == []


def test_damage_is_told_by_name(tiny):
    module, checkpoint, _, _ = tiny
    tensors = {name: checkpoint.tensors[name] for name in checkpoint.tensors}
    name = "encoder.layers.1.self_attn.bias_u"
    for damaged in ({k: v for k, v in tensors.items() if k != name}, tensors | {name: np.zeros((3, 4), np.float32)}):
        with pytest.raises(CheckpointError, match=name):
            load_canonical("fastconformer", module, damaged, checkpoint.architecture)
    with pytest.raises(CheckpointError, match="glue"):
        activation_of("glue")
