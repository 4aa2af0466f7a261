"""A voice pack: everything that the next owner needs."""

from __future__ import annotations

import zipfile

import numpy as np
import pytest
from tests.export.piper.tiny_voice import TINY, tiny_metadata, tiny_vits

from voxgraft.checkpoints import open_checkpoint
from voxgraft.errors import ExportError
from voxgraft.export import pack as pack_module
from voxgraft.export.card import score_table, voice_card
from voxgraft.export.pack import write_pack
from voxgraft.export.piper.load import Loaded
from voxgraft.export.piper.metadata import metadata_of
from voxgraft.files import sha256_of
from voxgraft.inference.voice.voice import Voice

ARCHITECTURE = TINY | {"speakers": 1, "gin_channels": 0, "stochastic_duration": True}
SCORES = {
    "base": {"cer": [0.043, 0.03, 0.06], "speaker_similarity": [0.49, 0.47, 0.51], "mcd": None},
    "result": {"cer": [0.078, 0.06, 0.1], "speaker_similarity": [0.71, 0.69, 0.73], "mcd": None},
    "recordings": None,
}


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    """(pack, the model in it)."""
    model = tiny_vits()
    folder = tmp_path_factory.mktemp("packs")
    loaded = Loaded(model, frozenset())
    return write_pack(loaded, tiny_metadata(), ARCHITECTURE, folder, scores=SCORES, archive=True), model


def test_holds_everything(packed):
    pack, _ = packed
    assert sorted(file.name for file in pack.folder.iterdir()) == [
        "card.md",
        "en_US-tiny-low.onnx",
        "en_US-tiny-low.onnx.json",
        "en_US-tiny-low.safetensors",
        "tokens.txt",
    ]
    assert Voice.load(pack.voice).sample_rate == 16000


def test_weights_are_a_whole_base(packed):
    pack, model = packed
    checkpoint = open_checkpoint(pack.folder / "en_US-tiny-low.safetensors")
    state = model.state_dict()
    assert set(checkpoint.tensors) == set(state)
    for name in state:
        np.testing.assert_array_equal(np.asarray(checkpoint.tensors[name]), state[name].numpy())
    assert metadata_of(checkpoint).corpus_sha256 == "cd" * 32


def test_what_was_never_learned_stays_out(tmp_path):
    model = tiny_vits()
    absent = frozenset(name for name in model.state_dict() if name.startswith("enc_q."))
    pack = write_pack(Loaded(model, absent), tiny_metadata(), ARCHITECTURE, tmp_path)
    checkpoint = open_checkpoint(pack.folder / "en_US-tiny-low.safetensors")
    assert not any(name.startswith("enc_q.") for name in checkpoint.tensors)
    assert checkpoint.missing
    assert pack.archive is None


def test_card_says_where_it_comes_from(packed):
    card = (packed[0].folder / "card.md").read_text("utf-8")
    for fact in (
        "* License: CC0, CC-BY-SA-3.0",
        "* Base: en_US-joe-medium.onnx",
        f"* SHA-256 of the base: {'ab' * 32}",
        "* Licence of the base: CC0",
        f"* SHA-256 of the corpus: {'cd' * 32}",
        "* Consent of the speaker: given in writing",
        "| CER, % | lower | 4.3 (3.0–6.0) | 7.8 (6.0–10.0) |",
        "| speaker similarity | higher | 0.49 (0.47–0.51) | 0.71 (0.69–0.73) |",
    ):
        assert fact in card
    assert "MCD" not in card


def test_card_says_what_nobody_stated():
    card = voice_card(tiny_metadata(consent=None, licences=(), base=None))
    assert "* Consent of the speaker: not stated" in card
    assert "* License: not stated" in card
    assert "trained from scratch" in card
    assert "Not measured." in card


def test_consent_cannot_break_the_card():
    card = voice_card(tiny_metadata(consent="yes\n# Fake heading\n\n* License: mine"))
    assert "\n# Fake heading" not in card


@pytest.mark.parametrize("value", ["high", [1, 2], [[1], 2, 3], {"a": 1}, [None, 1, 2]])
def test_scores_of_another_form_are_refused(value):
    with pytest.raises(ExportError, match="not scores"):
        score_table({"result": {"cer": value}})


def test_licence_on_the_card_is_read_back(packed):
    assert open_checkpoint(packed[0].voice).provenance.licence == "CC0, CC-BY-SA-3.0"


def test_archive_depends_on_the_files_alone(packed, tmp_path):
    pack, _ = packed
    names = [file.name for file in pack.files]
    first = sha256_of(pack.archive)
    for file in pack.files:
        file.touch()
    pack_module.archive_of(pack.folder, names)
    assert sha256_of(pack.archive) == first
    with zipfile.ZipFile(pack.archive) as archive:
        assert archive.namelist() == [f"en_US-tiny-low/{name}" for name in sorted(names)]
        archive.extractall(tmp_path)
    assert Voice.load(tmp_path / "en_US-tiny-low").sample_rate == 16000


def test_failure_leaves_nothing(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pack_module, "write_tensors", full)
    monkeypatch.setattr(pack_module, "export_piper", lambda *_: None)
    with pytest.raises(ExportError, match="No space left"):
        write_pack(Loaded(tiny_vits(), frozenset()), tiny_metadata(), ARCHITECTURE, tmp_path)
    assert not [file for file in tmp_path.rglob("*") if file.is_file()]
