"""open_checkpoint: content decides, damage is one clear error, nothing on disk changes."""

import gzip
import os
import pickle
import random
from importlib import metadata

import pytest
from tests.checkpoints.fixture_files import PIPER, copied

from voxgraft.checkpoints import Checkpoint, Provenance, Reader, open_checkpoint
from voxgraft.errors import CheckpointError


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "never downloaded"),
        (b"<!DOCTYPE html><html>404", "download failed"),
        (b'{"audio": {}}', "JSON"),
        (gzip.compress(b"x" * 100, mtime=0), "gzip"),
        (b"RIFF\x00\x00\x00\x00WAVE", "recording"),
        (b"just a text", "text"),
        (b"\x93\x01\xfe" + bytes(100), "checkpoint"),
        (b"\x08\x08", "checkpoint"),
        (b"PK\x03\x04", "damaged"),
        (b"PK\x05\x06" + bytes(18), r"torch\.save didn't write"),
        (b"\x80\x02.", "damaged"),
        (pickle.dumps({"a": 1}), "plain pickle"),
    ],
)
def test_what_is_no_checkpoint_is_told_apart(tmp_path, content, words):
    path = tmp_path / "voice.ckpt"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=words) as caught:
        open_checkpoint(path)
    assert str(path) in caught.value.summary
    assert caught.value.remedy
    assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


def test_absent_files_and_folders(tmp_path):
    with pytest.raises(CheckpointError, match="no such file"):
        open_checkpoint(tmp_path / "x")
    with pytest.raises(CheckpointError, match="folder"):
        open_checkpoint(tmp_path)


class Gadget:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_a_voice_with_a_gadget_opens_inert_and_says_so(tmp_path):
    torch = pytest.importorskip("torch")
    canary, path = tmp_path / "canary", tmp_path / "x.ckpt"
    content = torch.load(PIPER / "single.ckpt", weights_only=True)
    torch.save(content | {"callbacks": {"x": Gadget(canary)}}, path)
    checkpoint = open_checkpoint(path)
    assert checkpoint.tensors["enc_p.emb.weight"].shape == (256, 8)
    assert checkpoint.provenance.unsafe_globals == ("posix.mkdir",)
    assert any("posix.mkdir" in note and str(canary) in note for note in checkpoint.notes)
    assert not canary.exists()
    torch.save({"weights": Gadget(canary)}, path)
    with pytest.raises(CheckpointError, match=r"naive loader would have run posix\.mkdir"):
        open_checkpoint(path)
    assert not canary.exists()


@pytest.mark.parametrize("name", ["single.ckpt", "stream.ckpt", "single.onnx"])
def test_a_mangled_file_opens_or_is_refused_and_nothing_else(tmp_path, name):
    source = (PIPER / name).read_bytes()
    path = copied(name, tmp_path)
    dice = random.Random(name)
    # Most bytes are weights, which may hold anything: aim at the ends and at the names, too.
    places = [*range(0, 4000, 7), *range(len(source) - 4000, len(source), 7)]
    refused = 0
    for _ in range(30):
        raw = bytearray(source)
        for _ in range(dice.randrange(1, 6)):
            raw[dice.choice(places) if dice.random() < 0.8 else dice.randrange(len(raw))] = dice.randrange(256)
        path.write_bytes(raw)
        try:
            checkpoint = open_checkpoint(path)
            for tensor in checkpoint.tensors:
                checkpoint.tensors[tensor].shape  # noqa: B018 - reading it is the test
        except CheckpointError:
            refused += 1
    assert refused


def test_a_third_party_adds_a_reader(tmp_path, monkeypatch):
    def read(candidate):
        return Checkpoint("mine", {}, {}, Provenance(candidate.path, "mine", candidate.sha256))

    reader = Reader("mine", "my files", lambda candidate: candidate.head.startswith(b"MINE"), read)

    class Entry:
        def load(self):
            return reader

    monkeypatch.setattr(metadata, "entry_points", lambda group: [Entry()] if group == "voxgraft.readers" else [])
    path = tmp_path / "x.mine"
    path.write_bytes(b"MINE")
    assert open_checkpoint(path).family == "mine"
    path.write_bytes(b"YOURS")
    with pytest.raises(CheckpointError, match="my files"):
        open_checkpoint(path)
