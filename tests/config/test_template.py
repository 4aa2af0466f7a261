import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from voxgraft.config.explain import setting_names
from voxgraft.config.load import load_config, parse_overrides
from voxgraft.config.run import RunConfig
from voxgraft.config.template import SHOWN, project_text

OVERRIDES = [
    "name=x",
    "base=none",
    "voice.learning_rates.decoder=1e-4",
    "voice.weights.mel=1",
    "graft.speakers=[a]",
]


def test_a_new_project_has_exactly_the_settings_given(tmp_path):
    path = tmp_path / "voxgraft.yaml"
    path.write_text(project_text(parse_overrides(OVERRIDES)), "utf-8")
    assert load_config(path) == load_config(None, [*OVERRIDES, f"output={tmp_path}"])


def test_without_settings_all_are_comments_with_their_defaults(tmp_path):
    text = project_text({})
    assert yaml.safe_load(text) is None
    shown = [line.split("# ")[1].split(":")[0] for line in text.splitlines() if line.rstrip().endswith("null")]
    assert "language" in shown
    assert set(SHOWN) <= set(setting_names(RunConfig))


def test_uncommenting_every_setting_gives_the_defaults():
    lines = []
    for line in project_text({}).splitlines()[2:]:
        body = line.replace("# ", "", 1)
        name = body.strip().split(":")[0]
        if name in {n for dotted in SHOWN for n in dotted.split(".")}:
            lines.append(body)
    values = yaml.safe_load("\n".join(lines))
    assert RunConfig.model_validate(values) == RunConfig()
    assert values["training"]["steps"] == RunConfig().training.steps


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(min_size=1, max_size=20), max_size=3), st.text(max_size=30))
def test_any_text_is_quoted_as_it_must_be(tmp_path_factory, speakers, base):
    path = tmp_path_factory.mktemp("new") / "voxgraft.yaml"
    path.write_text(project_text({"graft": {"speakers": speakers}, "base": base}), "utf-8", newline="")
    loaded = load_config(path)
    assert loaded.graft.speakers == tuple(speakers)
    assert loaded.base == base or (base and loaded.base and loaded.base.startswith("/"))


@pytest.mark.parametrize("name", SHOWN)
def test_the_settings_that_matter_are_explained(name):
    assert f"{name.rpartition('.')[2]}:" in project_text({})


def test_old_names_are_written_where_they_lie_now(tmp_path):
    path = tmp_path / "voxgraft.yaml"
    path.write_text(project_text({"quality": "high", "training": {"window": 40}}), "utf-8")
    assert (load_config(path).voice.quality, load_config(path).voice.window) == ("high", 40)
