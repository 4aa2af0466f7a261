"""What goes wrong is provoked in real runs, and named with what to change; nothing of it is said of one that goes well."""

import pytest
from tests.checkpoints.fixture_files import DEEPSPEECH
from tests.training.tasks.ctc.tiny_recogniser import project

from voxgraft.training.run import train

pytestmark = pytest.mark.usefixtures("without_export")
BASE = DEEPSPEECH / "english"
STEADY = {"decay": "none", "warmup": 0, "ema": 0.0, "patience": 100, "batch": 8}


def said_of(config, capsys):
    """Warnings of a run while it trained, and its report."""
    result = train(config)
    warnings = [line for line in capsys.readouterr().err.splitlines() if line.startswith("warning: step")]
    return warnings, (result.folder / "report.html").read_text("utf-8")


def test_steps_that_kill_the_network_end_in_blank_collapse(tmp_path, capsys):
    training = STEADY | {"steps": 120, "validate_every": 15}
    recogniser = {"n_hidden": 16, "dropout": 0.0, "learning_rates": {"new": 0.1}}
    warnings, page = said_of(project(tmp_path, training=training, recogniser=recogniser), capsys)
    (found,) = [line for line in warnings if "blank collapse" in line]
    assert "recogniser.learning_rates.new: a third of it where it is over 0.01" in found
    assert "nothing but blanks is heard" in page


def test_a_rate_that_moves_nothing_is_a_plateau(tmp_path, capsys):
    training = STEADY | {"steps": 6, "validate_every": 1}
    config = project(tmp_path, BASE, training=training, recogniser={"learning_rates": {"encoder": 1e-9}})
    warnings, page = said_of(config, capsys)
    (found,) = warnings
    assert found.startswith("warning: step 4: plateau: neither errors nor loss have fallen")
    assert "training.plateau=2" in found
    assert "plateau: neither errors" in page


def test_a_rate_that_is_far_too_high_explodes(tmp_path, capsys):
    training = STEADY | {"steps": 6, "validate_every": 1, "gradient_clip": 1e9}
    config = project(tmp_path, BASE, training=training, recogniser={"learning_rates": {"encoder": 3.0}})
    warnings, page = said_of(config, capsys)
    (found,) = [line for line in warnings if "exploding loss" in line]
    assert "Set lower learning rates" in found
    assert "exploding loss" in page


def test_a_warm_up_that_outlasts_the_run_is_told_before_the_first_step(tmp_path, capsys):
    training = {"steps": 6, "warmup": 4, "validate_every": 3}
    result = train(project(tmp_path, training=training))
    said = capsys.readouterr().err
    assert said.index("too long a warm-up: 4 of 6 steps pass") < said.index("step 3: CER")
    assert "set training.warmup=1" in said
    assert "too long a warm-up" in (result.folder / "report.html").read_text("utf-8")


def test_a_few_clips_that_are_learned_by_heart_are_overfitting(tmp_path, capsys):
    recogniser = project(tmp_path).recogniser
    few = project(tmp_path / "few", texts=("abba", "cab", "dad d", "bbdd", "ccaa")).recogniser.train
    config = project(
        tmp_path, training=STEADY | {"steps": 600, "validate_every": 60, "batch": 5},
        recogniser={"n_hidden": 32, "dropout": 0.0, "train": few, "dev": recogniser.dev, "test": recogniser.test},
    )  # fmt: skip
    warnings, _ = said_of(config, capsys)
    assert any("overfitting" in line and "recogniser.augment" in line for line in warnings)


def test_of_a_run_that_goes_well_nothing_is_said(tmp_path, capsys):
    training = {"steps": 120, "validate_every": 30, "batch": 8, "decay": "none"}
    config = project(tmp_path, training=training, recogniser={"n_hidden": 48, "dropout": 0.0})
    warnings, page = said_of(config, capsys)
    assert warnings == []
    assert "Nothing: neither blank collapse" in page
