"""Folders of checkpoints that are not whole, as `train-stt` meets them: one message, and nothing written over."""

import shutil

import pytest
from tests.checkpoints.fixture_files import DEEPSPEECH
from tests.training.tasks.ctc.tiny_recogniser import ENGLISH, table

from voxgraft.checkpoints import open_checkpoint
from voxgraft.config.coqui_stt import read_flags
from voxgraft.errors import CheckpointError, ConfigError, GraftError
from voxgraft.graft.plan_project import plan_project
from voxgraft.project.project import open_base
from voxgraft.training.tasks.ctc.coqui_stt import config_of, train_stt

BEST, LAST = "best_dev-2", "train-3"


@pytest.fixture
def saved(tmp_path):
    """A copy of a training folder of DeepSpeech's."""
    shutil.copytree(DEEPSPEECH / "english", tmp_path / "saved")
    return tmp_path / "saved"


def command(tmp_path, saved, *more):
    csv = table(tmp_path / "csv", "train", ENGLISH)
    return [
        "--load_checkpoint_dir",
        str(saved),
        "--save_checkpoint_dir",
        str(tmp_path / "new"),
        "--train_files",
        str(csv),
        *more,
    ]


def config(tmp_path, saved, *more):
    return config_of(read_flags(command(tmp_path, saved, *more)))


def planned(tmp_path, saved, *more):
    return plan_project(config(tmp_path, saved, *more))


def without(*names):
    return lambda folder: [(folder / name).unlink() for name in names]


def cut(name, length):
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:length])


def unfinished(folder):
    (folder / f"{BEST}.index").unlink()
    data = folder / f"{BEST}.data-00000-of-00001"
    data.rename(data.with_name(data.name + ".tempstate17"))


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (without("best_dev_checkpoint"), "train-3 is taken, the last; no best one is marked"),
        (without("checkpoint"), "best_dev-2 is taken, the best on its development set"),
        (without("checkpoint", "best_dev_checkpoint", f"{BEST}.index"), "train-3.index is taken, the only one"),
    ],
)
def test_what_lacks_a_pointer_is_opened_and_the_choice_is_told(tmp_path, saved, damage, told):
    damage(saved)
    assert any(told in note for note in planned(tmp_path, saved).plan.warnings)


@pytest.mark.parametrize(
    ("damage", "file", "problem", "remedy"),
    [
        (without("checkpoint", "best_dev_checkpoint"), "", "several saves and no pointer", "--load_checkpoint_dir"),
        (without(f"{BEST}.index"), f"{BEST}.index", "not in the folder", f"{LAST}.index, which is whole"),
        (unfinished, f"{BEST}.index", "not in the folder", f"{LAST}.index, which is whole"),
        (cut(f"{BEST}.data-00000-of-00001", 900), f"{BEST}.data-00000-of-00001", "cut off", f"{LAST}.index, which is whole"),
        (cut(f"{BEST}.index", 90), f"{BEST}.index", "end of the index is missing", f"{LAST}.index, which is whole"),
        (cut("best_dev_checkpoint", 0), "best_dev_checkpoint", "names no save", f"{BEST}.index, which is whole"),
    ],
)  # fmt: skip
def test_what_is_not_whole_is_named_with_what_to_take_instead(tmp_path, saved, damage, file, problem, remedy):
    damage(saved)
    before = {path: path.read_bytes() for path in saved.iterdir()}
    with pytest.raises(CheckpointError) as caught:
        train_stt(command(tmp_path, saved))
    assert caught.value.file == str(saved / file)
    assert problem in caught.value.problem
    assert remedy in caught.value.remedy
    assert {path: path.read_bytes() for path in saved.iterdir()} == before
    assert not (tmp_path / "new").exists()


def test_a_save_that_is_named_itself_is_taken(tmp_path, saved):
    without("checkpoint", "best_dev_checkpoint")(saved)
    assert open_base(config(tmp_path, saved / f"{LAST}.index")).step == 3


def test_a_best_of_ours_that_is_damaged_is_told_as_that(tmp_path, saved):
    folder = saved / "runs/stt-1/best"
    folder.mkdir(parents=True)
    (folder / "epoch=1-step=2.safetensors").write_bytes(b"123")
    with pytest.raises(CheckpointError, match="the newest best here can't be opened") as caught:
        train_stt(command(tmp_path, saved))
    assert "--load_checkpoint_dir" in caught.value.remedy
    assert len(caught.value.summary) < 400
    (folder / "epoch=1-step=2.safetensors").rename(folder / ".epoch=1-step=2.safetensors.tmp")
    assert config(tmp_path, saved).base == str(saved), "what was not finished is no best"


@pytest.mark.parametrize("flag", ["--save_checkpoint_dir", "--checkpoint_dir"])
def test_a_file_is_no_folder_to_save_in(tmp_path, saved, flag):
    csv = table(tmp_path / "csv", "train", ENGLISH)
    with pytest.raises(ConfigError, match=f"{flag}: is a file") as caught:
        train_stt([flag, str(saved / f"{LAST}.index"), "--train_files", str(csv)])
    assert "--load_checkpoint_dir" in caught.value.remedy


def test_a_save_without_its_alphabet_takes_the_one_that_is_named_or_gets_a_new_output_layer(tmp_path, saved):
    own = (saved / "alphabet.txt").rename(tmp_path / "own.txt")
    other = tmp_path / "other.txt"
    other.write_text(" \na\nb\nc\nd\n", "utf-8")
    for more in ([], ["--alphabet_config_path", str(other)]):
        with pytest.raises(GraftError) as caught:
            train_stt(command(tmp_path, saved, *more))
        assert "does not say what its 29 outputs mean" in caught.value.summary
        assert "alphabet.txt beside it" in caught.value.summary
    named = ["--alphabet_config_path", str(own)]
    assert open_base(config(tmp_path, saved, *named)).symbols == open_checkpoint(DEEPSPEECH / "english").symbols
    plan = planned(tmp_path, saved, *named).plan
    assert (plan.counts["copy"], plan.refusals) == (len(plan.rows), ())
    anew = planned(tmp_path, saved, "--alphabet_config_path", str(other), "--drop_source_layers", "1").plan
    assert {row.action for row in anew.rows if row.part == "layer_6" and row.target} == {"init"}
    assert anew.refusals == ()
