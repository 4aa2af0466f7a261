"""Coqui TTS' checkpoints of every model: family, canonical names, architecture, configuration, damage."""

import json
import os
import pickle
import shutil

import numpy as np
import pytest
from tests.checkpoints.formats.coqui.coqui_files import COQUI, altered, release

from voxgraft.architectures.families import family_of
from voxgraft.checkpoints import open_checkpoint
from voxgraft.checkpoints.containers.torch.unpickle import read_torch_file
from voxgraft.errors import CheckpointError

VITS = {
    "symbols": 67, "spec_channels": 513, "inter_channels": 4, "hidden_channels": 4, "filter_channels": 8, "heads": 2,
    "layers": 1, "kernel_size": 3, "dropout": 0.1, "resblock": "2", "resblock_kernels": (3, 5),
    "resblock_dilations": ((1, 2), (2, 6)), "upsample_rates": (16, 16), "upsample_initial_channel": 8,
    "upsample_kernels": (32, 32), "speakers": 1, "gin_channels": 0, "stochastic_duration": True,
}  # fmt: skip
HIFIGAN = {
    "mels": 16, "resblock": "1", "resblock_kernels": (3, 5), "resblock_dilations": ((1, 3, 5), (1, 3, 5)),
    "upsample_rates": (8, 8, 4), "upsample_initial_channel": 16, "upsample_kernels": (16, 16, 8), "normed_ends": True,
    "post_bias": True,
}  # fmt: skip
FAMILIES = {
    "vits/model": ("vits", {"symbols": 67, "speakers": 1}),
    "vits_speakers": ("vits", {"symbols": 132, "speakers": 2, "gin_channels": 4}),
    "vits_languages": ("vits", {"heads": 2, "hidden_channels": 4, "stochastic_duration": False}),
    "glow_tts": ("glow_tts", {"symbols": 67, "mels": 16, "num_flow_blocks_dec": 2, "num_block_layers": 4, "num_splits": 4}),
    "fast_pitch": ("fast_pitch", {"symbols": 67, "mels": 80, "encoder_layers": 2, "decoder_layers": 2}),
    "fastspeech2": ("fastspeech2", {"symbols": 67, "mels": 80, "energy_embedding_kernel_size": 3}),
    "tacotron2": ("tacotron2", {"symbols": 67, "mels": 80, "postnet_layers": 5, "r": 2}),
    "hifigan": ("hifigan", HIFIGAN),
    "univnet": ("univnet", {"mels": 16, "strides": (8, 8, 4), "joint_residual": True, "upsample_weight_norm": False}),
    "multiband_melgan": ("multiband_melgan", {"mels": 80, "bands": 4, "upsample_factors": (8, 4, 2), "num_res_blocks": 4}),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_every_model_is_told_by_its_tensors(name):
    family, keywords = FAMILIES[name]
    checkpoint = open_checkpoint(COQUI / f"{name}.pth")
    assert (checkpoint.family, checkpoint.variant, checkpoint.provenance.format) == (family, "coqui", "coqui-tts")
    assert {key: checkpoint.architecture[key] for key in keywords} == keywords
    assert (checkpoint.epoch, checkpoint.step) == (7, 1234)
    assert checkpoint.audio is not None
    assert checkpoint.audio.sample_rate == 22050
    assert not [tensor for tensor in checkpoint.tensors if family_of(family).part_of(tensor) == "unknown"]
    assert not any("parametrizations" in tensor for tensor in checkpoint.tensors)
    assert not any("tensors win" in note for note in checkpoint.notes)


@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_no_tensor_is_lost_or_changed(name):
    """Values by values: every tensor of the file is there once, under whatever name."""
    checkpoint = open_checkpoint(COQUI / f"{name}.pth")
    theirs = read_torch_file(COQUI / f"{name}.pth").content["model"]
    kept = [tensor for key, tensor in theirs.items() if ".stft." not in key]
    ours = {checkpoint.tensors[key].astype(np.float32).tobytes() for key in checkpoint.tensors}
    assert len(checkpoint.tensors) == len(kept)
    assert ours == {tensor.load().astype(np.float32).tobytes() for tensor in kept}


@pytest.mark.parametrize(
    ("name", "theirs", "ours"),
    [
        ("vits/model", "flow.flows.3.enc.in_layers.2.bias", "flow.flows.6.enc.in_layers.2.bias"),
        ("vits/model", "duration_predictor.flows.0.log_scale", "dp.flows.0.logs"),
        ("vits/model", "duration_predictor.flows.1.pre.weight", "dp.flows.1.pre.weight"),
        ("vits/model", "duration_predictor.flows.4.proj.bias", "dp.flows.7.proj.bias"),
        ("vits/model", "duration_predictor.post_flows.0.translation", "dp.post_flows.0.m"),
        ("vits/model", "duration_predictor.post_flows.3.convs.norms_1.0.gamma", "dp.post_flows.5.convs.norms_1.0.gamma"),
        ("vits/model", "posterior_encoder.enc.in_layers.0.parametrizations.weight.original1", "enc_q.enc.in_layers.0.weight_v"),
        ("vits/model", "disc.nets.5.convs.0.parametrizations.weight.original0", "discriminator.discriminators.5.convs.0.weight_g"),
        ("vits_speakers", "waveform_decoder.cond_layer.weight", "dec.cond.weight"),
        ("vits_speakers", "flow.flows.1.enc.cond_layer.weight_g", "flow.flows.2.enc.cond_layer.weight_g"),
        ("vits_languages", "duration_predictor.cond_lang.weight", "dp.cond_lang.weight"),
        ("hifigan", "model_g.conv_pre.parametrizations.weight.original0", "generator.conv_pre.weight_g"),
        ("hifigan", "model_d.msd.discriminators.0.convs.0.weight_v", "discriminator.msd.discriminators.0.convs.0.weight_v"),
        ("hifigan", "model_d.msd.discriminators.0.convs.0.weight_orig", "discriminator.msd.discriminators.0.convs.0.weight_orig"),
        ("univnet", "model_g.lvc_blocks.1.convs.2.weight_v", "generator.res_stack.1.conv_blocks.2.1.weight_v"),
    ],
)  # fmt: skip
def test_a_tensor_lands_where_it_belongs(name, theirs, ours):
    file = read_torch_file(COQUI / f"{name}.pth").content["model"]
    np.testing.assert_array_equal(open_checkpoint(COQUI / f"{name}.pth").tensors[ours], file[theirs].load())


def test_facts_of_a_release_folder_and_of_its_file():
    folder, file = open_checkpoint(COQUI / "vits"), open_checkpoint(COQUI / "vits" / "model.pth")
    for checkpoint in (folder, file):
        assert dict(checkpoint.architecture) == VITS
        assert checkpoint.provenance.path == COQUI / "vits" / "model.pth"
        assert checkpoint.learning_rate == 1.5e-4
        assert sorted(checkpoint.training_state) == ["optimizer"]
        assert checkpoint.inference == {"noise_scale": 0.667, "length_scale": 1.0, "noise_w": 1.0}
        assert checkpoint.missing == ()
        assert checkpoint.notes == ()
    assert folder.provenance.sha256 == file.provenance.sha256
    assert folder.symbols == file.symbols
    assert folder.audio == file.audio


def test_what_a_cut_down_file_lacks_is_named():
    assert open_checkpoint(COQUI / "vits_speakers.pth").missing == (
        "posterior encoder", "duration posterior", "discriminators",
    )  # fmt: skip


def test_speakers_by_name_and_where_nobody_named_them(tmp_path):
    torch = pytest.importorskip("torch")
    assert open_checkpoint(COQUI / "vits_speakers.pth").speakers == ("ada", "bob")
    path = altered("vits_speakers", tmp_path / "x.pth", lambda c, t: c["config"].update(speakers=[]))
    assert open_checkpoint(path).speakers == ("0", "1")
    torch.save({"bob": 1, "ada": 0}, tmp_path / "speakers.pth")
    assert open_checkpoint(path).speakers == ("ada", "bob")
    (tmp_path / "speakers.json").write_text('{"carl": 1}')
    checkpoint = open_checkpoint(path)
    assert checkpoint.speakers == ("0", "carl")
    assert any("1 speakers are named, the tensors have 2" in note for note in checkpoint.notes)


def test_speakers_by_the_vectors_of_their_clips(tmp_path):
    pytest.importorskip("torch")
    path = altered("vits_speakers", tmp_path / "x.pth", lambda c, t: c["config"].update(speakers=None))
    clips = {f"{name}{n}.wav": {"name": name, "embedding": [0.5]} for name in ("zoe", "amy") for n in (1, 2)}
    (tmp_path / "speakers.json").write_text(json.dumps(clips))
    assert open_checkpoint(path).speakers == ("zoe", "amy")


def test_names_are_never_read_from_elsewhere(tmp_path):
    pytest.importorskip("torch")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "names.json").write_text('{"eve": 0, "mallory": 1}')
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "speakers.json").symlink_to(outside / "names.json")

    def point(content, torch):
        content["config"]["speakers"] = []
        content["config"]["model_args"]["speakers_file"] = str(outside / "names.json")

    assert open_checkpoint(altered("vits_speakers", inside / "x.pth", point)).speakers == ("0", "1")


