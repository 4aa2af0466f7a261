"""EveryVoice's configurations: references are followed, settings become ours, the rest is told, nothing starts by accident."""

import json
import os

import pytest

from voxgraft.config import coqui_tts
from voxgraft.config import everyvoice_settings as tables
from voxgraft.config.everyvoice import read_everyvoice
from voxgraft.config.load import check_name, load_config
from voxgraft.errors import ConfigError

DATA = """dataset: mine
save_dir: ../preprocessed
path_to_audio_config_file: everyvoice-shared-audio.yaml
source_data:
  - label: mine
    permissions_obtained: true
"""
AUDIO = "input_sampling_rate: 16000\noutput_sampling_rate: 16000\nfft_hop_size: 200\nmin_audio_length: 0.6\n"
TEXT = "symbols:\n  mine_characters: [a, b, é]\ncleaners: [everyvoice.utils.lower]\n"
ACOUSTIC = """VERSION: "1.1"
contact: {contact_name: Ada, contact_email: ada@example.com}
path_to_text_config_file: everyvoice-shared-text.yaml
path_to_preprocessing_config_file: everyvoice-shared-data.yaml
training:
  batch_size: 12
  optimizer: {learning_rate: 0.0005, warmup_steps: 300}
  pitch_loss_weight: 0.3
  max_epochs: 7
model:
  encoder: {layers: 2, heads: 2}
"""
VOCODER = """path_to_preprocessing_config_file: everyvoice-shared-data.yaml
training: {finetune: false, use_weighted_sampler: true, val_check_interval: 50}
model: {upsample_rates: [8, 5, 5, 1]}
"""


@pytest.fixture
def project(tmp_path):
    """A project as EveryVoice's wizard leaves it, preprocessed."""
    for folder in ("config", "preprocessed"):
        (tmp_path / folder).mkdir()
    for part in ("training", "validation"):
        (tmp_path / "preprocessed" / f"{part}_filelist.psv").write_text("basename|characters\n")
    files = {
        "shared-data": DATA,
        "shared-audio": AUDIO,
        "shared-text": TEXT,
        "text-to-spec": ACOUSTIC,
        "spec-to-wav": VOCODER,
    }
    for name, text in files.items():
        (tmp_path / "config" / f"everyvoice-{name}.yaml").write_text(text)
    return tmp_path


def read(project, kind: str, *changes: str):
    return read_everyvoice(project / "config" / f"everyvoice-{kind}.yaml", kind, changes)


def test_a_text_to_spec_configuration_becomes_ours(project):
    asked = read(project, "text-to-spec")
    lists = ",".join(str(project / "preprocessed" / f"{part}_filelist.psv") for part in ("training", "validation"))
    expected = {
        "task": "acoustic",
        "base": "none",
        "acoustic.family": "fastspeech2",
        "acoustic.size": "full",
        "acoustic.weights": {"pitch": 0.3},
        "acoustic.learning_rates.encoder": 0.0005,
        "acoustic.learning_rates.symbols": 0.0005,
        "training.batch": 12,
        "training.warmup": 300,
        "corpus.path": lists,
        "corpus.trim": False,
        "corpus.loudness": None,
        "corpus.shortest": 0.6,
        "acoustic.spectrogram.sample_rate": 16000,
        "acoustic.spectrogram.hop": 200,
        "acoustic.spectrogram.n_mels": 80,
        "acoustic.spectrogram.centre": True,
    }
    assert expected.items() <= asked.settings.items()
    assert asked.folder == project
    assert asked.symbols == {"mine_characters": ["a", "b", "é"]}
    told = "\n".join(asked.told)
    for name in ("training.max_epochs", "model.encoder.layers", "text.cleaners", "contact"):
        assert f"{name} is not carried over: " in told
    for name in ("heads", "VERSION", "source_data", "learning_rate", "symbols", "save_dir"):
        assert name not in told
    assert "training starts from scratch" in told


def test_every_setting_of_ours_that_the_tables_name_is_there():
    carried = (tables.CARRIED, tables.TEXT_TO_SPEC.carried, tables.SPEC_TO_WAV.carried)
    names = [name for table in carried for several in table.values() for name in several]
    names += [f"{task}.learning_rates.{part}" for task, parts in tables.RATES.items() for part in parts]
    names += coqui_tts.SETTINGS.values()
    names += [
        f"{task}.learning_rates.{part}"
        for task, rates in coqui_tts.RATES.values()
        for parts in rates.values()
        for part in parts
    ]
    for name in names:
        check_name(tuple(name.split(".")))


def test_a_configuration_from_scratch_is_a_whole_one_of_ours(project):
    settings = dict(read(project, "text-to-spec").settings)
    config = load_config(None, (), {"output": str(project), **settings})
    assert config.acoustic.weights == {"pitch": 0.3}
    assert config.acoustic.learning_rates.variance == 0.0005


