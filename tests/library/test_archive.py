"""unpack: nothing outside the folder, nothing larger than it says."""

import stat
import zipfile

import pytest

from voxgraft.errors import CheckpointError
from voxgraft.library import archive
from voxgraft.library.archive import unpack


@pytest.fixture
def place(tmp_path):
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


def zipped(folder, **members):
    path = folder / "a.zip"
    with zipfile.ZipFile(path, "w") as file:
        for name, content in members.items():
            file.writestr(name, content)
    return path


def test_files_lie_flat_in_the_folder(tmp_path, place):
    unpack(zipped(tmp_path, **{"release/model.pth": b"x", "release/config.json": b"{}"}), place)
    assert {path.name: path.read_bytes() for path in place.iterdir()} == {"model.pth": b"x", "config.json": b"{}"}


@pytest.mark.parametrize(
    "members",
    [
        {"../x": b"x"},
        {"/etc/x": b"x"},
        {"a/../../x": b"x"},
        {"a/x": b"x", "b/x": b"x"},
        {"a\n.pth": b"x"},
        {"a:b": b"x"},
    ],
)
def test_what_climbs_out_or_collides_is_refused(tmp_path, place, members):
    with pytest.raises(CheckpointError):
        unpack(zipped(tmp_path, **members), place)
    assert list(place.iterdir()) == []
    assert not (tmp_path / "x").exists()


def test_links_are_left_out(tmp_path, place):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as file:
        link = zipfile.ZipInfo("link")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        file.writestr(link, "/etc/passwd")
        file.writestr("model.pth", b"x")
    unpack(path, place)
    assert [found.name for found in place.iterdir()] == ["model.pth"]


def test_too_much_is_refused_before_anything_is_written(tmp_path, place, monkeypatch):
    monkeypatch.setattr(archive, "_LARGEST", 10)
    with pytest.raises(CheckpointError, match="more than is allowed"):
        unpack(zipped(tmp_path, a=b"x" * 11), place)
    assert list(place.iterdir()) == []


@pytest.mark.parametrize("cut", [0, 1, 20, 40, -30, -5])
def test_damaged_archives(tmp_path, place, cut):
    path = zipped(tmp_path, a=b"x" * 1000)
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(CheckpointError, match="unpacked"):
        unpack(path, place)


def test_a_size_that_is_a_lie(tmp_path, place):
    path = zipped(tmp_path, a=b"x" * 1000)
    path.write_bytes(path.read_bytes().replace((1000).to_bytes(4, "little"), (100).to_bytes(4, "little")))
    with pytest.raises(CheckpointError):
        unpack(path, place)
