import os

import pytest

from voxgraft.config.coqui_stt import FLAGS, read_flags
from voxgraft.config.load import with_overrides
from voxgraft.config.run import RunConfig
from voxgraft.errors import ConfigError

FOREVER = {"training.patience": 10**6}


@pytest.mark.parametrize(
    "arguments",
    [
        ("--train_files", "a.csv,b.csv", "--epochs", "3"),
        ("--train-files=a.csv,b.csv", "--epochs=3"),
        ("--train_files", "a.csv", "b.csv", "--epochs", "3"),
        ("--train_files", "a.csv", "--train-files", "b.csv", "--epochs", "3"),
    ],
)
def test_dashes_underscores_commas_and_repeats_mean_the_same(arguments):
    here = os.getcwd()
    wanted = {"recogniser.train": (f"{here}/a.csv", f"{here}/b.csv"), "recogniser.epochs": 3}
    assert read_flags(arguments).settings == wanted | FOREVER


def test_one_learning_rate_is_that_of_every_layer():
    settings = read_flags(["--learning_rate", "1e-4", "--dropout_rate", ".1"]).settings
    assert settings["recogniser.learning_rates.encoder"] == settings["recogniser.learning_rates.new"] == 1e-4
    assert settings["recogniser.dropout"] == 0.1


def test_switches_need_no_value():
    settings = read_flags(
        ["--bytes_output_mode", "--early_stop", "--es_epochs", "7", "--reduce_lr_on_plateau"]
    ).settings
    assert settings == {"graft.bytes": True, "training.patience": 7, "training.plateau": 10}
    assert read_flags(["--bytes-output-mode", "false"]).settings == {"graft.bytes": False} | FOREVER


def test_augmentations_are_kept_as_they_are_written():
    written = ("--augment", "pitch[p=0.2,pitch=1~0.1]", "volume[dbfs=-30~5]", "--augment", "add")
    assert read_flags(written).settings["recogniser.augment"] == (
        "pitch[p=0.2,pitch=1~0.1]",
        "volume[dbfs=-30~5]",
        "add",
    )


def test_flags_with_nothing_to_do_are_told():
    told = read_flags(["--load_cudnn", "--train_cudnn", "true", "--dev_batch_size", "8", "--automatic_mixed_precision"])
    assert len(told.told) == 4
    assert any(
        "--load_cudnn has nothing to do here: what CuDNN saved is read like any other" in line for line in told.told
    )
    assert told.settings["training.precision"] == "bf16"
    assert read_flags(["--load_cudnn", "false"]).settings == FOREVER


@pytest.mark.parametrize(
    ("arguments", "problem", "remedy"),
    [
        (["--scorer_path", "x.scorer"], "--scorer_path: this flag of Coqui STT is not one of", "voxgraft lm"),
        (["--trian_files", "a.csv"], "--trian_files: no such flag", "Did you mean --train_files"),
        (["--epochs", "many"], "--epochs: can't be read (expected a whole number, got many)", "Correct"),
        (["--epochs"], "--epochs: needs one value (got nothing)", "Write --epochs VALUE."),
        (["--epochs", "1", "2"], "--epochs: needs one value (got 1 2)", "Write --epochs VALUE."),
        (["--bytes_output_mode", "perhaps"], "--bytes_output_mode: can't be read (expected true or false", "Correct"),
        (["train.csv"], "train.csv: is not a flag", "--train_files"),
    ],
)
def test_what_can_not_be_meant_is_named(arguments, problem, remedy):
    with pytest.raises(ConfigError) as caught:
        read_flags(arguments)
    assert problem in caught.value.summary
    assert remedy in caught.value.remedy


def test_every_setting_of_the_table_is_there():
    names = {name for flag in FLAGS.values() for name in flag.settings}
    known = RunConfig().model_dump()
    for name in names:
        place = known
        for part in name.split("."):
            assert part in place, name
            place = place[part]
    assert with_overrides(RunConfig(), ["recogniser.epochs=2"]).recogniser.epochs == 2