def test_languages_and_voice_vectors_are_told():
    checkpoint = open_checkpoint(COQUI / "vits_languages.pth")
    assert checkpoint.languages == ("fr-fr", "en")
    assert checkpoint.tensors["emb_l.weight"].shape == (2, 4)
    told = " ".join(checkpoint.notes)
    assert "2 languages are embedded" in told
    assert "voice vectors of 6 numbers" in told
    assert checkpoint.tensors["dp.norm_1.gamma"].shape == (4,)


def test_a_vocoder_saved_in_two_halves_as_before_0_0_15(tmp_path):
    pytest.importorskip("torch")

    def split(content, torch):
        state = content["model"]
        for key in ("model", "model_disc"):
            prefix = "model_g." if key == "model" else "model_d."
            content[key] = {n.removeprefix(prefix): t for n, t in state.items() if n.startswith(prefix)}

    whole = open_checkpoint(COQUI / "hifigan.pth")
    both = open_checkpoint(altered("hifigan", tmp_path / "both.pth", split))
    assert set(both.tensors) == set(whole.tensors)
    assert dict(both.architecture) == dict(whole.architecture)

    def generator_only(content, torch):
        split(content, torch)
        del content["model_disc"]

    alone = open_checkpoint(altered("hifigan", tmp_path / "alone.pth", generator_only))
    assert set(alone.tensors) == {name for name in whole.tensors if name.startswith("generator.")}
    assert alone.missing == ("multi-period discriminator", "multi-scale discriminator")


