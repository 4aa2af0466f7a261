"""Shapes without values: the same as those of modules that are filled, and quick to have."""

import subprocess
import sys

import pytest
import torch
from tests import paths

from voxgraft.checkpoints import open_checkpoint
from voxgraft.graft.shapes import discriminator_module
from voxgraft.models.ctc.networks import NETWORKS
from voxgraft.models.unfilled import unfilled
from voxgraft.models.vits import Vits

VOICE = paths.FIXTURES / "piper" / "multi.ckpt"


def shapes(module):
    return {name: (tuple(tensor.shape), tensor.dtype) for name, tensor in module.state_dict().items()}


@pytest.mark.parametrize("kind", ["light", "piper"])
def test_shapes_are_those_of_filled_modules(kind):
    architecture = open_checkpoint(VOICE).architecture
    with unfilled():
        found = shapes(Vits(**architecture)) | shapes(discriminator_module(kind))
    assert found == shapes(Vits(**architecture)) | shapes(discriminator_module(kind))


@pytest.mark.parametrize("name", ["mms", "parakeet", "whisper"])
def test_shapes_of_recognisers_are_those_of_filled_modules(name):
    base = open_checkpoint(paths.FIXTURES / "hugging_face" / name)
    network, architecture = NETWORKS[base.family], {"symbols": 5, **base.architecture}
    wanted = {name: shape for name, (shape, _) in shapes(network.build(architecture)).items()}
    assert network.shapes(architecture) == wanted


def test_nothing_is_drawn_and_no_memory_is_taken():
    before = torch.get_rng_state()
    with unfilled():
        module = torch.nn.Embedding(10**12, 256)
    assert module.weight.shape == (10**12, 256)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.nn.Linear(2, 2).weight.abs().sum() > 0, "filled again outside"


def test_shapes_are_had_without_the_compiler():
    """Its import takes seconds, and every plan asks for shapes."""
    code = f"""
import sys
from voxgraft.checkpoints import open_checkpoint
from voxgraft.graft.shapes import target_shapes
for discriminator in ("light", "piper"):
    target_shapes(open_checkpoint({str(VOICE)!r}).architecture, discriminator)
assert "torch" in sys.modules
assert "torch._dynamo" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
