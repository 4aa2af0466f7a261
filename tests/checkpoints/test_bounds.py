"""Small files that would keep a reader busy for ever, or fill the memory, are refused at once."""

import io
import json
import os
import pickle
import shutil
import socket
import struct
import tarfile
import time
import zipfile
from contextlib import suppress

import pytest
from tests import paths
from tests.checkpoints.formats.nemo.test_reader import archive

from voxgraft.checkpoints import open_checkpoint
from voxgraft.config.document import parse_document
from voxgraft.errors import CheckpointError, ConfigError, shown
from voxgraft.json_file import read_json, read_object
from voxgraft.yaml_file import parse_yaml

torch = pytest.importorskip("torch")


@pytest.fixture(autouse=True)
def soon():
    began = time.process_time()
    yield
    assert time.process_time() - began < 20


def of_torch(path, pickled):
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("archive/data.pkl", pickled)
    return path


def doubling(depth):
    inner = ["a word"] * 4
    for _ in range(depth):
        inner = [inner, inner]
    return inner


def test_lists_that_refer_to_lists(tmp_path):
    content = {"model": doubling(40), "config": doubling(40)}
    with pytest.raises(CheckpointError, match="far more"):
        open_checkpoint(of_torch(tmp_path / "v.ckpt", pickle.dumps(content, 2)))


def test_a_list_in_itself_and_lists_without_end(tmp_path):
    ring = []
    ring.append({"again": ring})
    deep = []
    for _ in range(400):
        deep = [deep]
    for content in (ring, deep):
        with pytest.raises(CheckpointError, match="without end"):
            open_checkpoint(of_torch(tmp_path / "v.ckpt", pickle.dumps(content, 2)))


def test_values_are_shown_briefly():
    assert shown([1, "a", None]) == "[1, 'a', None]"
    assert shown({"a": 1}) == "{'a': 1}"
    for value in (doubling(60), "x" * 10**6, 10**5000, {"a": doubling(30)}, list(range(10**6)), object()):
        assert len(shown(value)) <= 60


@pytest.mark.parametrize("depth", [150, 900, 100_000])
def test_deep_json(depth, tmp_path):
    path = tmp_path / "config.json"
    path.write_text('{"a": ' + "[" * depth + "]" * depth + "}")
    for read in (read_json, read_object):
        with pytest.raises(CheckpointError, match=r"deeper|not JSON"):
            read(path)


def test_comments_without_end(tmp_path):
    path = tmp_path / "config.json"
    path.write_text("{" + "/*" * 2_000_000)
    with pytest.raises(CheckpointError, match="not JSON"):
        read_json(path, comments=True)
    path.write_text("5")
    assert read_json(path) == 5


HOSTILE_YAML = {
    "values": b"a: [" + b"1," * 1_900_000 + b"1]",
    "depth": b"a: " + b"[" * 100_000,
    "aliases": b"a: &x [1, 1]\nb: &y [*x, *x]\n",
    "sixties": b"a: 1" + b":1" * 1_000_000,
    "digits": b"a: 0x" + b"f" * 1_000_000,
}
MARKED = [
    "!!bool foo",
    "!!timestamp x",
    "!!int x",
    "!!int ''",
    "!!float x",
    "!!float ''",
    "!!binary é",
    "!!python/object/apply:os.system [ls]",
    "!!timestamp 2001-99-99",
    "!!set [a]",
    "!!omap 5",
    "!nobody knows",
    "{[a]: b}",
    "{{a: b}: c}",
]


@pytest.mark.parametrize("kind", HOSTILE_YAML)
def test_yaml_without_end(kind, tmp_path):
    with pytest.raises(CheckpointError, match="not YAML"):
        parse_yaml(HOSTILE_YAML[kind], tmp_path / "x.yaml")
    archive(tmp_path / "m.nemo", HOSTILE_YAML[kind])
    with pytest.raises(CheckpointError, match="not YAML"):
        open_checkpoint(tmp_path / "m.nemo")


@pytest.mark.parametrize("marked", MARKED)
def test_yaml_that_is_marked_as_what_it_is_not(marked, tmp_path):
    with pytest.raises(CheckpointError, match="not YAML"):
        parse_yaml(f"a: {marked}".encode(), tmp_path / "x.yaml")
    with pytest.raises(ConfigError):
        parse_document(f"a: {marked}", tmp_path / "voxgraft.yaml")


