import pytest

from voxgraft.config.load import dump_config, load_config, parse_overrides, with_overrides
from voxgraft.config.own_settings import foreign_settings, owners, require_own_settings
from voxgraft.config.run import RunConfig
from voxgraft.errors import ConfigError


@pytest.mark.parametrize(
    ("task", "settings", "field", "whose", "trained"),
    [
        ("recogniser", ["voice.latent_noise=0.5"], "voice.latent_noise", "a voice", "a recogniser"),
        ("recogniser", ["voice.recovery.steps=5"], "voice.recovery.steps", "a voice", "a recogniser"),
        ("recogniser", ["quality=high"], "voice.quality", "a voice", "a recogniser"),
        ("recogniser", ["graft.speakers=[a]"], "graft.speakers", "a voice", "a recogniser"),
        ("recogniser", ["evaluation.seeds=1"], "evaluation.seeds", "a voice", "a recogniser"),
        ("recogniser", ["corpus.loudness=-20"], "corpus.loudness", "a voice", "a recogniser"),
        ("voice", ["graft.bytes=false"], "graft.bytes", "a recogniser", "a voice"),
        ("voice", ["recogniser.learning_rates.new=1"], "recogniser.learning_rates.new", "a recogniser", "a voice"),
        ("text-to-spec", ["voice.quality=high"], "voice.quality", "a voice", "an acoustic model"),
        ("spec-to-wav", ["graft.speakers=[a, b]"], "graft.speakers", "a voice", "a vocoder"),
    ],
)
def test_a_setting_of_another_task_is_an_error_that_says_whose_it_is(task, settings, field, whose, trained):
    config = with_overrides(RunConfig(), settings)
    fault = foreign_settings(config, task)
    assert fault is not None
    assert fault.field == field
    assert fault.problem == f"is a setting of {whose}, and what is trained here is {trained}"
    assert fault.remedy == f"Remove it, or start from a base that is {whose}."
    with pytest.raises(ConfigError, match=field):
        require_own_settings(config, task)


def test_shared_settings_and_what_nobody_set_are_no_fault():
    config = RunConfig(voice={}, training={"steps": 3}, corpus={"longest": 3}, graft={"allow_partial": True})
    for task in ("voice", "recogniser", "text-to-spec", "spec-to-wav"):
        assert foreign_settings(config, task) is None
    assert foreign_settings(RunConfig(graft={"speakers": ["a"]}), "text-to-spec") is None


def test_many_foreign_settings_are_one_error():
    voice = {"quality": "low", "window": None, "segment": 8192, "replay": 0.1, "weights": {"mel": 1, "kl": 1}}
    fault = foreign_settings(RunConfig(voice=voice, evaluation={"dnsmos": False}), "recogniser")
    assert fault.field == "evaluation.dnsmos, voice.quality, voice.window, voice.segment and 3 more"
    assert fault.remedy.startswith("Remove them")


def test_what_is_written_holds_what_the_task_has_and_can_be_trained_again(tmp_path):
    path = tmp_path / "c.yaml"
    config = RunConfig(task="recogniser", output=str(tmp_path), seed=3)
    text = dump_config(config, path)
    assert "recogniser:" in text
    assert not any(name in text for name in ("latent_noise", "speakers", "loudness"))
    assert load_config(path) == config
    require_own_settings(load_config(path), "recogniser")
    dump_config(RunConfig(output=str(tmp_path), voice={"window": None}), path)
    assert load_config(path).voice.window is None
    assert foreign_settings(load_config(path), "voice") is None
    assert foreign_settings(load_config(path), "recogniser").field == "voice.window"


def test_every_owner_names_a_setting():
    names = owners(RunConfig())
    assert {"voice.window", "recogniser.train", "graft.alphabet", "voice_type"} <= set(names)
    for name in names:
        parse_overrides([f"{name}=null"])
