"""TensorFlow 1 saves: equal to what TensorFlow wrote; whatever else is in them, one clear error and no allocation."""

import contextlib
import os
import shutil
import tracemalloc

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ml_dtypes import bfloat16
from tests.checkpoints.fixture_files import DEEPSPEECH
from tests.checkpoints.tiny_bundle import HEADER, block, entry, masked, sealed, table, varint, write_bundle, write_index

from voxgraft.checkpoints.containers.tf_bundle.bundle import looks_like_index, names_in, read_bundle
from voxgraft.checkpoints.containers.tf_bundle.crc32c import masked_crc32c
from voxgraft.checkpoints.containers.tf_bundle.leveldb_table import read_table
from voxgraft.errors import CheckpointError

ENGLISH = DEEPSPEECH / "english"
INDEX = (ENGLISH / "best_dev-2.index").read_bytes()
DATA = (ENGLISH / "best_dev-2.data-00000-of-00001").read_bytes()
FOUR = np.float32(1).tobytes()


def put(folder, index=INDEX, data=DATA):
    (folder / "x.data-00000-of-00001").write_bytes(data)
    path = folder / "x.index"
    path.write_bytes(index)
    return path


def read_whole(path):
    return [tensor.load() for tensor in read_bundle(path).tensors.values()]


def fault_of(path):
    """The one error of a save, whose values are all read."""
    with pytest.raises(CheckpointError) as caught:
        read_whole(path)
    assert str(path.parent) in caught.value.summary
    assert caught.value.remedy
    return caught.value


def test_what_tensorflow_wrote():
    bundle = read_bundle(ENGLISH / "train-3.index")
    assert len(bundle.tensors) == 40
    assert [file.name for file in bundle.files] == ["train-3.index", "train-3.data-00000-of-00001"]
    assert bundle.tensors["global_step"].load() == np.int64(3)
    assert bundle.tensors["learning_rate"].load() == np.float32(0.001)
    assert bundle.tensors["layer_1/weights"].shape == (494, 8)
    assert bundle.tensors["beta1_power"].load() == pytest.approx(0.9**4)
    values = [tensor.load() for tensor in bundle.tensors.values()]
    assert sum(value.nbytes for value in values) == len(DATA)
    assert not any(value.flags.writeable for value in values)


def test_values_are_read_when_asked_for_and_from_the_map(tmp_path):
    index = write_bundle(tmp_path, {"w": np.zeros(2**20, np.float32)})
    tracemalloc.start()
    tensor = read_bundle(index).tensors["w"]
    assert tracemalloc.get_traced_memory()[1] < 2**18
    tracemalloc.stop()
    assert not tensor.load().flags.owndata


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64", "float16", "bool", bfloat16])
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3), (1, 0, 2)])
def test_types_and_shapes(tmp_path, dtype, shape):
    array = np.arange(np.prod(shape, dtype=int)).reshape(shape).astype(dtype)
    found = read_bundle(write_bundle(tmp_path, {"a": np.ones(1, np.float32), "b": array})).tensors["b"]
    assert found.shape == shape
    np.testing.assert_array_equal(found.load(), array)
    assert found.load().dtype == array.dtype


def test_big_endian_and_several_shards(tmp_path):
    first, second = np.arange(3, dtype=">f4"), np.arange(4, dtype=">i8")
    (tmp_path / "m.data-00000-of-00002").write_bytes(first.tobytes())
    (tmp_path / "m.data-00001-of-00002").write_bytes(b"pad!" + second.tobytes())
    entries = [
        (b"", b"\x08\x02\x10\x01"),
        (b"a", entry(1, (3,), size=12, crc=masked(first.tobytes()))),
        (b"b", entry(9, (4,), 1, 4, 32, masked(second.tobytes()))),
    ]
    tensors = read_bundle(write_index(tmp_path, entries, "m")).tensors
    np.testing.assert_array_equal(tensors["a"].load(), [0, 1, 2])
    np.testing.assert_array_equal(tensors["b"].load(), [0, 1, 2, 3])
    assert tensors["b"].load().dtype.isnative


def test_many_blocks_and_restart_points(tmp_path):
    names = [f"layer_{number:04d}/weights".encode() for number in range(300)]
    raw = np.float32(1).tobytes()
    (tmp_path / "m.data-00000-of-00001").write_bytes(raw)
    entries = [(b"", HEADER)] + [(name, entry(crc=masked(raw))) for name in names]
    index = tmp_path / "m.index"
    index.write_bytes(table([block(entries[k : k + 20], restarts=(0, 3)) for k in range(0, 301, 20)]))
    assert set(read_bundle(index).tensors) == {name.decode() for name in names} == names_in(index)


