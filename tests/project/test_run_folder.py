"""The names in a project's folder and in a run's."""

from pathlib import Path

from voxgraft.config.run import RunConfig
from voxgraft.project.run_folder import (
    ProjectFolder,
    RunFolder,
    checkpoint_name,
    checkpoints_in,
    project_folder,
    run_folder,
    step_of,
)


def test_a_run_knows_its_project_and_a_project_its_runs(tmp_path):
    config = RunConfig(output=str(tmp_path), name="anna")
    run = run_folder(config)
    assert run.path == tmp_path / "runs" / "anna"
    assert run.project == project_folder(config) == ProjectFolder(tmp_path)
    assert run.voice == tmp_path / "voices" / "anna"
    assert run.recogniser_model == tmp_path / "recognisers" / "anna" / "anna.onnx"


def test_names_are_those_that_are_documented():
    run = RunFolder(Path("p", "runs", "anna"))
    found = (
        run.config,
        run.plan,
        run.checkpoints,
        run.best,
        run.best_record,
        run.metrics,
        run.samples,
        run.test,
        run.report,
    )
    names = "config.yaml plan.json checkpoints best best.json metrics.jsonl samples test.json report.html"
    assert [path.relative_to(run.path).as_posix() for path in found] == names.split()
    project = run.project
    places = (project.settings, project.manifest, project.cache, project.voices, project.recognisers)
    names = "voxgraft.yaml corpus/manifest.jsonl corpus/cache voices recognisers"
    assert [path.relative_to(project.path).as_posix() for path in places] == names.split()


def test_checkpoints_are_ordered_by_step_and_half_written_ones_are_none(tmp_path):
    names = (
        "epoch=1-step=100.ckpt",
        "epoch=0-step=9.safetensors",
        "epoch=0-step=8.ckpt.tmp",
        ".epoch=0-step=7.ckpt",
        "x",
    )
    for name in names:
        (tmp_path / name).touch()
    assert [path.name for path in checkpoints_in(tmp_path)] == ["epoch=0-step=9.safetensors", checkpoint_name(1, 100)]
    assert step_of(Path("epoch=1-step=100.ckpt")) == 100
    assert step_of(Path("last.ckpt")) is None


def test_a_run_began_where_its_settings_and_its_checkpoints_are(tmp_path):
    run = RunFolder(tmp_path)
    run.checkpoints.mkdir()
    assert not run.is_run
    run.config.touch()
    assert run.is_run
