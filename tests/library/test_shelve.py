"""shelve: what goes into the library is described by its content."""

import json

import pytest
from tests.checkpoints.fixture_files import PIPER, copied

from voxgraft.checkpoints import open_checkpoint
from voxgraft.errors import CheckpointError
from voxgraft.library.resolve import resolve
from voxgraft.library.shelve import Stated, shelve
from voxgraft.library.store import Library

GERMAN = Stated(language="de", voice_type="F")


@pytest.fixture
def library(tmp_path, monkeypatch):
    monkeypatch.setenv("VOXGRAFT_HOME", str(tmp_path / "home"))
    return Library()


def test_an_exported_voice_with_its_configuration(library):
    done = shelve(PIPER / "single.onnx", library, Stated(voice_type="F"))
    entry = done.entry
    assert entry.name == "tts_models/en-us/single/vits-onnx"
    assert (str(entry.slot), entry.sample_rate, entry.main) == ("en-us F ?", 16000, "single.onnx")
    assert [file.name for file in entry.files] == ["single.onnx", "single.onnx.json"]
    assert "posterior encoder" in entry.missing
    assert open_checkpoint(library.path(entry)).provenance.sha256 == entry.sha256
    assert (PIPER / "single.onnx").exists()
    assert resolve("en-us/single") == library.path(entry)


def test_a_checkpoint_of_any_name_is_named_after_its_content(library, tmp_path):
    for name in ("john-2599.ckpt", "lj-med_1000.ckpt", "noext", "epoch=5-step=700.ckpt"):
        done = shelve(copied("single.ckpt", tmp_path, name), library, GERMAN)
        assert done.entry.main == "epoch=7-step=1234.ckpt"
        assert (done.entry.epoch, done.entry.step) == (7, 1234)
    assert any("its name says epoch 5, step 700; its content 7, 1234, and wins" in remark for remark in done.remarks)
    assert done.entry.sample_rate == 16000


def without_counters(path):
    """A checkpoint that holds a model and nothing about its training."""
    import torch

    content = torch.load(PIPER / "single.ckpt", map_location="cpu", weights_only=False)
    torch.save({"state_dict": content["state_dict"], "hyper_parameters": dict(content["hyper_parameters"])}, path)
    return path


@pytest.mark.parametrize(
    ("name", "expected", "said"),
    [
        ("epoch=5-step=700.ckpt", "epoch=5-step=700.ckpt", False),
        ("john-2599.ckpt", "epoch=0-step=0.ckpt", True),
        ("epoch=5-step=700-v1.ckpt", "epoch=0-step=0.ckpt", True),
    ],
)
def test_a_name_counts_where_the_content_is_silent_and_says_both(library, tmp_path, name, expected, said):
    pytest.importorskip("torch")
    done = shelve(without_counters(tmp_path / name), library, GERMAN)
    assert done.entry.main == expected
    assert any("it is named epoch=0-step=0" in remark for remark in done.remarks) == said


def test_only_what_can_not_be_known_must_be_said(library):
    with pytest.raises(CheckpointError, match="which language") as caught:
        shelve(PIPER / "single.ckpt", library)
    assert "--language" in caught.value.remedy
    assert library.entries() == []
    done = shelve(PIPER / "single.ckpt", library, Stated(language="de_DE"))
    assert done.entry.slot.language == "de-de"
    assert any("--voice-type" in remark for remark in done.remarks)
    assert shelve(PIPER / "multi.onnx", library).entry.slot.voice_type == "other", "it has several speakers"


def test_a_voice_type_that_the_catalogue_knows(library, tmp_path):
    voice = copied("single.onnx", tmp_path)
    config = json.loads((tmp_path / "single.onnx.json").read_text())
    (tmp_path / "single.onnx.json").write_text(
        json.dumps(config | {"dataset": "joe", "language": {"code": "en_US"}, "espeak": {"voice": "en-us"}})
    )
    entry = shelve(voice, library).entry
    assert (entry.name, entry.slot.voice_type) == ("tts_models/en-us/joe/vits-onnx", "M")


