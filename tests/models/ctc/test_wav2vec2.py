"""wav2vec 2.0 against `transformers`, through the committed MMS with adapters and what it computed."""

import numpy as np
import pytest
import torch
from tests.checkpoints.formats.hugging_face.hugging_face_files import HUGGING_FACE

from voxgraft.checkpoints import open_checkpoint
from voxgraft.errors import CheckpointError
from voxgraft.models.ctc.networks import NETWORKS, build_network, load_canonical
from voxgraft.models.ctc.wav2vec2 import SampleConvolution, Wav2Vec2Ctc

MMS = HUGGING_FACE / "mms"
TINY = {"conv_dim": [4] * 7, "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2,
        "intermediate_size": 16, "num_conv_pos_embeddings": 8, "num_conv_pos_embedding_groups": 2}  # fmt: skip


def restored(path):
    """Our module with a checkpoint's weights."""
    checkpoint = open_checkpoint(path)
    module = build_network("wav2vec2", checkpoint.architecture)
    load_canonical("wav2vec2", module, checkpoint.tensors, checkpoint.architecture)
    return module.eval()


@pytest.fixture(scope="module")
def reference():
    with np.load(MMS / "reference.npz") as file:
        return {name: file[name] for name in file}


@pytest.mark.parametrize("language", ["eng", "fra"])
@torch.no_grad()
def test_hears_as_transformers_with_a_languages_adapters(reference, language):
    module = restored(MMS / f"adapter.{language}.safetensors")
    samples = torch.from_numpy(reference["samples"])[:, :, None]
    assert reference[language].std() > 0.1
    np.testing.assert_allclose(module(samples), reference[language], atol=1e-4)
    np.testing.assert_allclose(module(samples, torch.tensor([4000])), reference[language], atol=1e-4)


@pytest.mark.parametrize(
    "changes", [{}, {"feat_extract_norm": "layer", "do_stable_layer_norm": True, "conv_bias": True}]
)
@torch.no_grad()
def test_an_utterance_in_a_batch_is_the_utterance_alone(changes):
    torch.manual_seed(0)
    module = Wav2Vec2Ctc(5, **(TINY | changes)).eval()
    lengths = torch.tensor([4000, 2500, 900])
    batch = torch.randn(3, 4000, 1)
    together = module(batch, lengths)
    for row, samples, length in zip(together, batch, lengths, strict=True):
        alone = module(samples[None, :length])[0]
        assert len(alone) == module.output_lengths(length)
        np.testing.assert_allclose(row[: len(alone)], alone, atol=1e-4)


def test_normalisation_over_time_is_torchs():
    layer = SampleConvolution(1, 4, 3, 1, bias=True, activation="relu", norm="group")
    torch.nn.init.normal_(layer.layer_norm.weight)
    torch.nn.init.normal_(layer.layer_norm.bias)
    x = torch.randn(2, 30, 1)
    expected = layer.activation(layer.layer_norm(layer.conv(x.transpose(1, 2)))).transpose(1, 2).detach()
    np.testing.assert_allclose(layer(x, torch.tensor([28, 28])).detach(), expected, atol=1e-5)
    np.testing.assert_allclose(layer(x).detach(), expected, atol=1e-5)


def test_lengths_are_those_of_the_convolutions_and_never_negative():
    module = Wav2Vec2Ctc(5, **TINY)
    assert module.output_lengths(torch.tensor([0, 1, 399, 400, 719, 720, 16000])).tolist() == [0, 0, 0, 1, 1, 2, 49]
    logits = module(torch.randn(2, 4000, 1), torch.tensor([4000, 100]))
    assert torch.isfinite(logits).all()
    logits.square().sum().backward()
    assert [name for name, parameter in module.named_parameters() if parameter.grad is None] == []


def test_what_was_only_for_pre_training_is_no_part_of_the_network():
    base = open_checkpoint(HUGGING_FACE / "xlsr")
    shapes = NETWORKS["wav2vec2"].shapes(dict(base.architecture) | {"symbols": 5})
    assert {name: base.shapes.get(name) for name in shapes if not name.startswith("lm_head")} == {
        name: shape for name, shape in shapes.items() if not name.startswith("lm_head")
    }
    assert not any("quantizer" in name or "masked" in name for name in shapes)
    with pytest.raises(CheckpointError, match="num_adapter_layers"):
        Wav2Vec2Ctc(5, num_adapter_layers=3)
