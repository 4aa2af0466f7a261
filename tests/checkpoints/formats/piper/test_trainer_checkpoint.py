"""Training checkpoints of every age: architecture from tensors, facts from hyper-parameters, contradictions noted."""

import json
import shutil

import numpy as np
import pytest
from tests.checkpoints.fixture_files import PIPER, copied

from voxgraft.checkpoints import open_checkpoint
from voxgraft.errors import CheckpointError

TINY = {
    "symbols": 256,
    "spec_channels": 513,
    "inter_channels": 8,
    "hidden_channels": 8,
    "filter_channels": 16,
    "heads": 2,
    "layers": 1,
    "kernel_size": 3,
    "dropout": 0.1,
    "resblock": "2",
    "resblock_kernels": (3, 5, 7),
    "resblock_dilations": ((1, 2), (2, 6), (3, 12)),
    "upsample_rates": (8, 8, 4),
    "upsample_initial_channel": 16,
    "upsample_kernels": (16, 16, 8),
    "speakers": 1,
    "gin_channels": 0,
    "stochastic_duration": True,
}


@pytest.mark.parametrize("name", ["single.ckpt", "stream.ckpt", "slim_bf16.ckpt"])
def test_the_same_model_in_every_container(name):
    checkpoint = open_checkpoint(PIPER / name)
    assert dict(checkpoint.architecture) == TINY
    assert checkpoint.family == "vits"
    reference = open_checkpoint(PIPER / "single.ckpt")
    tolerance = {"rtol": 2**-7} if "bf16" in name else {"rtol": 0}
    for tensor in checkpoint.tensors:
        assert checkpoint.tensors[tensor].dtype == np.float32
        np.testing.assert_allclose(checkpoint.tensors[tensor], reference.tensors[tensor], **tolerance, err_msg=tensor)


def test_facts_of_a_full_checkpoint():
    checkpoint = open_checkpoint(PIPER / "single.ckpt")
    assert (checkpoint.epoch, checkpoint.step) == (7, 1234)
    assert checkpoint.missing == ()
    assert checkpoint.audio is not None
    assert checkpoint.audio.sample_rate == 16000
    assert {name.partition(".")[0] for name in checkpoint.tensors} == {
        "enc_p", "enc_q", "flow", "dp", "dec", "discriminator",
    }  # fmt: skip


def test_a_legacy_checkpoint_with_paths_speakers_and_training_state():
    checkpoint = open_checkpoint(PIPER / "multi.ckpt")
    assert checkpoint.provenance.unsafe_globals == ()
    assert checkpoint.speakers == ("0", "1", "2")
    assert checkpoint.architecture["gin_channels"] == 8
    state = checkpoint.training_state
    assert state is not None
    moments = state["optimizer_states"][0]["state"][0]
    assert moments["exp_avg"].load().shape == moments["exp_avg_sq"].load().shape
    assert state["lr_schedulers"][0]["last_epoch"] == 1


def test_weights_only_lacks_the_discriminators_and_its_rate():
    checkpoint = open_checkpoint(PIPER / "slim_bf16.ckpt")
    assert checkpoint.missing == ("discriminators",)
    assert checkpoint.audio is None
    assert checkpoint.quality is None
    assert checkpoint.training_state is None


def test_the_name_of_the_file_does_not_matter(tmp_path):
    path = copied("single.ckpt", tmp_path, "voice.onnx.txt")
    assert open_checkpoint(path).provenance.format == "piper-ckpt"


def test_without_a_configuration_the_usual_symbols_are_assumed_and_that_is_said():
    checkpoint = open_checkpoint(PIPER / "single.ckpt")
    assert checkpoint.symbols is not None
    assert checkpoint.symbols.ids["^"] == (1,)
    assert any("assumed" in note and "espeak" in note for note in checkpoint.notes)


@pytest.mark.parametrize("name", ["single.ckpt.json", "single.json", "config.json"])
def test_a_configuration_beside_it_names_the_symbols(tmp_path, name):
    path = copied("single.ckpt", tmp_path)
    shutil.copy(PIPER / "single.onnx.json", tmp_path / name)
    checkpoint = open_checkpoint(path)
    assert checkpoint.symbols is not None
    assert len(checkpoint.symbols) == 9
    assert not any("assumed" in note for note in checkpoint.notes)
    assert checkpoint.config["piper_version"] == "1.8.0"


