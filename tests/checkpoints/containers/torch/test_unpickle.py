"""Files of torch.save: equal to what torch reads, and damage, bombs and gadgets refused."""

import io
import os
import pickle
import struct
import warnings
import zipfile

import numpy as np
import pytest

from voxgraft.checkpoints.containers.torch.tensor import TorchTensor
from voxgraft.checkpoints.containers.torch.unpickle import read_torch_file
from voxgraft.errors import CheckpointError

torch = pytest.importorskip("torch")


def tensors_of_every_kind() -> dict:
    torch.manual_seed(0)
    base = torch.randn(4, 6)
    return {
        "float": base,
        "transposed": base.t(),
        "slice": base[1:3, ::2],
        "half": base.half(),
        "bfloat16": base.bfloat16(),
        "double": base.double(),
        "long": torch.arange(5),
        "int": torch.arange(5, dtype=torch.int32),
        "short": torch.arange(5, dtype=torch.int16),
        "char": torch.arange(5, dtype=torch.int8),
        "byte": torch.arange(5, dtype=torch.uint8),
        "bool": torch.tensor([True, False]),
        "complex": torch.randn(3, dtype=torch.complex64),
        "scalar": torch.tensor(3.5),
        "empty": torch.empty(0, 3),
        "parameter": torch.nn.Parameter(torch.ones(2)),
    }


def save(path, content, zipped=True):
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    return path


@pytest.mark.parametrize("zipped", [True, False])
def test_every_kind_of_tensor_equals_torchs(tmp_path, zipped):
    tensors = tensors_of_every_kind()
    file = read_torch_file(save(tmp_path / "x.ckpt", {"state_dict": tensors, "epoch": 3}, zipped))
    assert file.content["epoch"] == 3
    assert file.container == ("zip" if zipped else "stream")
    assert file.unsafe_globals == ()
    for name, tensor in tensors.items():
        ours = file.content["state_dict"][name].load()
        assert ours.shape == tuple(tensor.shape), name
        theirs = tensor.detach()
        if name == "bfloat16":
            assert ours.dtype.name == "bfloat16"
            ours, theirs = ours.astype(np.float32), theirs.float()
        assert ours.dtype == theirs.numpy().dtype, name
        np.testing.assert_array_equal(ours, theirs.numpy(), err_msg=name)


def test_tensors_stay_on_disk_and_can_not_be_written(tmp_path):
    file = read_torch_file(save(tmp_path / "x.ckpt", {"w": torch.ones(1000)}))
    array = file.content["w"].load()
    assert not array.flags.owndata
    with pytest.raises(ValueError, match="read-only"):
        array[0] = 2


def test_a_nested_prefix_and_compressed_entries_are_read(tmp_path):
    plain, other = save(tmp_path / "x.ckpt", {"w": torch.arange(1000.0)}), tmp_path / "y.ckpt"
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(other, "w", zipfile.ZIP_DEFLATED) as target:
        for entry in source.infolist():
            target.writestr("deep/er/" + entry.filename, source.read(entry))
    np.testing.assert_array_equal(read_torch_file(other).content["w"].load(), np.arange(1000.0))


def test_big_endian_files_are_read(tmp_path):
    plain, other = save(tmp_path / "x.ckpt", {"w": torch.arange(10.0)}), tmp_path / "y.ckpt"
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(other, "w") as target:
        for entry in source.infolist():
            raw = source.read(entry)
            if entry.filename.endswith("byteorder"):
                raw = b"big"
            elif "/data/" in entry.filename:
                raw = np.frombuffer(raw, "<f4").astype(">f4").tobytes()
            target.writestr(entry.filename, raw)
    array = read_torch_file(other).content["w"].load()
    np.testing.assert_array_equal(array, np.arange(10.0))
    assert array.dtype.isnative


class Gadget:
    def __init__(self, command):
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_gadget_beside_tensors_is_named_and_not_run(tmp_path, zipped, monkeypatch):
    monkeypatch.chdir(tmp_path)
    canary = tmp_path / "canary"
    content = {"state_dict": {"w": torch.ones(2)}, "callbacks": [Gadget("touch canary")]}
    path = save(tmp_path / "x.ckpt", content, zipped)
    file = read_torch_file(path)
    assert not canary.exists()
    assert file.unsafe_globals == ("posix.system",)
    assert file.unsafe_calls == ("posix.system('touch canary')",)
    np.testing.assert_array_equal(file.content["state_dict"]["w"].load(), [1, 1])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.load(path, weights_only=False)
    assert canary.exists(), "the gadget is live where it is not held back"