def test_a_folded_vocoder_is_known_too(tmp_path):
    pytest.importorskip("torch")

    def fold(content, torch):
        state = content["model"]
        for name in [n for n in state if n.endswith("original1")]:
            stem = name.removesuffix("parametrizations.weight.original1")
            state[f"{stem}weight"] = state.pop(name)
            del state[f"{stem}parametrizations.weight.original0"]

    for name in ("hifigan", "multiband_melgan", "glow_tts"):
        folded = open_checkpoint(altered(name, tmp_path / "x.pth", fold))
        assert dict(folded.architecture) == dict(open_checkpoint(COQUI / f"{name}.pth").architecture)


def test_a_configuration_that_contradicts_the_tensors_loses(tmp_path):
    pytest.importorskip("torch")

    def lie(content, torch):
        arguments = content["config"]["model_args"]
        arguments |= {"hidden_channels": 192, "resblock_type_decoder": "1", "num_layers_text_encoder": 6}

    checkpoint = open_checkpoint(altered("vits_speakers", tmp_path / "x.pth", lie))
    told = " ".join(checkpoint.notes)
    assert checkpoint.architecture["hidden_channels"] == 4
    assert all(word in told for word in ("hidden_channels=192", "resblock=1", "n_layers=6"))
    changed = open_checkpoint(
        altered("glow_tts", tmp_path / "y.pth", lambda c, t: c["config"].update(out_channels=80, hidden_channels_enc=9))
    )
    assert "out_channels=80, the tensors say 16" in " ".join(changed.notes)
    changed = open_checkpoint(
        altered("hifigan", tmp_path / "z.pth", lambda c, t: c["config"]["audio"].update(num_mels=80))
    )
    assert changed.audio.n_mels == 16
    assert "num_mels=80, the tensors say 16" in " ".join(changed.notes)


