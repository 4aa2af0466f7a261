"""EveryVoice: checkpoints of its own code, read whole; what is missing, old, newer, hostile or no checkpoint is said."""

import json
import os
import shutil

import numpy as np
import pytest
from tests import paths

from voxgraft.audio.spectrogram import mel_spectrogram
from voxgraft.checkpoints import open_checkpoint
from voxgraft.checkpoints.formats.everyvoice.tensor_names import fastspeech2_names, generator_names
from voxgraft.checkpoints.formats.vits_tensors import folded_names
from voxgraft.errors import CheckpointError

FIXTURES = paths.FIXTURES / "everyvoice"
ACOUSTIC, VOCODER = FIXTURES / "text-to-spec.ckpt", FIXTURES / "spec-to-wav.ckpt"
TAGS = ["<SEMICOL>", "<HYPHEN>", "<PERIOD>", "<COLON>", "<COMMA>", "<PAREN>", "<QUOTE>", "<EXCL>", "<QINT>", "<EPS>"]
PUNCTUATION = list("!\"'()*,-.:;?[]")
LATER = [*"{}¡«»¿—“”…"]


def told(checkpoint):
    return " ".join(checkpoint.notes)


def resaved(target, change, source=ACOUSTIC):
    torch = pytest.importorskip("torch")
    content = torch.load(source, weights_only=True)
    change(content)
    torch.save(content, target)
    return target


def config_of(content):
    return content["hyper_parameters"]["config"]


def test_facts_of_a_text_to_spec_model():
    checkpoint = open_checkpoint(ACOUSTIC)
    assert (checkpoint.family, checkpoint.variant, checkpoint.provenance.format) == ("fastspeech2",) + (
        "everyvoice",
    ) * 2
    assert (checkpoint.epoch, checkpoint.step, checkpoint.missing) == (3, 3, ())
    assert checkpoint.learning_rate == pytest.approx(3e-6)
    assert checkpoint.speakers == ("ada", "bo")
    assert checkpoint.languages == ("eng", "fra")
    assert set(checkpoint.training_state) == {"optimizer_states", "lr_schedulers", "loops"}
    assert checkpoint.provenance.dataset == "YourDataSet"
    assert checkpoint.provenance.unsafe_globals == ()
    assert checkpoint.config["stats"]["pitch"]["mean"] == 180.0
    assert checkpoint.config["lang2id"] == {"eng": 0, "fra": 1}
    assert json.dumps(checkpoint.config)
    assert checkpoint.provenance.statements == (
        "contact: Ada <ada@example.com>",
        "permission to use the recordings of YourDataSet",
    )
    assert checkpoint.notes == ()


def test_its_architecture_comes_from_the_tensors():
    assert dict(open_checkpoint(ACOUSTIC).architecture) == {
        "symbols": 48, "mels": 8, "channels": 8,
        "encoder_layers": 2, "encoder_heads": 2, "encoder_filter_channels": 16, "encoder_kernel": 5, "encoder_dropout": 0.0,
        "decoder_layers": 1, "decoder_heads": 2, "decoder_filter_channels": 16, "decoder_kernel": 5, "decoder_dropout": 0.0,
        "duration_layers": 2, "duration_channels": 8, "duration_kernel": 3, "duration_depthwise": True, "duration_dropout": 0.0,
        "pitch_layers": 2, "pitch_channels": 8, "pitch_kernel": 3, "pitch_depthwise": True, "pitch_dropout": 0.0,
        "pitch_bins": 8, "pitch_level": "phone",
        "energy_layers": 2, "energy_channels": 8, "energy_kernel": 3, "energy_depthwise": True, "energy_dropout": 0.0,
        "energy_bins": 8, "energy_level": "phone",
        "postnet_layers": 5, "postnet_channels": 6, "postnet_kernel": 5,
        "aligner_channels": 80, "style_tokens": 0,
        "speakers": 2, "multispeaker": True, "languages": 2, "multilingual": True,
    }  # fmt: skip


