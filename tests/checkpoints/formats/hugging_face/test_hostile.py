"""Folders that were tampered with, are damaged or incomplete: one clear error each, nothing written, nothing run."""

import json
import os
import shutil
import time

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from tests.checkpoints.formats.hugging_face.hugging_face_files import HUGGING_FACE, folder_copy, rewritten, safetensors

from voxgraft.checkpoints import open_checkpoint
from voxgraft.checkpoints.inspect import inspection_of
from voxgraft.errors import CheckpointError


def index_to(folder, shard):
    path = folder / "model.safetensors.index.json"
    places = json.loads(path.read_text())["weight_map"]
    return rewritten(path, weight_map=dict.fromkeys(places, shard))


@pytest.mark.parametrize("shard", ["../model.safetensors", "/etc/passwd", "a/b.safetensors", "..", "", "..\\x"])
def test_an_index_that_climbs_out(tmp_path, shard):
    folder = folder_copy("vits_speakers", tmp_path)
    shutil.copy(HUGGING_FACE / "vits" / "model.safetensors", tmp_path)
    index_to(folder, shard)
    with pytest.raises(CheckpointError, match="points out of its folder"):
        open_checkpoint(folder)


def test_a_shard_that_is_a_link_out_of_the_folder(tmp_path):
    folder = folder_copy("vits_speakers", tmp_path)
    shard = next(folder.glob("*-00001-*"))
    shard.rename(tmp_path / "elsewhere.safetensors")
    shard.symlink_to(tmp_path / "elsewhere.safetensors")
    with pytest.raises(CheckpointError, match="a shard is missing"):
        open_checkpoint(folder)


def test_a_missing_shard_and_a_tensor_in_the_wrong_one(tmp_path):
    folder = folder_copy("vits_speakers", tmp_path)
    index_to(folder, next(folder.glob("*-00002-*")).name)
    with pytest.raises(CheckpointError, match="not in the shard"):
        open_checkpoint(folder)
    index_to(folder, "model-00009-of-00009.safetensors")
    with pytest.raises(CheckpointError, match=r"shard is missing.*00009"):
        open_checkpoint(folder)


@pytest.mark.parametrize("places", [None, [], {"a": 1}, {"a": None}])
def test_an_index_without_places(tmp_path, places):
    folder = folder_copy("vits_speakers", tmp_path)
    rewritten(folder / "model.safetensors.index.json", weight_map=places)
    with pytest.raises(CheckpointError, match="weight_map"):
        open_checkpoint(folder)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("vocab.json", '{"a": 0, "b": 0}', "id 0 has two symbols"),
        ("vocab.json", '{"a": 0, "a": 1}', "twice"),
        ("vocab.json", '{"a": -1}', "not an id"),
        ("vocab.json", '{"a": "0"}', "not an id"),
        ("vocab.json", '{"a": true}', "not an id"),
        ("vocab.json", '{"a": 1e400}', "not an id"),
        ("vocab.json", "[]", "not a JSON object"),
        ("vocab.json", b"\xff\xfe", "UTF-8"),
        ("vocab.json", '{"a": ' + "[" * 100_000, "not JSON"),
        ("vocab.json", "", "not JSON"),
        ("tokenizer_config.json", '{"add_blank": "perhaps"}', "add_blank"),
        ("tokenizer_config.json", '{"language": 7}', "language"),
    ],
)
def test_vocabularies_that_cannot_be(tmp_path, name, content, words):
    folder = folder_copy("vits", tmp_path)
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(CheckpointError, match=words) as caught:
        open_checkpoint(folder)
    assert caught.value.file == str(folder / name)


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("vits", {"sampling_rate": 0}, "sampling_rate"),
        ("vits", {"speaking_rate": 0}, "speaking_rate"),
        ("vits", {"noise_scale": "loud"}, "noise_scale"),
        ("mms", {"conv_stride": [5, 2]}, "conv_stride"),
        ("mms", {"conv_stride": [0] * 7}, "conv_stride"),
        ("mms", {"num_attention_heads": 3}, "num_attention_heads"),
        ("mms", {"num_attention_heads": None}, "num_attention_heads"),
        ("whisper", {"encoder_attention_heads": 5}, "encoder_attention_heads"),
        ("parakeet", {"encoder_config": []}, "encoder_config"),
        ("parakeet", {"encoder_config": {"subsampling_conv_stride": 10**9}}, "subsampling_conv_stride"),
    ],
)
def test_settings_that_cannot_be(tmp_path, name, change, words):
    folder = folder_copy(name, tmp_path)
    rewritten(folder / "config.json", **change)
    with pytest.raises(CheckpointError, match=words):
        open_checkpoint(folder)