@pytest.mark.parametrize("size", [b"-0000001000\0", b"0x10       \0", b"+12        \0", b"1_0        \0"])
def test_sizes_in_an_archive_that_are_none(size, tmp_path):
    path = tmp_path / "m.nemo"
    with tarfile.open(path, "w") as file:
        file.addfile(tarfile.TarInfo("a"), io.BytesIO())
    raw = bytearray(path.read_bytes())
    raw[124:136] = size
    raw[148:156] = b" " * 8
    raw[148:156] = f"{sum(raw[:512]):06o}\0 ".encode()
    path.write_bytes(raw)
    with pytest.raises(CheckpointError, match="no size"):
        open_checkpoint(path)


def test_what_is_no_regular_file_is_never_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.ckpt")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s.ckpt"))
        for path in (tmp_path / "pipe.ckpt", tmp_path / "s.ckpt", "/dev/zero", "/dev/null"):
            with pytest.raises(CheckpointError) as caught:
                open_checkpoint(path)
            assert caught.value.file == str(path)


def test_a_pipe_beside_a_checkpoint_is_not_waited_for(tmp_path):
    shutil.copy(paths.FIXTURES / "piper" / "single.ckpt", tmp_path / "v.ckpt")
    for name in ("config.json", "README.md", "MODEL_CARD"):
        os.mkfifo(tmp_path / name)
    assert open_checkpoint(tmp_path / "v.ckpt").family == "vits"
    with pytest.raises(CheckpointError):
        open_checkpoint(tmp_path)


class Evil:
    def __reduce__(self):
        return os.system, ("true",)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_hostile_file_cut_short_is_called_by_its_call(zipped, tmp_path):
    path = tmp_path / "v.ckpt"
    content = {"e": Evil(), "state_dict": {"enc_p.emb.weight": torch.ones(4000, 8)}}
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    raw = path.read_bytes()
    for size in (len(raw) - 10, len(raw) // 2):
        path.write_bytes(raw[:size])
        with pytest.raises(CheckpointError, match=r"naive loader would have run \w+\.system") as caught:
            open_checkpoint(path)
        assert "Don't use this file" in caught.value.remedy


def test_a_hostile_file_that_lacks_tensors_is_called_by_its_call(tmp_path):
    path = tmp_path / "v.ckpt"
    torch.save({"e": Evil(), "state_dict": {"enc_p.emb.weight": torch.ones(4, 8)}}, path)
    with pytest.raises(CheckpointError, match=r"naive loader would have run \w+\.system"):
        open_checkpoint(path)


def test_initialisers_whose_values_are_none_of_their_type(tmp_path):
    onnx = pytest.importorskip("onnx")
    source = paths.FIXTURES / "piper" / "single.onnx"
    shutil.copy(f"{source}.json", tmp_path / "v.onnx.json")
    for field, kind, values in (
        ("int32_data", onnx.TensorProto.UINT8, [300]),
        ("int32_data", onnx.TensorProto.FLOAT16, [-70000]),
        ("float_data", onnx.TensorProto.FLOAT, [1.0] * 3),
        ("raw_data", onnx.TensorProto.FLOAT, struct.pack("<3f", 1, 2, 3)),
    ):
        for dims in ([1], [-1], [2**62, 2**62], [1] * 40):
            model = onnx.load(source)
            tensor = next(entry for entry in model.graph.initializer if entry.name == "dec.conv_pre.bias")
            name = tensor.name
            tensor.Clear()
            tensor.name, tensor.data_type = name, kind
            tensor.dims.extend(dims)
            if field == "raw_data":
                tensor.raw_data = values
            else:
                getattr(tensor, field).extend(values)
            onnx.save_model(model, tmp_path / "v.onnx")
            with pytest.raises(CheckpointError):
                dict(open_checkpoint(tmp_path / "v.onnx").tensors)


def test_the_settings_of_others_may_be_anything(tmp_path):
    path = tmp_path / "v.onnx"
    shutil.copy(paths.FIXTURES / "piper" / "single.onnx", path)
    settings = json.loads((paths.FIXTURES / "piper" / "single.onnx.json").read_text())
    for name in settings:
        for value in (None, [], {}, "x", [[["x"]]], -1, 10**300, True):
            (tmp_path / "v.onnx.json").write_text(json.dumps(settings | {name: value}))
            with suppress(CheckpointError):
                open_checkpoint(path)
