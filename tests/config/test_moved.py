import pytest

from voxgraft.config.load import load_config, parse_overrides, with_overrides
from voxgraft.config.moved import MOVED, tell_moved
from voxgraft.config.run import RunConfig
from voxgraft.errors import ConfigError

OLD = """\
quality: high
training:
  steps: 7
  window: 40
  learning_rates: {decoder: 1e-5}
recovery: {steps: 3}
evaluation: {sentences: [a b], seeds: 2}
"""


@pytest.fixture(autouse=True)
def nothing_told_yet():
    tell_moved.cache_clear()
    yield
    tell_moved.cache_clear()


def _project(folder, text):
    (folder / "voxgraft.yaml").write_text(text, "utf-8")
    return folder


def test_an_old_file_is_read_and_each_moved_setting_is_named_once(tmp_path, capsys):
    config = load_config(_project(tmp_path, OLD))
    load_config(tmp_path)
    assert (config.voice.quality, config.voice.window, config.voice.recovery.steps) == ("high", 40, 3)
    assert (config.voice.learning_rates.decoder, config.voice.sentences) == (1e-5, ("a b",))
    assert (config.training.steps, config.evaluation.seeds) == (7, 2)
    told = capsys.readouterr().err.splitlines()
    assert [line.split()[2] for line in told] == [
        "quality", "recovery", "training.window", "training.learning_rates", "evaluation.sentences",
    ]  # fmt: skip
    assert (
        "the setting training.window is called voice.window now; training.window is still read, but write voice.window in voxgraft.yaml and after --set"
        in told
    )


def test_old_overrides_win_over_the_file_whatever_its_names(tmp_path):
    _project(tmp_path, "voice: {discriminator: piper, learning_rates: {flow: 1}}\ntraining: {window: 40}\n")
    config = load_config(
        tmp_path, ["training.discriminator=none", "training.learning_rates.decoder=2"], {"training.window": None}
    )
    assert (config.voice.discriminator, config.voice.window) == ("none", None)
    assert (config.voice.learning_rates.flow, config.voice.learning_rates.decoder) == (1, 2)
    assert parse_overrides(["quality=high"]) == {"voice": {"quality": "high"}}
    assert with_overrides(RunConfig(), ["noise_scale=1"]).voice.noise_scale == 1


def test_old_keywords_of_python_are_read():
    config = RunConfig(quality="low", training={"weights": {"mel": 1}}, voice={"weights": {"kl": 2}})
    assert (config.voice.quality, config.voice.weights.mel, config.voice.weights.kl) == ("low", 1, 2)
    assert config.training.model_fields_set == set()


@pytest.mark.parametrize(
    "text",
    [
        "quality: high\nvoice: {quality: low}\n",
        "training: {window: 40}\nvoice: {window: 50}\n",
        "recovery: {steps: 1, batch: 2}\nvoice: {recovery: {batch: 3}}\n",
    ],
)
def test_a_setting_under_both_names_is_an_error(tmp_path, text):
    with pytest.raises(ConfigError, match="set twice") as caught:
        load_config(_project(tmp_path, text))
    assert caught.value.field in {"voice.quality", "voice.window", "voice.recovery.batch"}
    assert caught.value.file == str(tmp_path / "voxgraft.yaml")
    assert caught.value.remedy.startswith(f"Keep {caught.value.field} and delete ")


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("seed: 1\nquality: best\n", "voice.quality (line 2)"),
        ("training:\n  learning_rates:\n    decodr: 1\n", "voice.learning_rates.decodr (line 3)"),
        ("training: 4\nquality: low\n", "training (line 1)"),
        ("voice: 4\nquality: low\n", "voice"),
    ],
)
def test_a_fault_of_a_moved_setting_names_its_line(tmp_path, text, field):
    with pytest.raises(ConfigError) as caught:
        load_config(_project(tmp_path, text))
    assert caught.value.field == field


def test_every_moved_setting_has_a_place():
    for new in MOVED.values():
        parse_overrides([f"{new}=null"])
