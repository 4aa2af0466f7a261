import importlib.util

import pytest
from tests import paths

from voxgraft import RunConfig, VoxgraftError, dump_config, load_config

RECIPES = paths.ROOT / "recipes"
FIXTURES = paths.FIXTURES / "piper"


@pytest.fixture
def recipe():
    spec = importlib.util.spec_from_file_location("recipe", RECIPES / "fine_tune_voice.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_yaml_and_python_are_the_same_project(recipe, tmp_path, monkeypatch):
    monkeypatch.chdir(RECIPES)
    dump_config(recipe.PROJECT, tmp_path / "python.yaml")
    assert load_config(tmp_path / "python.yaml") == load_config(RECIPES / "fine_tune_voice.yaml")
    assert RunConfig() != recipe.PROJECT


def test_the_recipe_trains_and_speaks(recipe, tmp_path, monkeypatch, capsys):
    for package in ("torch", "lightning", "espeakng_loader"):
        pytest.importorskip(package)
    from voxgraft.corpus.manifest import Manifest
    from voxgraft.corpus.sample import bundled

    Manifest(bundled().utterances[:5]).write(tmp_path / "few.jsonl")
    monkeypatch.chdir(tmp_path)
    recipe.main(
        [
            f"base={FIXTURES / 'single.ckpt'}", "corpus.path=few.jsonl", "corpus.validation=1", "training.steps=2",
            "training.batch=2", "voice.discriminator=none", "training.precision=fp32", "training.device=cpu",
            "evaluation.recogniser=not-installed",
        ]
    )  # fmt: skip
    out = capsys.readouterr().out
    assert "100% of what speaks comes from the base" in out
    assert "2 steps in" in out
    assert (tmp_path / "runs" / "my-voice" / "plan.json").is_file()


def test_a_mistake_ends_in_one_line(recipe):
    with pytest.raises(VoxgraftError, match="no such setting"):
        recipe.main(["training.stps=2"])
