"""resolve: files, folders, library entries and installed voices, and near matches where there is none."""

import os
import shutil

import pytest
from tests.checkpoints.fixture_files import PIPER, copied

from voxgraft.checkpoints import open_checkpoint
from voxgraft.errors import CheckpointError
from voxgraft.library.resolve import resolve


def test_a_file_is_itself():
    assert resolve(PIPER / "single.onnx") == PIPER / "single.onnx"
    assert resolve(str(PIPER / "single.ckpt")) == PIPER / "single.ckpt"


def test_a_folder_with_one_voice(tmp_path):
    voice = copied("single.onnx", tmp_path)
    assert resolve(tmp_path) == voice
    trained = copied("single.ckpt", tmp_path)
    assert resolve(tmp_path) == trained, "a training checkpoint holds more than the voice that was exported from it"
    copied("high.ckpt", tmp_path)
    with pytest.raises(CheckpointError, match=r"2 voices: high\.ckpt, single\.ckpt"):
        resolve(tmp_path)


def test_an_empty_folder(tmp_path):
    with pytest.raises(CheckpointError, match="holds no voice"):
        resolve(tmp_path)


def test_library_entries(tmp_path, monkeypatch):
    monkeypatch.setenv("VOXGRAFT_HOME", str(tmp_path))
    entry = tmp_path / "library" / "ada"
    entry.mkdir(parents=True)
    voice = copied("single.onnx", entry)
    assert resolve("ada") == voice
    with pytest.raises(CheckpointError) as caught:
        resolve("adda")
    assert "Did you mean ada?" in caught.value.remedy


@pytest.mark.parametrize("name", ["../library/ada", "..", ".", "", "a/b", "x\0y"])
def test_a_name_never_leaves_the_library(tmp_path, monkeypatch, name):
    monkeypatch.setenv("VOXGRAFT_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "library" / "ada").mkdir(parents=True)
    with pytest.raises(CheckpointError):
        resolve(name)


def fake_package(site, name, voices):
    module = name.replace("-", "_")
    info, data = site / f"{module}-1.0.dist-info", site / module / "data"
    info.mkdir(parents=True)
    data.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.4\nName: {name}\nVersion: 1.0\nLicense-Expression: CC0-1.0\n")
    files = []
    for voice in voices:
        for ending in (".onnx", ".onnx.json"):
            shutil.copy(PIPER / f"single{ending}", data / f"{voice}{ending}")
            files.append(f"{module}/data/{voice}{ending},,")
    (info / "RECORD").write_text("\n".join(files))
    return data


@pytest.mark.parametrize("name", ["my-piper-voice", "my_piper_voice", "xx_YY-mine-low"])
def test_installed_voices(tmp_path, monkeypatch, name):
    data = fake_package(tmp_path, "my-piper-voice", ["xx_YY-mine-low"])
    monkeypatch.syspath_prepend(str(tmp_path))
    assert resolve(name) == data / "xx_YY-mine-low.onnx"


def test_a_package_with_several_voices_wants_one_named(tmp_path, monkeypatch):
    data = fake_package(tmp_path, "my-voices", ["xx_YY-a-low", "xx_YY-b-low"])
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(CheckpointError, match="2 voices"):
        resolve("my-voices")
    assert resolve("xx_YY-b-low") == data / "xx_YY-b-low.onnx"


def test_near_matches_of_files(tmp_path):
    copied("single.ckpt", tmp_path)
    with pytest.raises(CheckpointError) as caught:
        resolve(tmp_path / "singel.ckpt")
    assert str(tmp_path / "single.ckpt") in caught.value.remedy


def test_a_pipe_is_told_by_whoever_opens_it(tmp_path):
    pipe = tmp_path / "pipe.ckpt"
    os.mkfifo(pipe)
    with pytest.raises(CheckpointError, match="pipe") as caught:
        open_checkpoint(resolve(pipe))
    assert "no such file" not in caught.value.summary