def test_its_spectrogram_is_everyvoices():
    audio = open_checkpoint(ACOUSTIC).audio
    assert (audio.sample_rate, audio.n_fft, audio.hop, audio.win, audio.n_mels) == (16000, 128, 32, 128, 8)
    assert (audio.fmin, audio.fmax, audio.mel_scale, audio.mel_norm) == (0.0, 8000.0, "slaney", "slaney")
    assert (audio.power, audio.magnitude_floor, audio.log_floor, audio.centre) == (1.0, 1e-9, 1e-5, True)


@pytest.mark.parametrize("kind", ["mel-librosa", "mel"])
def test_spectrograms_by_its_spec_equal_everyvoices(tmp_path, kind):
    def of_kind(content):
        config_of(content)["preprocessing"]["audio"]["spec_type"] = kind

    with np.load(FIXTURES / "reference.npz") as file:
        audio, theirs = file["mel.in.audio"], file[f"mel.{kind}"]
    ours = mel_spectrogram(audio, open_checkpoint(resaved(tmp_path / "x.ckpt", of_kind)).audio)
    np.testing.assert_allclose(ours[:, : theirs.shape[1]], theirs, atol=1e-4)
    assert len(audio) // 32 == theirs.shape[1]


def test_symbols_are_those_that_everyvoice_counted():
    symbols = open_checkpoint(ACOUSTIC).symbols
    assert symbols.symbols == ("\x80", " ", *TAGS, "<SIL>", "ch", *PUNCTUATION, *"abdehklorw", *LATER)
    assert (symbols.pad, symbols.bos, symbols.eos, symbols.intersperse) == ("\x80", None, None, False)
    assert symbols.encode("hello chado").ids == tuple(symbols.ids[s][0] for s in [*"hello ", "ch", *"ado"])


@pytest.mark.parametrize(
    ("version", "tags", "phones"),
    [
        ("1.3", TAGS, []),
        ("1.2", TAGS, ["tʃ", "ɹ"]),
        ("1.1", ["<QUOTE>", "<EXCL>", "<QINT>", "<EPS>", "<BB>", "<SB>"], ["tʃ", "ɹ"]),
        (None, ["<QUOTE>", "<EXCL>", "<QINT>", "<EPS>", "<BB>", "<SB>"], ["tʃ", "ɹ"]),
    ],
)
def test_older_files_list_no_symbols_and_get_those_of_their_version(tmp_path, version, tags, phones):
    torch = pytest.importorskip("torch")
    declared = {*tags, "<SIL>", "ch", *phones, *PUNCTUATION, *"abdehklorw", *LATER}
    expected = ("\x80", " ", *sorted(declared, key=lambda symbol: (-len(symbol), symbol)))

    def age(content):
        del content["hyper_parameters"]["realized_symbols"]
        content["model_info"]["version"] = version
        if version is None:
            del content["model_info"]
        content["state_dict"]["text_input_layer.weight"] = torch.zeros(len(expected), 8)

    checkpoint = open_checkpoint(resaved(tmp_path / "x.ckpt", age))
    assert checkpoint.symbols.symbols == expected
    assert ("older EveryVoice" in told(checkpoint)) == (version != "1.3")


def test_rows_that_no_version_explains_leave_the_symbols_open(tmp_path):
    torch = pytest.importorskip("torch")
    change = lambda c: c["state_dict"].update({"text_input_layer.weight": torch.zeros(7, 8)})  # noqa: E731
    checkpoint = open_checkpoint(resaved(tmp_path / "x.ckpt", change))
    assert checkpoint.symbols is None
    assert "48 symbols" in told(checkpoint)
    assert "7 rows" in told(checkpoint)