def test_sizes_and_rates_that_our_network_lacks_are_told(tmp_path):
    pytest.importorskip("torch")

    def differ(content, torch):
        state = content["model"]
        for name in [n for n in state if n.startswith("flow.flows.3.")]:
            del state[name]
        content["config"]["model_args"] |= {"dilation_rate_flow": 2, "encoder_sample_rate": 16000}

    with pytest.raises(CheckpointError, match=r"flow\.flows\.6"):
        open_checkpoint(altered("vits_speakers", tmp_path / "x.pth", differ))
    checkpoint = open_checkpoint(
        altered("vits_speakers", tmp_path / "y.pth", lambda c, t: c["config"]["model_args"].update(dilation_rate_flow=2, encoder_sample_rate=16000))
    )  # fmt: skip
    assert checkpoint.architecture["flow_dilation"] == 2
    assert "16000 Hz" in checkpoint.network_obstacle.why


def test_a_duration_predictor_of_another_width_is_told(tmp_path):
    pytest.importorskip("torch")

    def widen(content, torch):
        content["model"]["duration_predictor.pre.weight"] = torch.ones(192, 4, 1)

    checkpoint = open_checkpoint(altered("vits_speakers", tmp_path / "x.pth", widen))
    assert "duration predictor has 192 channels, where voxgraft's VITS has 4" in checkpoint.network_obstacle.why


def test_the_speaker_encoder_is_dropped_and_that_is_said(tmp_path):
    pytest.importorskip("torch")
    path = altered("vits_speakers", tmp_path / "x.pth", lambda c, t: c["model"].update({"speaker_encoder.conv1.weight": t.ones(2)}))  # fmt: skip
    checkpoint = open_checkpoint(path)
    assert "1 entries are no part of the model and left out, such as speaker_encoder.conv1.weight" in checkpoint.notes
    assert not any("speaker_encoder" in name for name in checkpoint.tensors)


def test_config_json_counts_where_it_differs(tmp_path):
    folder = release(tmp_path / "x", add_blank=False)
    checkpoint = open_checkpoint(folder)
    assert checkpoint.symbols.intersperse is False
    assert any("differ in add_blank: config.json counts" in note for note in checkpoint.notes)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b'{"model_type": "vits"}', "no configuration of Coqui TTS"),
        (b"{", "not JSON"),
        (b"\xff\xfe{}", "not UTF-8"),
        (b"[" * 100_000, "not JSON"),
        (b'{"model": "tacotron2", "audio": {"sample_rate": 22050}}', "of another model"),
        (b'{"model": ["vits"], "audio": {"sample_rate": 22050}}', "no configuration of Coqui TTS"),
    ],
)
def test_a_stray_config_json_is_noted_and_not_used(tmp_path, content, told):
    folder = release(tmp_path / "x")
    (folder / "config.json").write_bytes(content)
    checkpoint = open_checkpoint(folder / "model.pth")
    assert any(told in note for note in checkpoint.notes)
    assert len(checkpoint.symbols) == 67


def test_an_old_configuration_with_comments(tmp_path):
    pytest.importorskip("torch")
    folder = tmp_path / "x"
    folder.mkdir()
    altered("vits/model", folder / "best_model.pth", lambda c, t: c.pop("config"))
    config = json.loads((COQUI / "vits" / "config.json").read_text())
    text = json.dumps(config | {"run_name": "a // b"}, indent=1).replace('"audio"', '/* sound\n */ "audio"', 1)
    (folder / "config.json").write_text("// by hand\n" + text.replace('"run_name"', '// a "name"\n"run_name"', 1))
    checkpoint = open_checkpoint(folder)
    assert checkpoint.config["run_name"] == "a // b"
    assert checkpoint.symbols == open_checkpoint(COQUI / "vits").symbols
    assert checkpoint.notes == ()