def test_a_bare_pickle_is_refused_and_what_it_would_have_run_is_named(tmp_path):
    path = tmp_path / "x.ckpt"
    path.write_bytes(pickle.dumps(Gadget("true"), protocol=2))
    with pytest.raises(CheckpointError, match=r"posix\.system\('true'\)"):
        read_torch_file(path)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_file_cut_off_anywhere_is_one_clear_error(tmp_path, zipped):
    raw = save(tmp_path / "x.ckpt", tensors_of_every_kind(), zipped).read_bytes()
    cuts = {len(raw) * k // 40 for k in range(1, 40)} | {1, 2, 3, 4, len(raw) - 1, len(raw) - 22}
    if zipped:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            cuts |= {entry.header_offset + d for entry in archive.infolist() for d in (0, 4, 30)}
    path = tmp_path / "cut.ckpt"
    for cut in sorted(cuts - {0}):
        path.write_bytes(raw[:cut])
        with pytest.raises(CheckpointError) as caught:
            read_torch_file(path)
        assert str(path) in caught.value.summary


def archive_with(path, pickled: bytes, data: dict[str, bytes], compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("a/data.pkl", pickled)
        for key, raw in data.items():
            archive.writestr(f"a/data/{key}", raw)
    return path


def pickled_tensor(numel=4, offset=0, shape=(2, 2), strides=(2, 1), storage="FloatStorage", key="0") -> bytes:
    """A pickle of one tensor, as torch writes it, with any numbers in it."""

    def push(value) -> bytes:
        return pickle.dumps(value, protocol=2)[2:-1]

    persistent = (
        b"(" + push("storage") + f"ctorch\n{storage}\n".encode() + push(key) + push("cpu") + push(numel) + b"tQ"
    )
    body = persistent + push(offset) + push(shape) + push(strides) + b"\x89N"
    return b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n(" + body + b"tR."


def test_the_handmade_pickle_is_a_tensor(tmp_path):
    path = archive_with(tmp_path / "x.ckpt", pickled_tensor(), {"0": np.arange(4, dtype="<f4").tobytes()})
    content = read_torch_file(path).content
    assert isinstance(content, TorchTensor)
    np.testing.assert_array_equal(content.load(), [[0, 1], [2, 3]])


@pytest.mark.parametrize(
    "hostile",
    [
        {"shape": (2**40, 2**40)},
        {"shape": (10**6, 10**6), "strides": (0, 0)},
        {"shape": (-1, 2)},
        {"shape": (2, 2), "strides": (-2, 1)},
        {"shape": (2, 2), "strides": (2,)},
        {"shape": (2, 2), "strides": (3, 1)},
        {"offset": 1},
        {"offset": -1},
        {"offset": "1"},
        {"shape": (2.0, 2)},
        {"shape": (True, 2)},
        {"shape": (1,) * 100, "strides": (1,) * 100},
        {"numel": 5},
        {"numel": -4},
        {"numel": 2**62},
        {"key": "1"},
        {"key": "../../../etc/passwd"},
        {"key": 7},
        {"storage": "EvilStorage"},
    ],
)
def test_absurd_tensors_are_refused_before_anything_is_allocated(tmp_path, hostile):
    path = archive_with(tmp_path / "x.ckpt", pickled_tensor(**hostile), {"0": bytes(16)})
    with pytest.raises(CheckpointError):
        read_torch_file(path)


def test_zip_bombs_are_refused(tmp_path):
    zeros = bytes(64 * 2**20)
    path = archive_with(tmp_path / "x.ckpt", pickled_tensor(numel=2**24), {"0": zeros}, zipfile.ZIP_DEFLATED)
    with pytest.raises(CheckpointError, match="zip bomb"):
        read_torch_file(path)
    path = archive_with(tmp_path / "y.ckpt", b"\x80\x02" + zeros, {}, zipfile.ZIP_DEFLATED)
    with pytest.raises(CheckpointError, match="zip bomb"):
        read_torch_file(path)


def test_a_compressed_entry_that_lies_about_its_size_is_refused(tmp_path):
    path = archive_with(tmp_path / "x.ckpt", pickled_tensor(), {"0": bytes(16)}, zipfile.ZIP_DEFLATED)
    raw = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        entry = archive.getinfo("a/data/0")
    central = raw.rindex(b"PK\x01\x02")
    lying = bytearray(raw)
    lying[central + 24 : central + 28] = struct.pack("<I", 1 << 20)
    path.write_bytes(lying)
    assert entry.file_size == 16
    with pytest.raises(CheckpointError, match="cut off"):
        read_torch_file(path).content.load()


def test_entries_with_paths_are_never_written_anywhere(tmp_path):
    path = tmp_path / "in" / "x.ckpt"
    path.parent.mkdir()
    archive_with(path, pickled_tensor(), {"0": bytes(16), "../../../escaped": b"x"})
    before = sorted(tmp_path.rglob("*"))
    read_torch_file(path)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("name", ["model.txt", "constants.pkl", "code/x.py"])
def test_other_archives_are_told_apart(tmp_path, name):
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, "x")
    with pytest.raises(CheckpointError, match=r"torch\.save didn't write"):
        read_torch_file(path)