def test_a_model_of_phonological_features_has_no_symbols():
    checkpoint = open_checkpoint(FIXTURES / "features.ckpt")
    assert checkpoint.symbols is None
    assert checkpoint.architecture["features"] == 43
    assert (checkpoint.architecture["pitch_level"], checkpoint.architecture["pitch_depthwise"]) == ("frame", False)
    assert (checkpoint.architecture["style_tokens"], checkpoint.architecture["style_heads"]) == (10, 2)
    assert checkpoint.architecture["postnet_layers"] == 0
    assert checkpoint.missing == ()
    assert "phonological features" in told(checkpoint)


def test_facts_of_a_vocoder_and_of_its_export():
    whole, exported = open_checkpoint(VOCODER), open_checkpoint(FIXTURES / "exported.ckpt")
    assert whole.family == exported.family == "hifigan"
    assert whole.missing == ()
    assert exported.missing == ("multi-period discriminator", "multi-scale discriminator")
    assert dict(whole.architecture) == dict(exported.architecture)
    assert whole.architecture["upsample_rates"] == (8, 4)
    assert whole.architecture["resblock_dilations"] == ((1, 3), (1, 2))
    assert whole.audio == open_checkpoint(ACOUSTIC).audio
    names = set(whole.tensors)
    assert {"generator.ups.0.weight_g", "discriminator.mpd.discriminators.1.conv_post.weight_v"} <= names
    assert "discriminator.msd.discriminators.0.convs.0.weight_orig" in names
    assert not any("parametrizations" in name for name in names)
    assert exported.training_state is None


def test_a_vocoder_that_ends_in_a_fourier_transform_is_named():
    checkpoint = open_checkpoint(FIXTURES / "istft.ckpt")
    assert checkpoint.variant == "everyvoice-istft"
    assert checkpoint.architecture["istft_points"] == 16
    assert checkpoint.tensors.shapes["generator.conv_post.weight_v"][0] == 18
    assert "iSTFT" in told(checkpoint)
    assert "a frame becomes" not in told(checkpoint)


@pytest.mark.parametrize(("version", "word"), [("0.0", "older"), ("1.9", "newer"), ("2.0.1", "newer"), ("x", "older")])
def test_versions_that_differ_are_read_and_noted(tmp_path, version, word):
    checkpoint = open_checkpoint(resaved(tmp_path / "x.ckpt", lambda c: c["model_info"].update(version=version)))
    assert f"{word} EveryVoice" in told(checkpoint)
    assert checkpoint.symbols is not None


@pytest.mark.parametrize("name", ["StyleTTS2", "StyleTTS2Module"])
def test_text_to_wav_models_are_refused_by_name(tmp_path, name):
    def become(content):
        content["model_info"]["name"] = name
        content["state_dict"] = {"bert.module.embeddings.weight": content["state_dict"]["mel_linear.bias"]}

    with pytest.raises(CheckpointError, match=name) as caught:
        open_checkpoint(resaved(tmp_path / "x.ckpt", become))
    assert "text-to-spec or spec-to-wav" in caught.value.remedy
    assert "HiFiGANGenerator" in caught.value.expected


def test_tensors_win_over_the_name_of_the_model(tmp_path):
    checkpoint = open_checkpoint(resaved(tmp_path / "x.ckpt", lambda c: c["model_info"].update(name="HiFiGAN")))
    assert checkpoint.family == "fastspeech2"
    assert "model_info says HiFiGAN" in told(checkpoint)


def test_a_configuration_that_contradicts_the_tensors_loses(tmp_path):
    def lie(content):
        model = config_of(content)["model"]
        model["encoder"] |= {"layers": 9, "input_dim": 256, "heads": 5}
        model["variance_predictors"]["pitch"] |= {"n_bins": 256, "level": "syllable"}
        model |= {"multispeaker": False}
        config_of(content)["preprocessing"]["audio"]["n_mels"] = 80

    checkpoint = open_checkpoint(resaved(tmp_path / "x.ckpt", lie))
    assert checkpoint.architecture["encoder_layers"] == 2
    assert checkpoint.architecture["multispeaker"] is True
    assert checkpoint.audio.n_mels == 8
    for word in (
        "layers=9",
        "input_dim=256",
        "heads is not recorded",
        "n_bins=256",
        "'syllable'",
        "multispeaker=False",
        "n_mels=80",
    ):
        assert word in told(checkpoint)


