"""wav2vec 2.0, MMS, Whisper and Parakeet as `transformers` saves them; folders and the weights in them."""

import os
import shutil

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from tests.checkpoints.formats.hugging_face.hugging_face_files import HUGGING_FACE, folder_copy, rewritten

from voxgraft.architectures.families import family_of
from voxgraft.checkpoints import open_checkpoint
from voxgraft.checkpoints.inspect import inspection_of
from voxgraft.errors import CheckpointError
from voxgraft.library.resolve import resolve

FOLDERS = ["vits", "vits_speakers", "mms", "xlsr", "whisper", "parakeet"]


@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_is_a_checkpoint_and_every_tensor_has_its_part(name):
    assert resolve(HUGGING_FACE / name) == HUGGING_FACE / name
    facts = inspection_of(open_checkpoint(HUGGING_FACE / name), tensors=True)
    assert facts["format"] == "hugging-face"
    assert {row["part"] for row in facts["tensors"]}.isdisjoint({"unknown"})
    assert len(facts["sha256"]) == 64
    assert facts["unsound"] == {}


@pytest.mark.parametrize("name", ["vits", "mms", "whisper", "parakeet"])
def test_the_weights_in_the_folder_are_the_same_checkpoint(name):
    whole, file = open_checkpoint(HUGGING_FACE / name), open_checkpoint(HUGGING_FACE / name / "model.safetensors")
    assert file.family == whole.family
    assert file.architecture.keys() == whole.architecture.keys()
    assert set(file.tensors) == set(whole.tensors)
    assert file.provenance.licence == whole.provenance.licence


@pytest.mark.parametrize("name", ["whisper", "parakeet", "mms"])
def test_tensors_are_the_files_own(name):
    theirs = load_file(HUGGING_FACE / name / "model.safetensors")
    ours = open_checkpoint(HUGGING_FACE / name / "model.safetensors").tensors
    respelt = {old.replace("parametrizations.weight.original0", "weight_g").replace("parametrizations.weight.original1", "weight_v"): old for old in theirs}  # fmt: skip
    assert set(respelt) == set(ours)
    for name, old in respelt.items():
        np.testing.assert_array_equal(ours[name], theirs[old])


def test_mms_speaks_the_language_of_its_adapters():
    checkpoint = open_checkpoint(HUGGING_FACE / "mms")
    assert checkpoint.family == "wav2vec2"
    assert checkpoint.languages == ("eng",)
    assert checkpoint.audio.sample_rate == 16000
    assert (checkpoint.audio.hop, checkpoint.audio.win, checkpoint.audio.n_mels) == (320, 400, 0)
    assert checkpoint.audio.normalisation == "utterance"
    assert checkpoint.architecture["symbols"] == 8
    assert checkpoint.architecture["adapter_attn_dim"] == 4
    assert checkpoint.architecture["feat_extract_norm"] == "layer"
    symbols = checkpoint.symbols
    assert (symbols.blank, symbols.pad, symbols.text_kind) == ("<pad>", None, "ctc")
    assert symbols.ids[" "] == (4,)
    assert symbols.encode("a cab").ids == (5, 4, 7, 5, 6)
    head = load_file(HUGGING_FACE / "mms" / "adapter.eng.safetensors")["lm_head.weight"]
    np.testing.assert_array_equal(checkpoint.tensors["lm_head.weight"], head)


def test_a_file_of_adapters_goes_over_the_model_beside_it():
    checkpoint = open_checkpoint(HUGGING_FACE / "mms" / "adapter.fra.safetensors")
    assert checkpoint.languages == ("fra",)
    assert checkpoint.architecture["symbols"] == 9
    assert checkpoint.symbols.encode("ça").ids == (8, 6)
    own = load_file(HUGGING_FACE / "mms" / "adapter.fra.safetensors")
    name = "wav2vec2.encoder.layers.1.adapter_layer.linear_2.weight"
    np.testing.assert_array_equal(checkpoint.tensors[name], own[name])
    assert "wav2vec2.feature_extractor.conv_layers.0.conv.weight" in checkpoint.tensors
    assert checkpoint.provenance.sha256 != open_checkpoint(HUGGING_FACE / "mms").provenance.sha256
    assert any("2 languages" in note for note in checkpoint.notes)


def test_adapters_alone_are_refused(tmp_path):
    folder = folder_copy("mms", tmp_path)
    (folder / "model.safetensors").unlink()
    with pytest.raises(CheckpointError, match="adapters without the model"):
        open_checkpoint(folder / "adapter.fra.safetensors")


def test_logits_of_the_adapted_head_follow_from_the_tensors():
    """The last layer on the last hidden state: what a CTC head of ours computes."""
    family = family_of("wav2vec2")
    tensors = open_checkpoint(HUGGING_FACE / "mms").tensors
    layers = family.layers_of(tensors)
    assert layers[0] == ("wav2vec2.feature_extractor.",)
    assert layers[-1] == ("lm_head.",)
    assert len(layers) == 5
    assert {family.symbol_axis[name] for name in tensors if name.startswith("lm_head")} == {0}


def test_a_base_that_was_only_pre_trained():
    checkpoint = open_checkpoint(HUGGING_FACE / "xlsr")
    assert checkpoint.missing == ("output layer",)
    assert checkpoint.symbols is None
    assert "symbols" not in checkpoint.architecture
    assert "project_q.weight" in checkpoint.tensors
    assert "wav2vec2.encoder.pos_conv_embed.conv.weight_g" in checkpoint.tensors
    assert checkpoint.provenance.unsafe_globals == ()


