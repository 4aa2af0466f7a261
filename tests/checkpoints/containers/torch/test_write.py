"""Tensors written without torch are what torch reads, and what our own reader does."""

import numpy as np
import pytest

from voxgraft.checkpoints.containers.torch.unpickle import read_torch_file
from voxgraft.checkpoints.containers.torch.write import write_tensor


@pytest.mark.parametrize(
    "array",
    [
        np.arange(12, dtype=np.float32).reshape(3, 4),
        np.arange(12, dtype=np.float32).reshape(3, 4).T,
        np.array([1.5, -2.0]),
        np.array([[3, -(2**40)]]),
        np.zeros((0,), np.int32),
    ],
)
def test_torch_and_we_read_what_was_written(tmp_path, array):
    torch = pytest.importorskip("torch")
    path = tmp_path / "a--b.pt"
    write_tensor(path, array)
    theirs = torch.load(path, weights_only=True)
    assert theirs.shape == array.shape
    np.testing.assert_array_equal(theirs.numpy(), array)
    assert theirs.numpy().dtype == array.dtype
    np.testing.assert_array_equal(read_torch_file(path).content.load(), array)
    first = path.read_bytes()
    write_tensor(path, array)
    assert path.read_bytes() == first