def test_kinds_of_spectrograms(tmp_path):
    def of_kind(kind):
        return lambda content: config_of(content)["preprocessing"]["audio"].update(spec_type=kind)

    htk = open_checkpoint(resaved(tmp_path / "x.ckpt", of_kind("mel"))).audio
    assert (htk.mel_scale, htk.mel_norm, htk.power) == ("htk", "slaney", 2.0)
    linear = open_checkpoint(resaved(tmp_path / "x.ckpt", of_kind("linear")))
    assert linear.audio is None
    assert "'linear' (16000 Hz)" in told(linear)


def test_a_vocoder_that_raises_the_rate_says_so(tmp_path):
    def raise_rate(content):
        config_of(content)["preprocessing"]["audio"]["output_sampling_rate"] = 48000

    checkpoint = open_checkpoint(resaved(tmp_path / "x.ckpt", raise_rate, VOCODER))
    assert checkpoint.audio.sample_rate == 16000
    assert "speaks at 48000 Hz" in told(checkpoint)
    assert "a frame becomes 32 samples, but its configuration asks for 96" in told(checkpoint)


def test_another_activation_is_noted(tmp_path):
    change = lambda c: config_of(c)["model"].update(activation_function="torch.nn.functional.elu")  # noqa: E731
    assert "functional.elu" in told(open_checkpoint(resaved(tmp_path / "x.ckpt", change, VOCODER)))


def run_folder(tmp_path):
    folder = tmp_path / "logs_and_checkpoints" / "Experiment" / "base" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


def test_a_run_gives_its_newest_checkpoint_never_last_by_name(tmp_path):
    folder = run_folder(tmp_path)
    resaved(folder / "last-v1.ckpt", lambda c: c.update(global_step=900, epoch=5))
    resaved(folder / "epoch=9-step=9000.ckpt", lambda c: c.update(global_step=20, epoch=2))
    resaved(folder / "last.ckpt", lambda c: c.update(global_step=10, epoch=1))
    os.utime(folder / "last-v1.ckpt", (1, 1))
    (folder / "epoch=7-step=7000.ckpt").write_bytes(ACOUSTIC.read_bytes()[:9000])
    for given in (folder, folder.parent):
        checkpoint = open_checkpoint(given)
        assert checkpoint.provenance.path.name == "last-v1.ckpt"
        assert checkpoint.step == 900
        assert "last.ckpt is an older one" in told(checkpoint)
        assert "step=7000.ckpt is passed over" in told(checkpoint)


def test_of_equal_steps_the_one_written_last_is_taken(tmp_path):
    folder = run_folder(tmp_path)
    for age, name in enumerate(("last-v1.ckpt", "last.ckpt", "epoch=3-step=3.ckpt")):
        shutil.copy(ACOUSTIC, folder / name)
        os.utime(folder / name, (1000 - age, 1000 - age))
    checkpoint = open_checkpoint(folder)
    assert checkpoint.provenance.path.name == "last-v1.ckpt"
    assert "older one" not in told(checkpoint)


