"""MMS-TTS: the neutral tensors in our network say what `transformers`' says, and the vocabulary is read as it reads it."""

import dataclasses
import re

import numpy as np
import pytest
from tests.checkpoints.formats.hugging_face.hugging_face_files import HUGGING_FACE, folder_copy, reference, rewritten

from voxgraft.architectures.names.rules import canonical_name
from voxgraft.checkpoints import open_checkpoint
from voxgraft.checkpoints.formats.hugging_face.vits_names import RULES
from voxgraft.errors import CheckpointError


@pytest.mark.parametrize(("name", "speaker", "tolerance"), [("vits", None, 1e-5), ("vits_speakers", 2, 1e-5)])
def test_ours_says_what_theirs_says(name, speaker, tolerance):
    torch = pytest.importorskip("torch")
    from voxgraft.graft.apply import apply_plan, build
    from voxgraft.graft.make import make_plan
    from voxgraft.graft.target import target_like
    from voxgraft.text.symbols import SymbolTable

    checkpoint = open_checkpoint(HUGGING_FACE / name)
    if checkpoint.symbols is None:
        table = SymbolTable(ids={chr(97 + n): (n,) for n in range(17)}, rows=17, text_kind="text")
        checkpoint = dataclasses.replace(checkpoint, symbols=table)
    target = target_like(checkpoint)
    plan = make_plan(checkpoint, target)
    assert not [row.target for row in plan.rows if row.action == "init"]
    assert not [row.source for row in plan.rows if row.action == "drop"]
    model = build(target, seed=0)
    apply_plan(plan, checkpoint, model)
    model.eval()
    said = reference(name)
    ids, who = torch.from_numpy(said["ids"]), None if speaker is None else torch.tensor([speaker])
    with torch.no_grad():
        audio = model.infer(ids, torch.tensor([ids.shape[1]]), noise_scale=0.0, noise_w=0.0, speaker=who)
        g, mask = model.embed_speaker(who), torch.ones(1, 1, 12)
        mean, log_deviation = model.enc_q(torch.from_numpy(said["spectrogram"]), mask, g)
        z_p = model.flow(mean, mask, g)
    np.testing.assert_allclose(audio[:, 0], said["audio"], atol=tolerance)
    assert np.abs(said["audio"]).max() > 0.1
    np.testing.assert_allclose(mean, said["mean"], atol=tolerance)
    np.testing.assert_allclose(log_deviation, said["log_deviation"], atol=tolerance)
    np.testing.assert_allclose(z_p, said["z_p"], atol=tolerance)


def test_everything_that_the_folder_says():
    checkpoint = open_checkpoint(HUGGING_FACE / "vits")
    assert (checkpoint.family, checkpoint.variant) == ("vits", "mms")
    assert checkpoint.audio.sample_rate == 16000
    assert (checkpoint.audio.n_fft, checkpoint.audio.hop) == (32, 8)
    assert checkpoint.languages == ("udm",)
    assert checkpoint.speakers == ("udm",)
    assert checkpoint.provenance.licence == "cc-by-nc-4.0"
    assert checkpoint.provenance.dataset == "mozilla-foundation/common_voice"
    assert checkpoint.missing == ("discriminators",)
    assert checkpoint.inference == {"noise_scale": 0.6, "length_scale": 1.25, "noise_w": 0.8}
    assert any("uroman" in note for note in checkpoint.notes)
    assert not any("the tensors win" in note for note in checkpoint.notes)


def test_id_zero_goes_between_the_symbols_whatever_it_is():
    symbols = open_checkpoint(HUGGING_FACE / "vits").symbols
    assert (symbols.pad, symbols.bos, symbols.eos, symbols.text_kind) == ("a", None, None, "text")
    assert symbols.encode("dab").ids == (0, 3, 0, 0, 0, 1, 0)


def test_half_precision_and_shards_come_as_float32():
    checkpoint = open_checkpoint(HUGGING_FACE / "vits_speakers")
    assert checkpoint.tensors["emb_g.weight"].dtype == np.float32
    assert checkpoint.tensors.shapes["enc_p.encoder.attn_layers.0.conv_q.weight"] == (4, 4, 1)
    assert checkpoint.speakers == ("0", "1", "2")
    assert (checkpoint.architecture["speakers"], checkpoint.architecture["gin_channels"]) == (3, 3)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("duration_predictor.conv_1.weight", "dp.conv_1.weight"),
        ("duration_predictor.norm_2.bias", "dp.norm_2.beta"),
        ("duration_predictor.cond.weight", "dp.cond.weight"),
        ("duration_predictor.post_flows.4.conv_dds.norms_1.0.weight", "dp.post_flows.7.convs.norms_1.0.gamma"),
        ("flow.flows.3.wavenet.cond_layer.weight_g", "flow.flows.6.enc.cond_layer.weight_g"),
        ("posterior_encoder.wavenet.in_layers.9.parametrizations.weight.original1", "enc_q.enc.in_layers.9.weight_v"),
        ("discriminator.discriminators.2.final_conv.weight", "discriminator.discriminators.2.conv_post.weight"),
        ("discriminator.discriminators.0.convs.1.bias", "discriminator.discriminators.0.convs.1.bias"),
        ("text_encoder.something_else", None),
    ],
)
def test_names_that_the_fixtures_lack(theirs, ours):
    assert canonical_name(theirs, RULES) == ours


def test_a_config_that_lies_loses_to_the_tensors(tmp_path):
    folder = folder_copy("vits", tmp_path)
    rewritten(folder / "config.json", hidden_size=192, vocab_size=99, wavenet_kernel_size=7)
    checkpoint = open_checkpoint(folder)
    assert checkpoint.architecture["hidden_channels"] == 4
    told = " ".join(checkpoint.notes)
    assert all(word in told for word in ("hidden_channels=192", "num_symbols=99", "flow_kernel=7"))


def test_a_folder_without_its_vocabulary_opens_and_says_so(tmp_path):
    folder = folder_copy("vits", tmp_path)
    (folder / "vocab.json").unlink()
    checkpoint = open_checkpoint(folder)
    assert checkpoint.symbols is None
    assert any("vocab.json" in note for note in checkpoint.notes)


def test_an_incomplete_voice_is_refused_by_the_tensors_name(tmp_path):
    from safetensors.numpy import load_file, save_file

    folder = folder_copy("vits", tmp_path)
    tensors = load_file(folder / "model.safetensors")
    del tensors["decoder.conv_post.weight"]
    save_file(tensors, folder / "model.safetensors")
    with pytest.raises(CheckpointError, match=re.escape("dec.conv_post.weight")):
        open_checkpoint(folder)


def test_one_tensor_under_two_spellings_is_refused(tmp_path):
    from safetensors.numpy import load_file, save_file

    folder = folder_copy("vits", tmp_path)
    tensors = load_file(folder / "model.safetensors")
    name = "flow.flows.0.wavenet.in_layers.0.parametrizations.weight.original0"
    tensors["flow.flows.0.wavenet.in_layers.0.weight_g"] = tensors[name]
    save_file(tensors, folder / "model.safetensors")
    with pytest.raises(CheckpointError, match="twice"):
        open_checkpoint(folder)
