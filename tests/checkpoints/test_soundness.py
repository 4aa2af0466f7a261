"""Weights that are no finite numbers are found, counted and told apart."""

import numpy as np

from voxgraft.checkpoints.soundness import unsound_tensors


def test_sound_weights_are_silent():
    assert unsound_tensors({"a": np.ones((3, 4), np.float32), "none": np.zeros((0, 2), np.float32)}) == {}


def test_each_kind_is_counted():
    bad = np.array([1, np.nan, np.inf, -np.inf], np.float32)
    assert unsound_tensors({"good": np.ones(2), "bad": bad}) == {"bad": "1 NaN, 2 infinite"}


def test_infinities_that_cancel_are_still_found():
    assert unsound_tensors({"a": np.array([np.inf, -np.inf])}) == {"a": "2 infinite"}


def test_large_but_finite_weights_are_sound():
    assert unsound_tensors({"a": np.full(4, 3e38, np.float32)}) == {}


def test_whole_numbers_have_nothing_to_check():
    assert unsound_tensors({"steps": np.array([1, 2])}) == {}


def test_half_precision_is_counted_as_stored_in_every_block(tmp_path, monkeypatch):
    from voxgraft.checkpoints import soundness
    from voxgraft.checkpoints.containers.tensor_store import LazyTensor, TensorStore

    monkeypatch.setattr(soundness, "_BLOCK", 4)
    values = np.ones((5, 3), np.float16)
    values[0, 0] = values[4, 2] = np.nan
    values[2, 2] = np.inf
    store = TensorStore({"a": LazyTensor(values.shape, lambda: values)}, tmp_path)
    assert unsound_tensors(store) == {"a": "2 NaN, 1 infinite"}