def test_a_stray_config_json_is_noted_and_not_used(tmp_path):
    path = copied("single.ckpt", tmp_path)
    (tmp_path / "config.json").write_text('{"model": "something else"}')
    assert any("not used" in note for note in open_checkpoint(path).notes)
    config = json.loads((PIPER / "single.onnx.json").read_text()) | {"num_symbols": 130}
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert any("130 symbols" in note for note in open_checkpoint(path).notes)


def altered(path, change):
    torch = pytest.importorskip("torch")
    content = torch.load(PIPER / "single.ckpt", weights_only=True)
    change(content, torch)
    torch.save(content, path)
    return path


def test_contradicting_hyper_parameters_lose_and_are_noted(tmp_path):
    def lie(content, torch):
        content["hyper_parameters"] |= {"hidden_channels": 192, "resblock": 1, "num_symbols": 130}

    checkpoint = open_checkpoint(altered(tmp_path / "x.ckpt", lie))
    assert checkpoint.architecture["hidden_channels"] == 8
    assert checkpoint.architecture["resblock"] == "2"
    told = " ".join(checkpoint.notes)
    assert all(word in told for word in ("hidden_channels=192", "resblock=1", "num_symbols=130"))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda c, t: c["state_dict"].pop("model_g.dec.conv_post.weight"), "dec.conv_post.weight"),
        (lambda c, t: c["state_dict"].pop("model_g.flow.flows.2.enc.in_layers.1.weight_g"), "in_layers.1.weight"),
        (lambda c, t: c["state_dict"].update({"model_g.enc_p.emb.weight": t.zeros(3)}), "enc_p.emb.weight"),
        (lambda c, t: c["state_dict"].update({"model_g.enc_p.emb.weight": "x"}), "enc_p.emb.weight"),
        (lambda c, t: c["state_dict"].update({"model_g.enc_p.proj.weight": t.zeros(0, 8, 1)}), "enc_p.proj.weight"),
    ],
)
def test_incomplete_models_are_refused_by_the_tensors_name(tmp_path, change, named):
    with pytest.raises(CheckpointError) as caught:
        open_checkpoint(altered(tmp_path / "x.ckpt", change))
    assert named in caught.value.summary


def test_absurd_hyper_parameters_do_not_break_reading(tmp_path):
    def absurd(content, torch):
        content["hyper_parameters"] |= {
            "sample_rate": -1, "mel_fmin": "x", "upsample_rates": "888", "resblock_dilation_sizes": 3, "p_dropout": [],
        }  # fmt: skip
        content |= {"epoch": "seven", "global_step": -3, 4: 5}

    checkpoint = open_checkpoint(altered(tmp_path / "x.ckpt", absurd))
    assert (checkpoint.epoch, checkpoint.step, checkpoint.audio) == (None, None, None)
    assert checkpoint.architecture["upsample_rates"] == (8, 8, 4)


def test_newer_spelling_of_weight_norm(tmp_path):
    def respell(content, torch):
        state = content["state_dict"]
        for name in list(state):
            for letter, number in (("g", 0), ("v", 1)):
                if name.endswith(f".weight_{letter}"):
                    state[f"{name[:-9]}.parametrizations.weight.original{number}"] = state.pop(name)

    checkpoint = open_checkpoint(altered(tmp_path / "x.ckpt", respell))
    assert set(checkpoint.tensors) == set(open_checkpoint(PIPER / "single.ckpt").tensors)


def test_our_own_checkpoints_say_more(tmp_path):
    from voxgraft.checkpoints.formats.voxgraft.metadata import metadata_of

    voice = open_checkpoint(PIPER / "single.onnx")

    def own(content, torch):
        content["voxgraft"] = metadata_of(voice) | {"speakers": ["ada"], "licence": "CC0"}
        content["ema"] = {"dec": 1}

    checkpoint = open_checkpoint(altered(tmp_path / "x.ckpt", own))
    assert checkpoint.provenance.format == "voxgraft-ckpt"
    assert checkpoint.provenance.licence == "CC0"
    assert checkpoint.speakers == ("ada",)
    assert checkpoint.symbols == voice.symbols
    assert checkpoint.inference == voice.inference
    assert not any("assumed" in note for note in checkpoint.notes)


@pytest.mark.parametrize(
    "metadata",
    [
        "{",
        "[]",
        7,
        {"symbols": {"ids": {"a": [999]}, "rows": 3, "text_kind": "text"}},
        {"audio": {"x": 1}},
        {"epoch": []},
    ],
)
def test_our_own_metadata_is_checked(tmp_path, metadata):
    with pytest.raises(CheckpointError, match="voxgraft"):
        open_checkpoint(altered(tmp_path / "x.ckpt", lambda content, torch: content.update(voxgraft=metadata)))