@pytest.mark.parametrize("name", ["vits", "mms", "xlsr", "whisper", "parakeet"])
@pytest.mark.parametrize("share", [0.0, 0.0001, 0.3, 0.99])
def test_weights_that_are_cut_off(tmp_path, name, share):
    folder = folder_copy(name, tmp_path)
    path = next(path for path in folder.iterdir() if path.name in ("model.safetensors", "pytorch_model.bin"))
    os.truncate(path, int(path.stat().st_size * share))
    before = sorted(folder.iterdir())
    with pytest.raises(CheckpointError):
        open_checkpoint(folder)
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize("name", ["vits", "mms", "whisper", "parakeet"])
def test_config_and_weights_of_different_models(tmp_path, name):
    folder = folder_copy(name, tmp_path)
    other = "parakeet" if name != "parakeet" else "whisper"
    shutil.copy(HUGGING_FACE / other / "model.safetensors", folder)
    with pytest.raises(CheckpointError) as caught:
        open_checkpoint(folder)
    assert "absent" in caught.value.summary or "complete" in caught.value.summary


def test_tensors_of_absurd_shapes(tmp_path):
    folder = folder_copy("whisper", tmp_path)
    tensors = load_file(folder / "model.safetensors")
    save_file(tensors | {"model.encoder.conv1.weight": np.zeros((0, 80, 3), np.float32)}, folder / "model.safetensors")
    with pytest.raises(CheckpointError, match=r"model\.encoder\.conv1\.weight"):
        open_checkpoint(folder)


def test_weights_that_are_no_numbers_are_told_by_inspect(tmp_path):
    folder = folder_copy("whisper", tmp_path)
    tensors = load_file(folder / "model.safetensors")
    tensors["model.encoder.conv1.bias"][3] = np.nan
    save_file(tensors, folder / "model.safetensors")
    assert inspection_of(open_checkpoint(folder))["unsound"] == {"model.encoder.conv1.bias": "1 NaN"}


def test_safetensors_without_a_config_say_what_is_missing(tmp_path):
    shutil.copy(HUGGING_FACE / "whisper" / "model.safetensors", tmp_path)
    with pytest.raises(CheckpointError) as caught:
        open_checkpoint(tmp_path / "model.safetensors")
    assert "config.json" in caught.value.remedy
    (tmp_path / "config.json").write_text('{"model": "vits"}')
    with pytest.raises(CheckpointError):
        open_checkpoint(tmp_path)


def test_a_config_without_weights(tmp_path):
    shutil.copy(HUGGING_FACE / "whisper" / "config.json", tmp_path)
    with pytest.raises(CheckpointError, match="folder with"):
        open_checkpoint(tmp_path)


def test_a_pickle_that_tries_to_run_code(tmp_path):
    torch = pytest.importorskip("torch")
    folder = folder_copy("xlsr", tmp_path)
    canary = tmp_path / "canary"

    class Gadget:
        def __reduce__(self):
            return os.mkdir, (str(canary),)

    weights = torch.load(folder / "pytorch_model.bin", weights_only=True)
    torch.save({**weights, "x": Gadget()}, folder / "pytorch_model.bin")
    checkpoint = open_checkpoint(folder)
    assert checkpoint.provenance.unsafe_globals == ("posix.mkdir",)
    assert any("posix.mkdir" in note for note in checkpoint.notes)
    assert not canary.exists()


def test_a_huge_model_opens_in_no_time(tmp_path):
    folder = folder_copy("whisper", tmp_path)
    raw = (folder / "model.safetensors").read_bytes()
    size = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8 : 8 + size])
    data, large = len(raw) - 8 - size, 2**30
    header["proj_out.weight"] = {"dtype": "F16", "shape": [large // 16, 8], "data_offsets": [data, data + large]}
    (folder / "model.safetensors").write_bytes(safetensors(header, raw[8 + size :]))
    os.truncate(folder / "model.safetensors", (folder / "model.safetensors").stat().st_size + large)
    started = time.process_time()
    assert open_checkpoint(folder).tensors.shapes["proj_out.weight"] == (large // 16, 8)
    assert time.process_time() - started < 20


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("<!doctype html><title>Sign in</title>", "a web page"),
        ("version https://git-lfs.github.com/spec/v1", "Git LFS"),
    ],
)
@pytest.mark.parametrize("name", ["mms", "vits"])
def test_what_was_saved_in_the_place_of_a_configuration_is_said(tmp_path, name, content, words):
    folder = folder_copy(name, tmp_path)
    (folder / "config.json").write_text(content)
    with pytest.raises(CheckpointError, match=f"config.json: not JSON but {words}|not JSON but .*{words}"):
        open_checkpoint(folder)
