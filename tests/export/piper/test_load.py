"""A checkpoint as the model that it is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.export.piper.tiny_voice import TINY, tiny_metadata, tiny_vits

from voxgraft.checkpoints import open_checkpoint
from voxgraft.errors import ExportError
from voxgraft.export.piper.load import load_vits
from voxgraft.export.piper.trainer_checkpoint import write_slim_checkpoint

IDS = torch.tensor([[1, 0, 20, 0, 59, 0, 24, 0, 27, 0, 10, 0, 2]])
ARCHITECTURE = TINY | {"speakers": 1, "gin_channels": 0, "stochastic_duration": True}


def speech_of(model) -> np.ndarray:
    with torch.no_grad():
        audio = model.eval().infer(IDS, torch.tensor([IDS.shape[1]]), noise_scale=0.0, noise_w=0.0)
    return audio.numpy()


def test_slim_checkpoint_is_the_same_model(tmp_path):
    model = tiny_vits()
    write_slim_checkpoint(tmp_path / "a.ckpt", model.state_dict(), tiny_metadata(), ARCHITECTURE)
    loaded = load_vits(open_checkpoint(tmp_path / "a.ckpt"))
    assert loaded.absent == frozenset()
    np.testing.assert_array_equal(speech_of(loaded.model), speech_of(model))


def test_exported_voice_is_the_same_model_without_what_only_trains(tiny_voice):
    path, model = tiny_voice
    loaded = load_vits(open_checkpoint(path))
    np.testing.assert_allclose(speech_of(loaded.model), speech_of(model), atol=1e-5)
    assert loaded.absent
    assert all(name.startswith(("enc_q.", "dp.post_", "dp.flows.1.")) for name in loaded.absent)
    assert not loaded.absent & set(loaded.tensors)


def test_part_that_speaks_must_be_there(tiny_voice):
    checkpoint = open_checkpoint(tiny_voice[0])
    tensors = {name: checkpoint.tensors[name] for name in checkpoint.tensors if name != "flow.flows.0.pre.weight"}
    with pytest.raises(ExportError, match=r"flow\.flows\.0\.pre\.weight.*missing"):
        load_vits(replace(checkpoint, tensors=tensors))


def test_other_families_are_refused(tiny_voice):
    with pytest.raises(ExportError, match="only VITS"):
        load_vits(replace(open_checkpoint(tiny_voice[0]), family="hifigan"))
