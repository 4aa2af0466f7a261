"""A flipped bit is noticed wherever a file carries checksums: by whoever reads the values, and before a run goes on."""

import io
import json
import shutil
import tarfile
import zipfile
from pathlib import Path

import pytest
from tests import paths
from tests.checkpoints.formats.nemo.test_reader import archive
from typer.testing import CliRunner

from voxgraft.checkpoints import open_checkpoint
from voxgraft.checkpoints.containers.torch.unpickle import read_torch_file, require_undamaged
from voxgraft.checkpoints.inspect import inspection_of
from voxgraft.cli.main import app
from voxgraft.errors import CheckpointError

torch = pytest.importorskip("torch")

FIXTURES = paths.FIXTURES
ZIPS = [
    "piper/single.ckpt",
    "everyvoice/text-to-spec.ckpt",
    "tts_framework/univnet.ckpt",
    "vits_original/ljs/G_0.pth",
]


def members(path: Path, start: int = 0) -> list[tuple[zipfile.ZipInfo, int]]:
    """Entries of a zip file with values of tensors, largest first, and where their bytes begin."""
    raw = path.read_bytes()[start:]
    with zipfile.ZipFile(io.BytesIO(raw)) as file:
        entries = [entry for entry in file.infolist() if "/data/" in entry.filename and entry.file_size]
    placed = []
    for entry in sorted(entries, key=lambda entry: -entry.file_size):
        head = entry.header_offset
        sizes = int.from_bytes(raw[head + 26 : head + 28], "little") + int.from_bytes(
            raw[head + 28 : head + 30], "little"
        )
        placed.append((entry, start + head + 30 + sizes))
    return placed


def flip(path: Path, at: int) -> None:
    raw = bytearray(path.read_bytes())
    raw[at] ^= 1
    path.write_bytes(raw)


@pytest.mark.parametrize("fixture", ZIPS)
def test_a_flipped_bit_of_a_weight(fixture, tmp_path):
    path = tmp_path / Path(fixture).name
    shutil.copy(FIXTURES / fixture, path)
    named = {tensor.storage.key: name for name, tensor in tensors_of(read_torch_file(path).content)}
    for entry, start in members(path):
        if entry.filename.rpartition("/")[2] in named:
            flip(path, start + entry.file_size // 2)
            break
    checkpoint = open_checkpoint(path)
    with pytest.raises(CheckpointError, match="checksum of these values is wrong") as caught:
        inspection_of(checkpoint)
    assert caught.value.field in checkpoint.tensors
    assert caught.value.file == str(path)
    assert "download it again" in caught.value.remedy
    told = CliRunner().invoke(app, ["inspect", str(path)])
    assert told.exit_code != 0


def tensors_of(content):
    for key in ("state_dict", "model"):
        if isinstance(content.get(key), dict):
            yield from ((name, tensor) for name, tensor in content[key].items() if hasattr(tensor, "storage"))


def test_a_flipped_bit_in_an_archive_of_nemo(tmp_path):
    path = tmp_path / "m.nemo"
    archive(path)
    with tarfile.open(path) as tar:
        weights = next(entry for entry in tar if entry.name.endswith("model_weights.ckpt"))
    entry, start = members(path, weights.offset_data)[2]
    flip(path, start + entry.file_size // 2)
    with pytest.raises(CheckpointError, match="checksum"):
        inspection_of(open_checkpoint(path))


def test_a_flipped_bit_in_the_header_of_an_archive(tmp_path):
    path = tmp_path / "m.nemo"
    archive(path)
    flip(path, 100)
    with pytest.raises(CheckpointError, match="wrong checksum"):
        open_checkpoint(path)


def test_a_flipped_bit_of_a_bundle(tmp_path):
    source = next((FIXTURES / "deepspeech" / "english").rglob("*.data-*"))
    folder = tmp_path / "run"
    shutil.copytree(FIXTURES / "deepspeech" / "english", folder)
    path = folder / source.relative_to(FIXTURES / "deepspeech" / "english")
    size = path.stat().st_size
    for at in range(size // 20, size, size // 10):
        flip(path, at)
    with pytest.raises(CheckpointError, match="damaged"):
        inspection_of(open_checkpoint(path.parent))


def test_the_pickle_itself(tmp_path):
    path = tmp_path / "v.ckpt"
    shutil.copy(FIXTURES / "piper" / "single.ckpt", path)
    with zipfile.ZipFile(path) as file:
        entry = next(entry for entry in file.infolist() if entry.filename.endswith("data.pkl"))
    flip(path, entry.header_offset + 200)
    with pytest.raises(CheckpointError, match="damaged") as caught:
        open_checkpoint(path)
    assert caught.value.file == str(path)


def test_a_file_that_was_written_without_checksums_is_read(tmp_path):
    torch.serialization.set_crc32_options(False)
    try:
        torch.save(torch.load(FIXTURES / "piper" / "single.ckpt", weights_only=False), tmp_path / "v.ckpt")
    finally:
        torch.serialization.set_crc32_options(True)
    assert not inspection_of(open_checkpoint(tmp_path / "v.ckpt"))["unsound"]
    require_undamaged(tmp_path / "v.ckpt")


def test_every_member_is_compared_before_a_run_goes_on(tmp_path):
    source = tmp_path / "whole.ckpt"
    torch.save({"a": torch.ones(100), "optimizer": {"b": torch.ones(50)}}, source)
    require_undamaged(source)
    for entry, start in members(source):
        path = tmp_path / "flipped.ckpt"
        shutil.copy(source, path)
        flip(path, start + 7)
        with pytest.raises(CheckpointError, match="checksum") as caught:
            require_undamaged(path)
        assert caught.value.field == entry.filename


def test_the_older_stream_has_no_checksums(tmp_path):
    torch.save({"a": torch.ones(100)}, tmp_path / "s.pt", _use_new_zipfile_serialization=False)
    require_undamaged(tmp_path / "s.pt")
    (tmp_path / "x.json").write_text(json.dumps({}))
    require_undamaged(tmp_path / "x.json")
