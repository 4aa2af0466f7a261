"""Our own safetensors: what is written is read back equal; damage is refused."""

import json
import struct

import numpy as np
import pytest
from tests.checkpoints.fixture_files import PIPER

from voxgraft.checkpoints import open_checkpoint
from voxgraft.checkpoints.formats.voxgraft.write import write_safetensors, write_tensors
from voxgraft.errors import CheckpointError


@pytest.mark.parametrize("name", ["multi.onnx", "multi.ckpt", "high.ckpt", "slim_bf16.ckpt"])
def test_what_is_written_reads_back_equal(tmp_path, name):
    source, path = open_checkpoint(PIPER / name), tmp_path / "voice.safetensors"
    write_safetensors(path, source)
    copy = open_checkpoint(path)
    assert copy.provenance.format == "voxgraft-safetensors"
    for field in (
        "family", "architecture", "symbols", "audio", "quality", "speakers", "languages", "epoch", "step", "inference",
        "missing", "config",
    ):  # fmt: skip
        assert getattr(copy, field) == getattr(source, field), field
    assert set(copy.tensors) == set(source.tensors)
    for tensor in source.tensors:
        np.testing.assert_array_equal(copy.tensors[tensor], source.tensors[tensor], err_msg=tensor)
    assert [entry.name for entry in tmp_path.iterdir()] == ["voice.safetensors"]


def test_the_reference_reader_agrees(tmp_path):
    from safetensors.numpy import load_file

    path = tmp_path / "x.safetensors"
    tensors = {"b": np.arange(6, dtype=np.int64).reshape(2, 3).T, "a": np.float32([[1.5]]), "e": np.zeros((0, 2), "f2")}
    write_tensors(path, tensors, {"family": "other"})
    loaded = load_file(path)
    assert set(loaded) == set(tensors)
    for name, array in tensors.items():
        np.testing.assert_array_equal(loaded[name], array)
        assert loaded[name].dtype == array.dtype


def test_another_family_keeps_its_own_architecture(tmp_path):
    path = tmp_path / "x.safetensors"
    write_tensors(path, {"w": np.ones(2, np.float32)}, {"family": "hifigan", "architecture": {"rates": [8, 8]}})
    checkpoint = open_checkpoint(path)
    assert (checkpoint.family, checkpoint.architecture) == ("hifigan", {"rates": (8, 8)})


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "x.safetensors"
    path.write_bytes(b"old")

    class Failing(dict):
        reads = 0

        def __getitem__(self, name):
            self.reads += 1
            if self.reads > 3:
                raise OSError(28, "No space left on device")
            return super().__getitem__(name)

    with pytest.raises(OSError, match="No space"):
        write_tensors(path, Failing(a=np.ones(3), b=np.ones(3)), {})
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_strangers_and_damage_are_refused(tmp_path):
    path = tmp_path / "x.safetensors"
    write_safetensors(path, open_checkpoint(PIPER / "single.onnx"))
    raw = path.read_bytes()
    size = struct.unpack("<Q", raw[:8])[0]
    header = json.loads(raw[8 : 8 + size])
    for cut in (4, 8, 9, 100, 8 + size, 8 + size + 1, len(raw) // 2, len(raw) - 1):
        path.write_bytes(raw[:cut])
        with pytest.raises(CheckpointError):
            open_checkpoint(path)

    def rewritten(**changes):
        changed = json.dumps(header | changes).encode()
        path.write_bytes(struct.pack("<Q", len(changed)) + changed + raw[8 + size :])

    name = "enc_p.emb.weight"
    for hostile in (
        {name: header[name] | {"shape": [2**40, 2**40]}},
        {name: header[name] | {"data_offsets": [0, 2**60]}},
        {name: header[name] | {"dtype": "EVIL"}},
        {"__metadata__": {}},
        {"__metadata__": {"voxgraft": "{"}},
        {"__metadata__": {"voxgraft": '{"symbols": {"ids": {"a": [9]}, "rows": 1, "text_kind": "text"}}'}},
    ):
        rewritten(**hostile)
        with pytest.raises(CheckpointError) as caught:
            open_checkpoint(path)
        assert str(path) in caught.value.summary