def test_without_any_configuration_the_tensors_speak_alone(tmp_path):
    pytest.importorskip("torch")
    for name in sorted(FAMILIES):
        checkpoint = open_checkpoint(altered(name, tmp_path / "x.pth", lambda c, t: c.pop("config")))
        assert (checkpoint.symbols, checkpoint.audio) == (None, None)
        assert any("put config.json beside it" in note for note in checkpoint.notes)
        assert checkpoint.family == FAMILIES[name][0]


def test_a_copy_of_the_best_model_is_no_second_checkpoint(tmp_path):
    folder = release(tmp_path / "run")
    shutil.copy(folder / "model.pth", folder / "best_model_1234.pth")
    assert open_checkpoint(folder).step == 1234


def test_two_checkpoints_in_one_folder_are_one_clear_error(tmp_path):
    pytest.importorskip("torch")
    folder = release(tmp_path / "run")
    altered("vits/model", folder / "checkpoint_2000.pth", lambda c, t: c.update(step=2000))
    with pytest.raises(CheckpointError, match="there are 2 checkpoints") as caught:
        open_checkpoint(folder)
    assert "checkpoint_2000.pth (step 2000)" in caught.value.summary
    assert "path of one" in caught.value.remedy


@pytest.mark.parametrize(
    ("names", "read"),
    [
        (
            {"best_model.pth": 20, "best_model_20.pth": 20, "best_model_10.pth": 10, "checkpoint_30.pth": 30},
            "best_model.pth",
        ),
        ({"best_model_9.pth": 9, "best_model_10.pth": 10, "checkpoint_30.pth": 30}, "best_model_10.pth"),
        ({"checkpoint_9.pth": 9, "checkpoint_10.pth": 10}, "checkpoint_10.pth"),
        ({"best_model.pth.tar": 9, "checkpoint_10.pth.tar": 10}, "best_model.pth.tar"),
    ],
)
def test_of_a_runs_saves_the_best_is_read(tmp_path, names, read):
    for name, step in names.items():
        altered("vits_speakers", tmp_path / name, lambda content, _, step=step: content.update(step=step))
    found = open_checkpoint(tmp_path)
    assert found.provenance.path.name == read
    assert any(read in note and "is read" in note for note in found.notes)


def test_speakers_named_by_numbers(tmp_path):
    def renamed(content, _):
        content["config"]["model_args"]["speakers"] = content["config"]["speakers"] = None
        content["config"]["speakers_file"] = "speakers.json"

    rows = len(open_checkpoint(COQUI / "vits_speakers.pth").speakers)
    path = altered("vits_speakers", tmp_path / "x.pth", renamed)
    (tmp_path / "speakers.json").write_text(json.dumps({str(100 + row): row for row in range(rows)}))
    assert open_checkpoint(path).speakers[0] == "100"
    listed = list(range(300, 300 + rows))
    path = altered("vits_speakers", tmp_path / "y.pth", lambda content, _: content["config"].update(speakers=listed))
    assert open_checkpoint(path).speakers[-1] == str(listed[-1])


