"""Checkpoints of recognisers' runs, and recognisers whose files lie about themselves."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.checkpoints.fixture_files import DEEPSPEECH

from voxgraft.checkpoints import open_checkpoint
from voxgraft.checkpoints.formats.voxgraft.metadata import metadata_of
from voxgraft.checkpoints.formats.voxgraft.write import write_safetensors
from voxgraft.config.run import RunConfig
from voxgraft.errors import CheckpointError
from voxgraft.graft.recogniser import require_recogniser, whole_network


@pytest.fixture
def base():
    return open_checkpoint(DEEPSPEECH / "english")


def saved(path, base, **changes):
    """A checkpoint of a run, with the tiny save's weights."""
    content = {
        "epoch": 3,
        "global_step": 40,
        "state_dict": {name: torch.from_numpy(np.array(array)) for name, array in base.tensors.items()},
        "optimizer_states": [],
        "voxgraft": metadata_of(replace(base, epoch=3, step=40)),
        "voxgraft_run": {"step": 40},
    }
    torch.save(content | changes, path)
    return path


def test_a_runs_checkpoint_is_what_was_saved(tmp_path, base):
    found = open_checkpoint(saved(tmp_path / "epoch=3-step=40.ckpt", base))
    assert (found.family, found.epoch, found.step) == ("deepspeech", 3, 40)
    assert found.symbols == base.symbols
    assert found.features == base.features
    assert dict(found.architecture) == dict(base.architecture)
    for name, array in base.tensors.items():
        np.testing.assert_array_equal(found.tensors[name], array)
    assert set(found.training_state) == {"optimizer_states", "voxgraft_run"}


def test_a_voices_metadata_is_left_to_the_voices_reader(tmp_path, base):
    own = metadata_of(base) | {"family": "vits"}
    with pytest.raises(CheckpointError, match="not a checkpoint that voxgraft knows"):
        open_checkpoint(saved(tmp_path / "voice.ckpt", base, voxgraft=own))


@pytest.mark.parametrize("state", [None, {}, {"layer_1/weights": "text"}, [1, 2]])
def test_a_checkpoint_without_weights_is_refused(tmp_path, base, state):
    with pytest.raises(CheckpointError, match="holds no weights"):
        open_checkpoint(saved(tmp_path / "empty.ckpt", base, state_dict=state))


@pytest.mark.parametrize("change", [{"n_hidden": 10**9}, {"symbols": 5}, {"layer_norm": True}, {"n_context": 10**9}])
def test_an_architecture_that_is_not_that_of_the_tensors_is_refused_before_memory_is_taken(tmp_path, base, change):
    lying = replace(base, architecture=dict(base.architecture) | change)
    write_safetensors(tmp_path / "lie.safetensors", lying)
    found = open_checkpoint(tmp_path / "lie.safetensors")
    with pytest.raises(CheckpointError):
        whole_network(found)
    if "layer_norm" not in change:
        with pytest.raises(CheckpointError, match="is not that of its tensors"):
            require_recogniser(found, RunConfig())


def test_an_absent_tensor_is_named(tmp_path, base):
    half = replace(base, tensors={name: array for name, array in base.tensors.items() if "lstm" not in name})
    write_safetensors(tmp_path / "half.safetensors", half)
    with pytest.raises(CheckpointError, match="a tensor is absent") as caught:
        whole_network(open_checkpoint(tmp_path / "half.safetensors"))
    assert "lstm" in caught.value.field
