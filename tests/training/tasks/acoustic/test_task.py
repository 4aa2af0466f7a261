"""What the verbs do with a run of a text-to-spec model: open, evaluate, export."""

from dataclasses import replace

import numpy as np
import pytest
from tests.training.tasks.acoustic.tiny_acoustic import BASE, corpus, project

from voxgraft.checkpoints import open_checkpoint
from voxgraft.errors import CheckpointError, EvaluationError
from voxgraft.export.source import find_source
from voxgraft.training.run import train
from voxgraft.training.tasks.acoustic.network import whole_network
from voxgraft.training.tasks.acoustic.task import TASK
from voxgraft.training.tasks.task import EvaluationRequest, ExportRequest, task_of_result


@pytest.fixture
def run(tmp_path):
    config = project(tmp_path / "project", training={"steps": 3})
    return config, train(config)


def test_a_run_is_evaluated_beside_its_base_and_exported(run, tmp_path):
    config, result = run
    task, opened = task_of_result(str(result.folder))
    assert task is TASK
    found = TASK.evaluate(opened, EvaluationRequest(project=config))
    assert set(found.values) == {"base", "result"}
    for scores in found.values.values():
        value, low, high = scores["mel_distance"]
        assert low <= value <= high
        assert scores["duration_error"][0] > 0
    # What is exported measures the same as what the run's best did.
    assert found.values["result"]["mel_distance"][0] == pytest.approx(result.best.mel_distance, rel=1e-4)
    source = find_source(str(result.folder))
    exported = TASK.export(source, open_checkpoint(source.path), ExportRequest(to="weights", out=tmp_path / "out"))
    again = open_checkpoint(exported.files[0])
    np.testing.assert_array_equal(again.tensors["mel_linear.weight"], opened.checkpoint.tensors["mel_linear.weight"])


def test_a_base_is_evaluated_on_recordings_and_they_must_be_named(tmp_path):
    opened = TASK.open_result(str(BASE))
    with pytest.raises(EvaluationError, match="no recordings"):
        TASK.evaluate(opened, EvaluationRequest())
    manifest = tmp_path / "manifest.jsonl"
    corpus(tmp_path / "recordings").write(manifest)
    found = TASK.evaluate(opened, EvaluationRequest(corpus=str(manifest)))
    assert set(found.values) == {"result"}


def test_other_models_are_not_its_own():
    assert TASK.open_result(str(BASE.with_name("spec-to-wav.ckpt"))) is None
    assert TASK.open_result("no/such/file") is None


def test_a_file_that_lacks_a_tensor_is_named():
    base = open_checkpoint(BASE)
    tensors = {name: base.tensors[name] for name in base.tensors if name != "mel_linear.weight"}
    with pytest.raises(CheckpointError) as caught:
        whole_network(replace(base, tensors=tensors))
    assert caught.value.field == "mel_linear.weight"


def test_the_end_of_a_run_says_what_came_out(run):
    config, result = run
    outcome = TASK.outcome(config, result.folder)
    assert outcome.files["weights"].is_file()
    assert outcome.values["best"]["mel_distance"] == pytest.approx(result.best.mel_distance)
    assert any("voxgraft match" in line for line in outcome.lines)