def test_checkpoints_that_a_link_brings_in_are_not_read(tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    shutil.copy(ACOUSTIC, outside / "last.ckpt")
    run = tmp_path / "run"
    run.mkdir()
    (run / "checkpoints").symlink_to(outside)
    (run / "last.ckpt").symlink_to(outside / "last.ckpt")
    with pytest.raises(CheckpointError, match="not a checkpoint that voxgraft knows"):
        open_checkpoint(run)


def written_config(tmp_path, content, name="everyvoice.yaml"):
    path = tmp_path / name
    path.write_text(content, "utf-8")
    return path


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (
            "contact: {contact_name: a}\nmodel: {variance_predictors: {}}\npath_to_text_config_file: x.yaml\n",
            "text-to-spec",
        ),
        ("model: {upsample_rates: [8]}\npath_to_preprocessing_config_file: x.yaml\n", "spec-to-wav"),
        ("model: {multispeaker: false}\npath_to_text_config_file: x.yaml\n", "text-to-wav"),
        ("dataset: d\naudio: {}\nsource_data: []\n", "shared data"),
        ("symbols: {}\ncleaners: []\ng2p_engines: {}\n", "shared text"),
        ('{"model": {"variance_predictors": {}},\n "path_to_text_config_file": "x.yaml"}', "text-to-spec"),
    ],
)
def test_a_configuration_is_no_checkpoint_and_says_where_one_would_be(tmp_path, content, kind):
    with pytest.raises(CheckpointError, match=rf"configuration \({kind}\)") as caught:
        open_checkpoint(written_config(tmp_path, content))
    assert "logs_and_checkpoints/NAME/VERSION/checkpoints" in caught.value.remedy


def test_a_configuration_names_its_own_folder_of_checkpoints(tmp_path):
    logger = "training:\n  logger: {save_dir: ../logs, name: Mohawk, version: v2}\n"
    path = written_config(tmp_path, "path_to_text_config_file: x.yaml\nmodel: {variance_predictors: {}}\n" + logger)
    with pytest.raises(CheckpointError) as caught:
        open_checkpoint(path)
    assert "../logs/Mohawk/v2/checkpoints" in caught.value.remedy


@pytest.mark.parametrize(
    "content", ["path_to_text_config_file: &a [*a]\n", "g2p_engines: {\n", "source_data: 1\n- x", "g2p_engines: 3\n"]
)
def test_other_yaml_is_nothing_that_is_known(tmp_path, content):
    with pytest.raises(CheckpointError, match="not a checkpoint that voxgraft knows"):
        open_checkpoint(written_config(tmp_path, content))


@pytest.mark.parametrize("share", [0.001, 0.2, 0.6, 0.98])
@pytest.mark.parametrize("source", [ACOUSTIC, VOCODER], ids=["acoustic", "vocoder"])
def test_truncated_files_are_refused_with_their_name(tmp_path, source, share):
    path = tmp_path / "cut.ckpt"
    data = source.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(CheckpointError) as caught:
        open_checkpoint(path)
    assert "cut.ckpt" in caught.value.summary


@pytest.mark.parametrize(
    ("source", "name"),
    [
        (ACOUSTIC, "mel_linear.weight"),
        (ACOUSTIC, "encoder.conformer_layers.0.ffn1.sequential.1.weight"),
        (ACOUSTIC, "variance_adaptor.pitch_embedding.weight"),
        (ACOUSTIC, "text_input_layer.weight"),
        (ACOUSTIC, "decoder.conformer_layers.0.conv_module.sequential.3.running_var"),
        (ACOUSTIC, "postnet.convolutions.3.0.conv.bias"),
        (VOCODER, "generator.resblocks.1.convs2.1.bias"),
        (VOCODER, "generator.ups.0.bias"),
        (VOCODER, "generator.conv_post.parametrizations.weight.original1"),
    ],
)
@pytest.mark.parametrize("damage", ["gone", "no tensor"])
def test_incomplete_models_are_refused_by_the_tensors_name(tmp_path, source, name, damage):
    def spoil(content):
        state = content["state_dict"]
        state[name] = "x"
        if damage == "gone":
            del state[name]

    with pytest.raises(CheckpointError) as caught:
        open_checkpoint(resaved(tmp_path / "x.ckpt", spoil, source))
    assert name.split(".parametrizations")[0] in caught.value.summary