def test_a_damaged_model_in_its_folder(tmp_path):
    folder = release(tmp_path / "x")
    raw = (folder / "model.pth").read_bytes()
    (folder / "model.pth").write_bytes(raw[: len(raw) // 2])
    with pytest.raises(CheckpointError) as caught:
        open_checkpoint(folder)
    assert str(folder / "model.pth") in caught.value.summary
    shutil.copy(COQUI / "vits" / "model.pth", folder / "best_model.pth")
    checkpoint = open_checkpoint(folder)
    assert any("model.pth is damaged and passed over" in note for note in checkpoint.notes)


def test_a_folder_without_the_model_is_no_checkpoint(tmp_path):
    folder = release(tmp_path / "x")
    (folder / "model.pth").unlink()
    with pytest.raises(CheckpointError, match=r"a folder with config\.json"):
        open_checkpoint(folder)


def test_other_models_of_coquis_are_named_but_not_read(tmp_path):
    torch = pytest.importorskip("torch")
    path = tmp_path / "model.pth"
    config = {"model": "xtts", "audio": {"sample_rate": 22050}}
    torch.save({"model": {"gpt.wte.weight": torch.ones(2, 2)}, "config": config}, path)
    with pytest.raises(CheckpointError, match="got xtts") as caught:
        open_checkpoint(path)
    assert "glow_tts" in caught.value.summary


class Gadget:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_hostile_files_run_nothing(tmp_path):
    torch = pytest.importorskip("torch")
    canary = tmp_path / "canary"
    path = altered("hifigan", tmp_path / "x.pth", lambda c, t: c.update(date=Gadget(canary)))
    checkpoint = open_checkpoint(path)
    assert any("posix.mkdir" in note for note in checkpoint.notes)
    torch.save(Gadget(canary), tmp_path / "speakers.pth")
    path = altered("vits_speakers", tmp_path / "y.pth", lambda c, t: c["config"].update(speakers=[]))
    assert open_checkpoint(path).speakers == ("0", "1")
    (tmp_path / "speakers.pth").write_bytes(pickle.dumps(Gadget(canary)))
    assert open_checkpoint(path).speakers == ("0", "1")
    assert not canary.exists()


@pytest.mark.parametrize(
    ("name", "change", "named"),
    [
        ("vits_speakers", lambda m, t: m.pop("waveform_decoder.conv_post.weight"), "dec.conv_post.weight"),
        ("vits_speakers", lambda m, t: m.update({"text_encoder.emb.weight": t.zeros(3)}), "enc_p.emb.weight"),
        ("vits_speakers", lambda m, t: m.update({"text_encoder.emb.weight": "x"}), "enc_p.emb.weight"),
        ("vits_speakers", lambda m, t: m.update({"emb_g.weight": t.zeros(3)}), "enc_p"),
        ("hifigan", lambda m, t: m.pop("model_g.conv_pre.parametrizations.weight.original1"), "generator.conv_pre"),
        ("hifigan", lambda m, t: m.update({"model_g.ups.0.parametrizations.weight.original1": t.zeros(3)}), "ups.0"),
        ("glow_tts", lambda m, t: m.update({"encoder.emb.weight": t.zeros(0, 4)}), "encoder.emb.weight"),
        ("fast_pitch", lambda m, t: m.pop("pitch_emb.weight"), "pitch_emb.weight"),
        ("tacotron2", lambda m, t: m.update({"embedding.weight": t.zeros(())}), "embedding.weight"),
        ("univnet", lambda m, t: m.pop("model_g.first_conv.weight_v"), "generator.conv_pre"),
        ("hifigan", lambda m, t: m.update({"model_g.conv_pre.weight_g": t.ones(16, 1, 1)}), "conv_pre"),
    ],
)
def test_incomplete_and_doubled_models_are_refused_by_the_tensors_name(tmp_path, name, change, named):
    pytest.importorskip("torch")
    path = altered(name, tmp_path / "x.pth", lambda c, t: change(c["model"], t))
    with pytest.raises(CheckpointError) as caught:
        open_checkpoint(path)
    assert named in caught.value.summary
    assert str(path) in caught.value.summary


def test_absurd_settings_do_not_break_reading(tmp_path):
    pytest.importorskip("torch")

    def absurd(content, torch):
        content["config"] |= {
            "audio": {"sample_rate": "fast", "hop_length": None}, "characters": {"characters": 7, "punctuations": [1]},
            "datasets": "none", "speakers": 3, "languages": [None], "phoneme_language": 5, "lr_gen": [], "lr": [],
        }  # fmt: skip
        content["config"]["model_args"] |= {
            "upsample_rates_decoder": "16",
            "inference_noise_scale": "loud",
            "num_chars": [],
        }
        content |= {"step": -1, "epoch": "seven", "optimizer": "sgd", 4: 5}

    checkpoint = open_checkpoint(altered("vits_speakers", tmp_path / "x.pth", absurd))
    assert (checkpoint.epoch, checkpoint.step, checkpoint.audio, checkpoint.symbols) == (None, None, None, None)
    assert checkpoint.learning_rate is None
    assert checkpoint.speakers == ("0", "1")
    assert checkpoint.architecture["upsample_rates"] == (16, 16)
    assert any("audio settings can't be right" in note for note in checkpoint.notes)
