from importlib.metadata import EntryPoint
from types import SimpleNamespace

import pytest
from pydantic import Field

from voxgraft.config.load import dump_config, load_config, with_overrides
from voxgraft.config.own_settings import foreign_settings
from voxgraft.config.run import RunConfig
from voxgraft.config.section import Section
from voxgraft.config.tasks import registry
from voxgraft.errors import ConfigError


class Rates(Section):
    """Rates."""

    slope: float = Field(0.1, ge=0)


class TinyConfig(Section):
    """What only a tiny line has."""

    width: int = Field(3, ge=1)
    rates: Rates = Field(Rates())


TASK = SimpleNamespace(section=TinyConfig)
BROKEN = SimpleNamespace(section=dict)


@pytest.fixture
def tiny(monkeypatch):
    """A task from outside, offered by an installed package."""
    point = EntryPoint("tiny", f"{__name__}:TASK", registry.GROUP)
    monkeypatch.setattr(registry, "_offered", lambda: {"tiny": point})
    return "tiny"


def test_the_built_in_sections_are_those_of_the_settings():
    kinds = {name: RunConfig.model_fields[name].annotation for name in registry.BUILT_IN}
    assert kinds == registry.BUILT_IN


def test_a_task_from_outside_has_a_section_in_files_overrides_and_python(tiny, tmp_path):
    (tmp_path / "voxgraft.yaml").write_text("task: tiny\ntiny: {width: 5}\n")
    by_file = load_config(tmp_path, ["tiny.rates.slope=1e-3"])
    by_python = RunConfig(task="tiny", output=str(tmp_path), tiny={"width": 5, "rates": {"slope": 1e-3}})
    assert by_file == by_python
    assert by_file.section("tiny") == TinyConfig(width=5, rates=Rates(slope=1e-3))
    assert with_overrides(by_file, ["tiny.width=6"]).section("tiny").width == 6
    assert with_overrides(by_file).section("tiny").model_fields_set == {"width", "rates"}
    path = tmp_path / "dumped.yaml"
    assert "latent_noise" not in dump_config(by_file, path)
    assert load_config(path) == by_file


def test_without_settings_it_has_the_defaults(tiny):
    config = RunConfig(task="tiny")
    assert config.section("tiny") == TinyConfig()
    assert config.section("voice") == config.voice
    with pytest.raises(ConfigError, match="no such task"):
        config.section("teeny")


@pytest.mark.parametrize(
    ("text", "problem", "remedy"),
    [
        ("tiny: {widht: 5}\n", "tiny.widht (line 1): no such setting", "`tiny.width`"),
        ("tiny: {width: 0}\n", "tiny.width (line 1): must be greater", "docs/configuration.md"),
        ("tny: {width: 5}\n", "tny (line 1): no such setting", "`tiny`"),
        ("task: tny\n", " or tiny (got 'tny')", "docs/configuration.md"),
    ],
)
def test_its_mistakes_are_told_as_all_are(tiny, tmp_path, text, problem, remedy):
    (tmp_path / "voxgraft.yaml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path)
    assert problem in caught.value.summary
    assert remedy in caught.value.remedy
    with pytest.raises(ConfigError, match="tiny"):
        load_config(None, ["tiny.widht=5"])


def test_its_settings_are_foreign_to_others_and_others_to_it(tiny):
    assert foreign_settings(RunConfig(tiny={"width": 3}), "voice").field == "tiny.width"
    assert foreign_settings(RunConfig(tiny={"width": 3}), "tiny") is None
    fault = foreign_settings(RunConfig(voice={"window": 40}), "tiny")
    assert "what is trained here is a model of the task tiny" in fault.problem


def test_without_the_package_its_settings_are_an_error(monkeypatch):
    monkeypatch.setattr(registry, "_offered", dict)
    with pytest.raises(ConfigError, match="no such setting"):
        RunConfig(tiny={"width": 3})
    with pytest.raises(ConfigError, match=r"must be auto, voice, .* or \w+ \(got 'tiny'\)"):
        RunConfig(task="tiny")


@pytest.mark.parametrize("value", [f"{__name__}:BROKEN", f"{__name__}:ABSENT", "no_such_module_here:TASK"])
def test_a_broken_package_is_named(monkeypatch, value):
    monkeypatch.setattr(registry, "_offered", lambda: {"tiny": EntryPoint("tiny", value, registry.GROUP)})
    assert RunConfig().task == "auto", "a run of another task goes on"
    with pytest.raises(ConfigError, match="installed package") as caught:
        RunConfig(tiny={})
    assert caught.value.field == "tiny"