@pytest.mark.parametrize(
    ("name", "dims"), [("mel_linear.weight", (8,)), ("mel_linear.weight", (0, 8)), ("speaker_embedding.weight", ())]
)
def test_tensors_of_impossible_shape_are_refused_by_name(tmp_path, name, dims):
    torch = pytest.importorskip("torch")
    with pytest.raises(CheckpointError, match=name):
        open_checkpoint(resaved(tmp_path / "x.ckpt", lambda c: c["state_dict"].update({name: torch.zeros(dims)})))


@pytest.mark.parametrize("name", ["text-to-spec", "features", "spec-to-wav", "exported", "istft"])
def test_every_tensor_that_inference_needs_is_asked_for(name):
    """Whatever a file holds is needed, but for discriminators, the aligner and what networks count or derive."""
    checkpoint = open_checkpoint(FIXTURES / f"{name}.ckpt")
    needed = {"fastspeech2": fastspeech2_names, "hifigan": generator_names}[checkpoint.family](checkpoint.architecture)
    others = ("discriminator.", "variance_adaptor.attention.", "position_embedding.")
    held = {tensor for tensor in checkpoint.tensors if not tensor.startswith(others) and "num_batches" not in tensor}
    assert folded_names(dict.fromkeys(held)) == needed


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c.update(hyper_parameters=None),
        lambda c: c.update(hyper_parameters={"config": []}),
        lambda c: c["hyper_parameters"].update(config=None, speaker2id=[1], lang2id={"x": "y"}, stats=None),
        lambda c: config_of(c).update(model="x", preprocessing={"audio": {"input_sampling_rate": "fast"}}, text=3),
        lambda c: config_of(c)["preprocessing"].update(source_data=[{"permissions_obtained": False}, 3], dataset=4),
        lambda c: config_of(c)["preprocessing"]["audio"].update(
            fft_hop_size=-1, f_max="x", n_fft=2**40, input_sampling_rate=-1
        ),
        lambda c: c["hyper_parameters"].update(realized_symbols=[1, 2], speaker2id={"ada": 10**12}),
        lambda c: c["hyper_parameters"].update(realized_symbols=["a"] * 48),
        lambda c: c.update(optimizer_states=[{"param_groups": []}], epoch="three", global_step=-1, callbacks=7),
        lambda c: c.update(model_info={"name": "FastSpeech2", "version": 7}),
    ],
)
def test_absurd_settings_do_not_break_reading(tmp_path, change):
    checkpoint = open_checkpoint(resaved(tmp_path / "x.ckpt", change))
    assert checkpoint.architecture["channels"] == 8
    assert len(checkpoint.speakers) == 2
    assert checkpoint.audio is None or checkpoint.audio.sample_rate == 16000


def test_a_gadget_in_the_settings_does_not_run(tmp_path):
    mark = tmp_path / "ran"

    class Gadget:
        def __reduce__(self):
            return (exec, (f"open({str(mark)!r}, 'w')",))

    def arm(content):
        content["hyper_parameters"]["config"]["contact"]["contact_name"] = Gadget()

    checkpoint = open_checkpoint(resaved(tmp_path / "x.ckpt", arm))
    assert any("exec" in name for name in checkpoint.provenance.unsafe_globals)
    assert "would have run" in told(checkpoint)
    assert not mark.exists()
    assert json.dumps(checkpoint.config)


def test_paths_in_the_settings_stay_data(tmp_path):
    def point(content):
        config_of(content)["path_to_text_config_file"] = "/etc/passwd"
        config_of(content)["training"]["vocoder_path"] = str(VOCODER)

    config = open_checkpoint(resaved(tmp_path / "x.ckpt", point)).config["config"]
    assert config["path_to_text_config_file"] == "/etc/passwd"
    assert config["training"]["vocoder_path"] == str(VOCODER)
