"""The flags of Coqui TTS's trainer as settings of ours."""

import json

import pytest

from voxgraft.config.coqui_tts import is_coqui, read_coqui
from voxgraft.errors import ConfigError


@pytest.fixture
def model(tmp_path):
    (tmp_path / "model.pth").touch()
    (tmp_path / "config.json").write_text(json.dumps({"model": "glow_tts", "lr": 0.001, "batch_size": 32}))
    return tmp_path / "model.pth"


def test_the_fine_tuning_guide_s_own_command(model):
    asked = read_coqui(
        [("--restore_path", str(model)), ("--coqpit.run_name", "glow-tts-finetune"), ("--coqpit.lr", "0.00001")]
    )
    rates = {name: value for name, value in asked.settings.items() if "learning_rates" in name}
    assert asked.settings["base"] == str(model)
    assert asked.settings["name"] == "glow-tts-finetune"
    assert set(rates.values()) == {0.00001}
    assert {"acoustic.learning_rates.decoder", "acoustic.learning_rates.encoder"} <= set(rates)
    assert not asked.told
    assert "training.batch" not in asked.settings


def test_a_configuration_that_was_edited_counts(model, tmp_path):
    config = {
        "model": "glow_tts", "run_name": "mine", "lr": 2e-5, "batch_size": 8, "epochs": 1000, "output_path": "/no/such/place",
        "datasets": [{"formatter": "ljspeech", "path": "/data/mine", "meta_file_train": "metadata.csv"}],
    }  # fmt: skip
    (tmp_path / "edited.json").write_text(json.dumps(config))
    asked = read_coqui(
        [("--config_path", str(tmp_path / "edited.json")), ("--restore_path", str(model)), ("--coqpit.batch_size", "4")]
    )
    expected = {
        "name": "mine",
        "training.batch": 4,
        "corpus.path": "/data/mine/metadata.csv",
        "acoustic.learning_rates.decoder": 2e-5,
    }
    assert expected.items() <= asked.settings.items()
    assert "output" not in asked.settings
    assert any("place of another machine" in line for line in asked.told)


@pytest.mark.parametrize(
    ("model_name", "field", "setting"),
    [
        ("vits", "lr_gen", "voice.learning_rates.decoder"),
        ("vits", "lr_disc", "voice.learning_rates.discriminator"),
        ("hifigan", "lr_gen", "vocoder.learning_rates.generator"),
        ("univnet", "lr", "vocoder.learning_rates.generator"),
    ],
)
def test_each_kind_of_model_has_its_own_rates(tmp_path, model_name, field, setting):
    (tmp_path / "c.json").write_text(json.dumps({"model": model_name}))
    asked = read_coqui([("--config_path", str(tmp_path / "c.json")), (f"--coqpit.{field}", "1e-4")])
    assert float(asked.settings[setting]) == 1e-4


def test_precision_data_and_places_are_carried(tmp_path):
    asked = read_coqui(
        [
            ("--coqpit.mixed_precision", "True"),
            ("--coqpit.datasets.0.path", str(tmp_path)),
            ("--coqpit.output_path", "out"),
        ]
    )
    assert asked.settings["training.precision"] == "bf16"
    assert asked.settings["corpus.path"] == str(tmp_path)
    assert asked.settings["output"].endswith("/out")


@pytest.mark.parametrize(
    ("pair", "problem"),
    [
        (("--restore_path", "/nowhere.pth"), r"--restore_path: no such file"),
        (("--continue_path", "/runs/1"), "goes on with a run of Coqui's own trainer"),
        (("--coqpit.epochs", "3"), "is not one of voxgraft train"),
        (("--coqpit.audio.sample_rate", "3"), "is not one of voxgraft train"),
        (("--coqpit.bacth_size", "3"), "no such field"),
        (("--coqpit.lr", "3"), "for which kind of model this is, is not known"),
    ],
)
def test_what_can_t_be_followed_is_one_clear_error(pair, problem):
    with pytest.raises(ConfigError, match=problem):
        read_coqui([pair])


def test_a_rate_that_a_model_doesn_t_have_is_told(model):
    with pytest.raises(ConfigError, match="is no learning rate of glow_tts") as caught:
        read_coqui([("--restore_path", str(model)), ("--coqpit.lr_gen", "3")])
    assert caught.value.remedy == "It has lr."


def test_their_flags_are_told_from_ours():
    assert [is_coqui(a) for a in ("--coqpit.lr", "--restore_path=x", "--config_path", "--set", "--resume", "-c")] == [
        True, True, True, False, False, False,
    ]  # fmt: skip
