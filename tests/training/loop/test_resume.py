"""What is asked for when a run goes on: obeyed, refused, or the same as it was."""

import pytest

from voxgraft.config.load import load_config, with_overrides
from voxgraft.config.run import RunConfig
from voxgraft.errors import TrainingError
from voxgraft.training.loop.resume import ASKED, require_same_corpus, with_obeyed, write_asked


def config(*settings):
    return with_overrides(RunConfig(name="tiny"), settings)


@pytest.fixture
def began(tmp_path):
    """A run that began with settings, those that were left to us decided: what was kept of it."""

    def begin(*settings, settled=("training.batch=8",)):
        asked = config(*settings)
        write_asked(asked, tmp_path)
        return with_overrides(asked, settled)

    return begin


def test_what_can_be_obeyed_is(began, tmp_path):
    kept = began("training.steps=2")
    now = with_obeyed(kept, config("training.steps=6", "training.patience=3"), tmp_path)
    assert (now.training.steps, now.training.patience, now.training.batch) == (6, 3, 8)


@pytest.mark.parametrize("back", ["seed=0", "training.batch=auto", "training.precision=auto", "training.ema=0.99"])
def test_what_a_run_began_with_is_not_changed_to_the_default_in_silence(began, tmp_path, back):
    kept = began("seed=7", "training.batch=4", "training.precision=bf16", "training.ema=0.5", settled=())
    with pytest.raises(TrainingError, match="goes on with the settings that it began with") as caught:
        with_obeyed(kept, config(back), tmp_path)
    assert caught.value.field == back.partition("=")[0]


def test_what_was_left_to_us_may_be_left_to_us_again(began, tmp_path):
    kept = began("training.steps=2")
    assert with_obeyed(kept, config("training.steps=2", "training.batch=auto"), tmp_path) == kept
    assert with_obeyed(kept, config("training.batch=8"), tmp_path) == kept


@pytest.mark.parametrize("content", [None, "training: {see", "", "- 1\n", "a: !!int x\n"])
def test_without_what_was_asked_then_the_settings_of_the_run_are_compared_with(began, tmp_path, content):
    kept = began("seed=7")
    (tmp_path / ASKED).unlink() if content is None else (tmp_path / ASKED).write_text(content)
    assert with_obeyed(kept, config("seed=7", "training.batch=auto"), tmp_path) == kept
    with pytest.raises(TrainingError, match="seed was 7 and is 8 now"):
        with_obeyed(kept, config("seed=8"), tmp_path)


ROWS = [["train", "a", "one", "h1"], ["train", "b", "two", "h2"], ["validation", "c", "three", "h3"]]


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([ROWS[1], ROWS[0], ROWS[2]], "come in another order"),
        (ROWS[:2], "1 gone"),
        ([*ROWS, ["train", "d", "four", "h4"]], "1 new"),
        ([["train", "a", "uno", "h1"], *ROWS[1:]], "1 with another text"),
        ([*ROWS[:2], ["validation", "c", "three", "x"]], "1 with another recording"),
        ([["validation", "a", "one", "h1"], *ROWS[1:]], "1 new, 1 gone"),
    ],
)
def test_another_corpus_is_told(rows, told, tmp_path):
    require_same_corpus(ROWS, [tuple(row) for row in ROWS], tmp_path)
    with pytest.raises(TrainingError, match=told):
        require_same_corpus(ROWS, rows, tmp_path)


def test_the_best_weights_are_named_where_there_are_some(tmp_path):
    with pytest.raises(TrainingError) as caught:
        require_same_corpus(ROWS, ROWS[:2], tmp_path)
    assert "--base" not in caught.value.remedy
    best = tmp_path / "a run" / "best" / "epoch=0-step=2.ckpt"
    best.parent.mkdir(parents=True)
    best.touch()
    with pytest.raises(TrainingError) as caught:
        require_same_corpus(ROWS, ROWS[:2], tmp_path / "a run")
    assert f"--base '{best}'" in caught.value.remedy


def test_what_an_option_overruled_at_the_beginning_may_stand_in_the_projects_file(tmp_path):
    (tmp_path / "voxgraft.yaml").write_text("name: tiny\nbase: of-the-file.ckpt\ntraining:\n  steps: 9\n")
    in_file = with_overrides(
        RunConfig(name="tiny", output=str(tmp_path), base="of-the-file.ckpt"), ["training.steps=9"]
    )
    kept = with_overrides(in_file, ["base=other.ckpt", "training.steps=3"])
    write_asked(kept, tmp_path)
    assert with_obeyed(kept, load_config(tmp_path), tmp_path) == kept
    assert with_obeyed(kept, load_config(tmp_path, ["training.steps=5"]), tmp_path).training.steps == 5
    with pytest.raises(TrainingError, match="base"):
        with_obeyed(kept, load_config(tmp_path, ["base=third.ckpt"]), tmp_path)