def test_an_encoder_alone_gets_its_prefix(tmp_path):
    folder = folder_copy("xlsr", tmp_path)
    whole = open_checkpoint(folder).tensors
    stem = "wav2vec2."
    save_file(
        {name.removeprefix(stem): whole[name] for name in whole if name.startswith(stem)}, folder / "model.safetensors"
    )
    (folder / "pytorch_model.bin").unlink()
    assert set(open_checkpoint(folder).tensors) == {name for name in whole if name.startswith(stem)}


def test_whisper():
    checkpoint = open_checkpoint(HUGGING_FACE / "whisper")
    assert checkpoint.family == "whisper"
    assert checkpoint.architecture["encoder_layers"] == 2
    assert checkpoint.architecture["decoder_layers"] == 1
    assert (checkpoint.architecture["num_mel_bins"], checkpoint.audio.n_mels) == (80, 80)
    assert (checkpoint.audio.n_fft, checkpoint.audio.hop, checkpoint.audio.normalisation) == (400, 160, "whisper")
    assert "decoder" not in family_of("whisper").speaking_parts
    assert checkpoint.symbols is None
    assert checkpoint.missing == ()


def test_parakeet():
    checkpoint = open_checkpoint(HUGGING_FACE / "parakeet")
    assert checkpoint.family == "fastconformer"
    assert checkpoint.architecture["num_attention_heads"] == 2
    assert checkpoint.architecture["subsampling_factor"] == 8
    assert checkpoint.architecture["num_mel_bins"] == 80
    symbols = checkpoint.symbols
    assert (symbols.blank, symbols.rows, symbols.text_kind) == ("<pad>", 9, "pieces")
    assert symbols.ids["▁the"] == (2,)
    assert checkpoint.audio.preemphasis == 0.97
    assert any("layerdrop 0.1" in note for note in checkpoint.notes)


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("mms", {"hidden_size": 1024, "vocab_size": 154}, ("hidden_size=1024", "vocab_size=154")),
        ("whisper", {"d_model": 1280, "encoder_layers": 32}, ("d_model=1280", "encoder_layers=32")),
        ("parakeet", {"vocab_size": 1025}, ("vocab_size=1025",)),
    ],
)
def test_dimensions_come_from_the_tensors(tmp_path, name, change, words):
    folder = folder_copy(name, tmp_path)
    rewritten(folder / "config.json", **change)
    told = " ".join(open_checkpoint(folder).notes)
    assert all(word in told for word in words)


@pytest.mark.parametrize("kind", ["bert", "wav2vec2-bert", "hubert", "parakeet_tdt"])
def test_other_kinds_are_refused_by_name(tmp_path, kind):
    folder = folder_copy("whisper", tmp_path)
    rewritten(folder / "config.json", model_type=kind)
    with pytest.raises(CheckpointError, match=f"expected vits, wav2vec2, whisper.*got {kind}"):
        open_checkpoint(folder)


def test_a_trainers_folder_says_how_far_it_came(tmp_path):
    folder = folder_copy("mms", tmp_path)
    state = '{"global_step": 400, "epoch": 3.7, "log_history": [{"learning_rate": 0.001}, {"loss": 1, "learning_rate": 0.0002}]}'
    (folder / "trainer_state.json").write_text(state)
    (folder / "optimizer.pt").write_bytes(b"x")
    checkpoint = open_checkpoint(folder)
    assert (checkpoint.epoch, checkpoint.step, checkpoint.learning_rate) == (3, 400, 0.0002)
    assert sorted(checkpoint.training_state) == ["optimiser", "trainer state"]


def test_a_snapshot_in_the_cache_opens_through_its_links(tmp_path):
    repository = tmp_path / "models--org--name"
    snapshot = repository / "snapshots" / ("0" * 40)
    snapshot.mkdir(parents=True)
    blobs = repository / "blobs"
    shutil.copytree(HUGGING_FACE / "whisper", blobs)
    for path in blobs.iterdir():
        (snapshot / path.name).symlink_to(os.path.relpath(path, snapshot))
    assert open_checkpoint(snapshot).family == "whisper"
    assert open_checkpoint(snapshot / "model.safetensors").family == "whisper"


def test_two_kinds_of_weights_are_noted(tmp_path):
    folder = folder_copy("whisper", tmp_path)
    shutil.copy(HUGGING_FACE / "xlsr" / "pytorch_model.bin", folder)
    checkpoint = open_checkpoint(folder)
    assert any("model.safetensors is read" in note for note in checkpoint.notes)


def test_a_licence_by_its_name_and_none(tmp_path):
    folder = folder_copy("whisper", tmp_path)
    assert open_checkpoint(folder).provenance.licence is None
    (folder / "README.md").write_text("---\nlicense: other\nlicense_name: open-rail\nlanguage: [ru, udm]\n---\n")
    checkpoint = open_checkpoint(folder)
    assert checkpoint.provenance.licence == "open-rail"
    assert checkpoint.languages == ("ru", "udm")


@pytest.mark.parametrize(
    "head", ["---\na: &x [1]\nb: *x\n---\n", "---\n: [\n---\n", "---\n- 1\n---\n", "---\n" + "[" * 5000 + "\n---\n"]
)
def test_a_card_that_cannot_be_read_is_noted(tmp_path, head):
    folder = folder_copy("whisper", tmp_path)
    (folder / "README.md").write_text(head)
    checkpoint = open_checkpoint(folder)
    assert checkpoint.provenance.licence is None
    assert any("README.md" in note for note in checkpoint.notes)