@pytest.mark.parametrize(("data", "crc"), [(b"123456789", 0xE3069283), (b"", 0), (bytes(32), 0x8A9136AA)])
def test_the_checksum_is_castagnolis(data, crc):
    # RFC 3720, B.4, and the check value of the catalogue of CRCs.
    assert masked_crc32c(data, (0, len(data))) == (((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def test_the_checksum_goes_on_from_piece_to_piece():
    data = os.urandom(2**21 + 12345)
    assert masked_crc32c(b"xx" + data + b"y", (2, 2 + len(data))) == masked(data)


def test_an_index_cut_off_anywhere(tmp_path):
    for cut in range(len(INDEX)):
        fault_of(put(tmp_path, INDEX[:cut]))


def test_values_cut_off_anywhere(tmp_path):
    ends = sorted({0, 1, len(DATA) // 2, len(DATA) - 1, len(DATA) - 4, len(DATA) - 5})
    for cut in ends:
        fault = fault_of(put(tmp_path, data=DATA[:cut]))
        assert "cut off" in fault.problem
        assert fault.got == cut


@given(st.integers(0, len(INDEX) - 1), st.integers(1, 255))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_flipped_byte_of_the_index_is_found(tmp_path, place, bits):
    raw = bytearray(INDEX)
    raw[place] ^= bits
    # The footer's filling is the only part that no checksum, length or magic number covers.
    if place in range(len(INDEX) - 48, len(INDEX) - 8) and not INDEX[place]:
        return
    fault_of(put(tmp_path, bytes(raw)))


@given(st.integers(0, len(DATA) - 1), st.integers(1, 255))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_flipped_byte_of_the_values_is_found_when_they_are_read(tmp_path, place, bits):
    raw = bytearray(DATA)
    raw[place] ^= bits
    assert "damaged" in fault_of(put(tmp_path, data=bytes(raw))).problem


@given(st.binary(max_size=300))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_block_that_is_sealed_right_is_a_table_or_refused(tmp_path, content):
    with contextlib.suppress(CheckpointError):
        assert all(0 <= start <= end for start, end in read_table(table([content])).values())
    (tmp_path / "train-1.data-00000-of-00001").write_bytes(FOUR)
    with contextlib.suppress(CheckpointError):
        read_whole(write_index(tmp_path, [(b"", HEADER), (b"a", content)]))


@pytest.mark.parametrize(
    ("hostile", "words"),
    [
        ({"shape": (2**40, 2**40), "size": 2**40}, "contradict"),
        ({"shape": (2**47, 2**47, 2**47), "size": 0}, "contradict"),
        ({"shape": (2**20, 2**20), "size": 2**42}, "cut off"),
        ({"shape": (2**48,), "size": 4}, "impossible shape"),
        ({"shape": (-1,), "size": 4}, "impossible shape"),
        ({"shape": (1,) * 65, "size": 4}, "impossible shape"),
        ({"shape": (2,), "size": 4}, "contradict"),
        ({"size": 8}, "contradict"),
        ({"size": -4}, "contradict"),
        ({"offset": 1}, "cut off"),
        ({"offset": 2**63}, "cut off"),
        ({"offset": -1}, "cut off"),
        ({"shard": 1}, "does not have"),
        ({"shard": -1}, "does not have"),
        ({"dtype": 0}, "type"),
        ({"dtype": 7}, "string"),
        ({"dtype": 99}, "type 99"),
        ({"crc": 5}, "damaged"),
        ({"extra": b"\x3a\x00"}, "slices"),
        ({"extra": b"\x42\x05"}, "reaches beyond"),
        ({"extra": b"\xff" * 11}, "cut off"),
        ({"extra": b"\x12\x02\x18\x01"}, "unknown shape"),
        ({"extra": b"\x00"}, "number 0"),
    ],
)
def test_what_a_hostile_entry_says_is_refused_before_anything_is_allocated(tmp_path, hostile, words):
    (tmp_path / "train-1.data-00000-of-00001").write_bytes(FOUR)
    tracemalloc.start()
    fault = fault_of(write_index(tmp_path, [(b"", HEADER), (b"w", entry(**{"crc": masked(FOUR)} | hostile))]))
    assert tracemalloc.get_traced_memory()[1] < 2**20
    tracemalloc.stop()
    assert words in fault.summary
    assert fault.field in ("w", None)


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ([], "no header"),
        ([(b"w", entry())], "no header"),
        ([(b"", b"")], "header"),
        ([(b"", b"\x08\x00")], "header"),
        ([(b"", b"\x08\x90\x4f")], "header"),
        ([(b"", b"\x08\x01\x10\x02")], "header"),
        ([(b"", b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")], "header"),
        ([(b"", HEADER), (b"w", entry(crc=masked(FOUR))), (b"w", entry(crc=masked(FOUR)))], "twice"),
        ([(b"", HEADER), (b"w", entry()), (b"v", entry())], "not sorted"),
        ([(b"", HEADER), (b"\xff\xfe", entry(crc=masked(FOUR)))], "UTF-8"),
        ([(b"", HEADER), (b"w" * 1025, entry(crc=masked(FOUR)))], "impossible lengths"),
        ([(b"", HEADER.replace(b"\x08\x01", b"\x08\x02", 1))], "not there"),
    ],
)
def test_impossible_tables(tmp_path, entries, words):
    (tmp_path / "train-1.data-00000-of-00001").write_bytes(FOUR)
    assert words in fault_of(write_index(tmp_path, entries)).summary


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "restart"),
        (b"\xff\xff\xff\xff", "restart"),
        (b"\x05\x01\x00a" + bytes(4) + b"\x01\0\0\0", "impossible lengths"),
        (b"\x00\x7f\x00a" + bytes(4) + b"\x01\0\0\0", "impossible lengths"),
        (b"\x00\x01\x7fa" + bytes(4) + b"\x01\0\0\0", "impossible lengths"),
        (b"\x00" + b"\xff" * 9 + b"\x7f\x00" + bytes(4) + b"\x01\0\0\0", "impossible lengths"),
        (b"\x00" + b"\xff" * 10 + b"\x7f\x00" + bytes(4) + b"\x01\0\0\0", "number is cut off"),
    ],
)
def test_impossible_blocks(tmp_path, content, words):
    path = put(tmp_path, table([content]))
    assert words in fault_of(path).summary


@pytest.mark.parametrize(("kind", "words"), [(1, "snappy"), (2, "zstd"), (77, "type 77")])
def test_compression_is_refused_by_name(tmp_path, kind, words):
    fault = fault_of(put(tmp_path, table([block([(b"", HEADER)])], kind)))
    assert "compressed" in fault.problem
    assert fault.got == words


def test_a_handle_that_leaves_the_file(tmp_path):
    index = sealed(block([(b"a", varint(2**62) + varint(2**62))]))
    out = sealed(block([])) + index
    footer = varint(0) + varint(8) + varint(13) + varint(len(index) - 5)
    path = put(tmp_path, out + footer.ljust(40, b"\0") + INDEX[-8:])
    assert "beyond the end" in fault_of(path).summary


def test_more_entries_than_any_model_has(tmp_path):
    keys = [(b"%07d" % number, b"") for number in range(100_001)]
    with pytest.raises(CheckpointError, match="more fields"):
        read_table(table([block(keys)]))


def test_an_index_that_is_far_too_large_is_not_read(tmp_path):
    path = put(tmp_path)
    os.truncate(path, 65 * 2**20)
    assert "far too large" in fault_of(path).problem


def test_a_shard_that_is_gone_a_folder_or_a_link_out_of_the_folder(tmp_path):
    inside, outside = tmp_path / "in", tmp_path / "secret"
    inside.mkdir()
    path = put(inside)
    shard = inside / "x.data-00000-of-00001"
    shutil.move(shard, outside)
    assert "not there" in fault_of(path).problem
    shard.symlink_to(outside)
    assert "link out of the folder" in fault_of(path).problem
    shard.unlink()
    shard.mkdir()
    assert "not there" in fault_of(path).problem
    shard.rmdir()
    (inside / "kept").write_bytes(DATA)
    shard.symlink_to("kept")
    assert len(read_bundle(path).tensors) == 40


def test_an_index_under_another_name(tmp_path):
    path = put(tmp_path).rename(tmp_path / "model.bin")
    assert looks_like_index(path.read_bytes())
    assert "NAME.index" in fault_of(path).summary