def test_a_vocoder_is_fine_tuned_on_generated_spectrograms(project):
    (project / "old.ckpt").touch()
    changes = ("training.finetune=True", f"training.finetune_checkpoint={os.path.relpath(project / 'old.ckpt')}")
    asked = read(project, "spec-to-wav", *changes, "training.optimizer.learning_rate=0.00001")
    assert (
        asked.settings
        | {
            "task": "vocoder",
            "base": str(project / "old.ckpt"),
            "vocoder.generated": str(project / "preprocessed" / "synthesized_spec"),
            "vocoder.freeze_discriminator": 3,
            "vocoder.learning_rates.generator": 0.00001,
            "vocoder.learning_rates.discriminator": 0.00001,
            "training.validate_every": 50,
        }
        == asked.settings
    )
    assert not any("spectrogram." in name or name.endswith("size") for name in asked.settings)
    told = "\n".join(asked.told)
    assert "model.upsample_rates is not carried over: the checkpoint brings its own network" in told
    assert "training.use_weighted_sampler is not carried over" in told
    config = load_config(None, (), {"output": str(project), **asked.settings})
    assert (config.task, config.training.validate_every, config.corpus.trim) == ("vocoder", 50, False)


@pytest.mark.parametrize("kind", ["text-to-spec", "spec-to-wav"])
def test_the_older_name_of_the_checkpoint_is_understood_and_told(project, kind):
    (project / "config" / "old.ckpt").touch()
    path = project / "config" / f"everyvoice-{kind}.yaml"
    path.write_text(
        path.read_text()
        .replace("training:\n", "training:\n  finetune_ckpt: old.ckpt\n")
        .replace("{finetune: false", "{finetune_ckpt: old.ckpt")
    )
    asked = read(project, kind)
    assert asked.settings["base"] == str(project / "config" / "old.ckpt")
    assert "training.finetune_ckpt is called training.finetune_checkpoint" in asked.told[0]
    (project / "config" / "other.ckpt").touch()
    with pytest.raises(
        ConfigError, match=r"finetune_ckpt: names another checkpoint than training\.finetune_checkpoint"
    ):
        read(project, kind, f"training.finetune_checkpoint={project / 'config' / 'other.ckpt'}")


@pytest.mark.parametrize("name", ["finetune_checkpoint", "finetune_ckpt"])
def test_a_missing_checkpoint_stops(project, name):
    with pytest.raises(ConfigError, match=rf"training\.{name}: no such checkpoint: training from scratch"):
        read(project, "spec-to-wav", f"training.{name}=/nowhere/v.ckpt")


def test_fine_tuning_nothing_stops(project):
    with pytest.raises(ConfigError, match=r"training\.finetune: asks to fine-tune a vocoder, and no checkpoint"):
        read(project, "spec-to-wav", "training.finetune=True")


@pytest.mark.parametrize(
    ("kind", "change", "problem"),
    [
        ("text-to-spec", "training.btach_size=3", r"training\.btach_size: no such setting in EveryVoice"),
        ("text-to-spec", "training", "-c: is no setting with a value"),
        ("text-to-spec", "model.target_text_representation_level=phones", "reads characters here"),
        ("spec-to-wav", "preprocessing.audio.output_sampling_rate=32000", "speaks at another rate"),
        ("spec-to-wav", "preprocessing.audio.spec_type=mel", r"spec_type: .*mel-librosa here"),
        ("spec-to-wav", "training.training_filelist=/nowhere.psv", r"training\.training_filelist: no such filelist"),
        ("spec-to-wav", "model.encoder.layers=3", "configures text-to-spec, not spec-to-wav"),
    ],
)
def test_what_can_t_be_followed_is_one_clear_error(project, kind, change, problem):
    with pytest.raises(ConfigError, match=problem):
        read(project, kind, change)


def test_a_reference_to_nothing_names_its_file_and_field(project):
    (project / "config" / "everyvoice-shared-audio.yaml").unlink()
    with pytest.raises(ConfigError, match=r"everyvoice-shared-data\.yaml: path_to_audio_config_file: refers to a file"):
        read(project, "spec-to-wav")


def test_settings_of_the_configuration_go_before_those_of_the_file_it_refers_to(project):
    path = project / "config" / "everyvoice-spec-to-wav.yaml"
    path.write_text(VOCODER + "preprocessing:\n  audio: {input_sampling_rate: 22050}\n")
    assert read(project, "spec-to-wav").settings["vocoder.spectrogram.hop"] == 256


def test_json_and_the_shared_files_are_told_apart(project):
    path = project / "config" / "everyvoice-spec-to-wav.yaml"
    path.write_text(json.dumps({"path_to_preprocessing_config_file": "everyvoice-shared-data.yaml", "training": {}}))
    assert read(project, "spec-to-wav").settings["vocoder.size"] == "v1"
    with pytest.raises(ConfigError, match="configures the data of a project"):
        read_everyvoice(project / "config" / "everyvoice-shared-data.yaml", "spec-to-wav")
    with pytest.raises(ConfigError, match="no such configuration"):
        read_everyvoice(project / "none.yaml", "spec-to-wav")
