"""safetensors: every type is read lazily, every lie in the header is one clear error before anything is allocated."""

import os
import resource

import ml_dtypes
import numpy as np
import pytest
from safetensors.numpy import save_file
from tests.checkpoints.formats.hugging_face.hugging_face_files import safetensors

from voxgraft.checkpoints.containers.safetensors import is_safetensors, open_safetensors
from voxgraft.checkpoints.containers.tensor_store import TensorStore
from voxgraft.errors import CheckpointError

F32 = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}


@pytest.mark.parametrize("kind", ["f8", "f4", "f2", "i8", "i4", "i2", "i1", "u8", "u1", "?"])
def test_what_the_library_wrote(tmp_path, kind):
    path = tmp_path / "x.safetensors"
    values = np.arange(6).reshape(2, 3).astype(kind)
    save_file({"a.b": values, "empty": np.zeros((0, 3), kind), "one": np.array(1, kind)}, path, {"k": "v"})
    file = open_safetensors(path)
    assert file.metadata == {"k": "v"}
    assert {name: tensor.shape for name, tensor in file.tensors.items()} == {"a.b": (2, 3), "empty": (0, 3), "one": ()}
    np.testing.assert_array_equal(file.tensors["a.b"].load(), values)
    assert file.tensors["a.b"].load().dtype == values.dtype
    assert file.tensors["empty"].load().shape == (0, 3)


@pytest.mark.parametrize(
    ("code", "kind"), [("BF16", "bfloat16"), ("F8_E4M3", "float8_e4m3fn"), ("F8_E5M2", "float8_e5m2")]
)
def test_types_that_numpy_lacks_come_as_float32(tmp_path, code, kind):
    values = np.array([1.5, -2.0, 0.25], getattr(ml_dtypes, kind))
    path = tmp_path / "x"
    entry = {"dtype": code, "shape": [3], "data_offsets": [0, values.nbytes]}
    path.write_bytes(safetensors({"w": entry}, values.tobytes()))
    store = TensorStore(open_safetensors(path).tensors, path)
    assert store["w"].dtype == np.float32
    assert store["w"].tolist() == [1.5, -2.0, 0.25]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (safetensors({}, length=2**60), "does not fit"),
        (safetensors({}, length=99 * 2**20), "does not fit"),
        (safetensors({"w": F32}, b"\0" * 7), "cut off"),
        (safetensors({"w": F32}, b"\0" * 9), "after the last"),
        (safetensors({"w": F32, "v": F32}, b"\0" * 8), "overlap"),
        (safetensors({"w": F32, "v": F32 | {"data_offsets": [4, 12]}}, b"\0" * 12), "overlap"),
        (safetensors({"w": F32, "v": F32 | {"data_offsets": [12, 20]}}, b"\0" * 20), "between"),
        (safetensors({"w": F32 | {"shape": [3]}}, b"\0" * 8), "does not fit its data"),
        (safetensors({"w": F32 | {"shape": [2**40, 2**40]}}, b"\0" * 8), "does not fit its data"),
        (safetensors({"w": F32 | {"shape": [-2]}}, b"\0" * 8), "impossible shape"),
        (safetensors({"w": F32 | {"shape": [1] * 100}}, b"\0" * 8), "impossible shape"),
        (safetensors({"w": F32 | {"shape": [True, 2]}}, b"\0" * 8), "impossible shape"),
        (safetensors({"w": F32 | {"data_offsets": [8, 0]}}, b"\0" * 8), "cut off"),
        (safetensors({"w": F32 | {"data_offsets": [0, 2**70]}}, b"\0" * 8), "cut off"),
        (safetensors({"w": F32 | {"dtype": "F128"}}, b"\0" * 8), "unknown type"),
        (safetensors({"w": F32 | {"dtype": ["F32"]}}, b"\0" * 8), "unknown type"),
        (safetensors({"w": 7}), "unknown type"),
        (safetensors({"__metadata__": {"a": 1}}), "free text"),
        (safetensors(b'{"w": {}, "w": {}}'), "twice"),
        (safetensors(b"[]"), "no list"),
        (safetensors(b'{"w'), "not JSON"),
        (safetensors(b'{"\xff\xfe"}'), "UTF-8"),
        (safetensors(b"{" + b'"a":[' * 100_000), "not JSON"),
    ],
)
def test_lies_in_the_header(tmp_path, content, words):
    path = tmp_path / "x.safetensors"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=words) as caught:
        open_safetensors(path)
    assert caught.value.file == str(path)


@pytest.mark.parametrize("size", range(0, 77, 7))
def test_cut_off_anywhere(tmp_path, size):
    path = tmp_path / "x"
    whole = safetensors({"w": F32}, b"\0" * 8)
    assert size < len(whole)
    path.write_bytes(whole[:size] or b"\0")
    with pytest.raises(CheckpointError):
        open_safetensors(path)


def test_opening_reads_no_values(tmp_path):
    path = tmp_path / "x"
    size = 3 * 2**30
    path.write_bytes(safetensors({"w": {"dtype": "F16", "shape": [size // 2], "data_offsets": [0, size]}}))
    os.truncate(path, path.stat().st_size + size)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert open_safetensors(path).tensors["w"].shape == (size // 2,)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000


@pytest.mark.parametrize(
    ("head", "expected"),
    [(safetensors({}), True), (b"", False), (b"PK\x03\x04" + b"{" * 9, False), (b"\x02" + bytes(7) + b"[]", False)],
)
def test_known_by_its_beginning(head, expected):
    assert is_safetensors(head) is expected


@pytest.mark.parametrize("length", [0x0280, 0x0580])
def test_a_header_whose_length_looks_like_a_pickle_is_read(tmp_path, length):
    from voxgraft.checkpoints.containers.torch.unpickle import is_torch_file
    from voxgraft.checkpoints.source import CheckpointSource

    header = b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'.ljust(length)
    path = tmp_path / "a.safetensors"
    path.write_bytes(length.to_bytes(8, "little") + header + b"\0\0\x80?")
    assert is_torch_file(path)
    assert CheckpointSource(path).torch is None
    assert open_safetensors(path).tensors["a"].load() == 1