def test_a_folder_named_as_coqui_names_them_keeps_its_name(library, tmp_path):
    folder = tmp_path / "tts_models--en--mine--vits"
    folder.mkdir()
    copied("single.onnx", folder)
    assert shelve(folder, library).entry.name == "tts_models/en/mine/vits"


def test_the_first_of_two_of_one_name_stays(library):
    first = shelve(PIPER / "single.ckpt", library, GERMAN).entry
    other = shelve(PIPER / "slim_bf16.ckpt", library, Stated(name=first.name, language="de")).entry
    assert other.name == f"{first.name}-2"
    assert shelve(
        PIPER / "stream.ckpt", library, Stated(name=first.name, language="de"), replacing=True
    ).entry.name == (first.name)


def test_a_file_that_changes_while_it_is_copied_is_refused(library, tmp_path, monkeypatch):
    from voxgraft.library import shelve as module

    path = copied("single.ckpt", tmp_path)

    def copy_another(source, target):
        target.write_bytes((PIPER / "stream.ckpt" if source == path else source).read_bytes())

    monkeypatch.setattr(module.shutil, "copyfile", copy_another)
    with pytest.raises(CheckpointError, match="changed while it was copied"):
        shelve(path, library, GERMAN)
    assert library.entries() == []
    assert list((library.folder / "staging").iterdir()) == []


def test_a_full_disk_is_said_before(library, monkeypatch):
    from voxgraft.library import shelve as module

    class Full:
        free = 10

    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: Full)
    with pytest.raises(CheckpointError, match="are free"):
        shelve(PIPER / "single.ckpt", library, GERMAN)


@pytest.mark.parametrize("content", [b"", b"<html>", b"PK\x03\x04rubbish"])
def test_what_is_no_checkpoint_is_not_added(library, tmp_path, content):
    (tmp_path / "x.ckpt").write_bytes(content)
    with pytest.raises(CheckpointError):
        shelve(tmp_path / "x.ckpt", library, GERMAN)
    assert library.entries() == []


FIXTURES = PIPER.parent


@pytest.mark.parametrize(
    ("path", "name", "main"),
    [
        ("coqui_tts/vits", "tts_models/de/vits/vits", None),
        ("coqui_tts/glow_tts.pth", "tts_models/de/glow_tts/glow-tts", "epoch=7-step=1234.ckpt"),
        ("everyvoice/text-to-spec.ckpt", "tts_models/de/YourDataSet/fastspeech2", "epoch=3-step=3.ckpt"),
        ("tts_framework/acoustic.pt", "tts_models/de/acoustic/delightful", "epoch=0-step=400.ckpt"),
        ("deepspeech/english", "stt_models/de/english/deepspeech", None),
        ("deepspeech/english/train-3.index", "stt_models/de/train-3/deepspeech", "train-3.index"),
        ("hugging_face/whisper", "stt_models/de/whisper/whisper", None),
        ("vits_original/vctk/G_10.pth", "tts_models/de/G_10/vits", "G_10.pth"),
    ],
)
def test_what_every_ecosystem_made(library, path, name, main):
    entry = shelve(FIXTURES / path, library, Stated(language="de")).entry
    assert (entry.name, entry.main) == (name, main)
    kept, given = open_checkpoint(library.path(entry)), open_checkpoint(FIXTURES / path)
    assert kept.tensors.shapes == given.tensors.shapes
    assert kept.symbols == given.symbols
    assert library.verify(entry) == []


def test_a_file_that_is_nothing_without_its_folder(library):
    with pytest.raises(CheckpointError, match="needs other files") as caught:
        shelve(FIXTURES / "hugging_face" / "mms" / "adapter.eng.safetensors", library, Stated(language="en"))
    assert "Add the folder" in caught.value.remedy
    assert library.entries() == []
