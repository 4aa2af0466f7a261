"""The two commands of Coqui STT's guide, and what else its users do."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.checkpoints.fixture_files import DEEPSPEECH
from tests.training.tasks.ctc.tiny_recogniser import ENGLISH, RUSSIAN, table, tables

from voxgraft.cli.main import load_verb
from voxgraft.errors import ConfigError, CorpusError, TrainingError
from voxgraft.training.tasks.ctc.coqui_stt import train_stt

SMALL = ["corpus.shortest=0.1", "training.device=cpu"]


@pytest.fixture(autouse=True)
def _without_export(monkeypatch):
    monkeypatch.setattr(
        "voxgraft.training.tasks.ctc.setup.export_recogniser", lambda checkpoint, folder, name: folder / f"{name}.onnx"
    )


def files(folder, texts=ENGLISH):
    named = tables(folder, texts)
    return [argument for part in ("train", "dev", "test") for argument in (f"--{part}_files", *named[part])]


def contents(folder):
    return {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_fine_tuning_writes_beside_tensorflows_files_and_the_next_run_loads_the_newest(tmp_path, capsys):
    folder = tmp_path / "checkpoints"
    shutil.copytree(DEEPSPEECH / "english", folder)
    before = contents(folder)
    command = ["--checkpoint_dir", str(folder), *files(tmp_path / "csv"), "--epochs", "1", "--train_batch_size", "4"]
    first = train_stt(command, SMALL)
    assert contents(folder) == before
    assert first.folder == folder / "runs" / "stt-1"
    assert first.outcome.values["cer"] is not None
    assert first.outcome.values["base_cer"] is not None
    assert "the newest best" not in capsys.readouterr().err
    second = train_stt([argument.replace("_", "-", 1) for argument in command[:1]] + command[1:], SMALL)
    assert second.folder == folder / "runs" / "stt-2"
    assert (
        f"starting from {first.folder / 'best' / first.best.weights}, the newest best of voxgraft's"
        in capsys.readouterr().err
    )
    assert second.outcome.values["base_cer"] == first.outcome.values["cer"]
    assert contents(folder) == before


def test_transfer_tests_the_new_model_though_the_folders_differ(tmp_path):
    alphabet = tmp_path / "alphabet.txt"
    alphabet.write_text("# Cyrillic\n \nа\nб\nв\nг\n", "utf-8")
    arguments = [
        "--drop_source_layers", "1", "--alphabet_config_path", str(alphabet), "--save_checkpoint_dir", str(tmp_path / "out"),
        "--load_checkpoint_dir", str(DEEPSPEECH / "english"), *files(tmp_path / "csv", RUSSIAN), "--epochs=1",
    ]  # fmt: skip
    verb = load_verb("train-stt")
    changes = [part for change in SMALL for part in ("--set", change)]
    told = CliRunner().invoke(verb, [*arguments, "--load_cudnn", "--train_batch_size", "4", *changes, "--json"])
    assert told.exit_code == 0, told.output
    document = json.loads(told.stdout)
    assert set(document) >= {"wer", "cer", "base_wer", "base_cer", "run"}
    assert len(document["cer"]) == len(document["base_cer"]) == 3
    assert document["run"] == str(tmp_path / "out" / "runs" / "stt-1")
    assert (tmp_path / "out" / "runs" / "stt-1" / "test.json").is_file()


def test_an_empty_checkpoint_dir_is_from_scratch_but_a_wrong_path_to_load_from_is_not(tmp_path, capsys):
    csv = files(tmp_path / "csv")
    with pytest.raises(TrainingError, match=r"no checkpoint to start from \(.*got no such folder\)"):
        train_stt(
            ["--load_checkpoint_dir", str(tmp_path / "typo"), "--save_checkpoint_dir", str(tmp_path / "out"), *csv]
        )
    result = train_stt(["--checkpoint_dir", str(tmp_path / "new"), "--n_hidden", "8", "--epochs", "1", *csv], SMALL)
    assert "training starts from scratch" in capsys.readouterr().err
    assert result.outcome.values["base_cer"] is None
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.txt").write_text("nothing")
    with pytest.raises(TrainingError, match="no checkpoint to start from"):
        train_stt(["--checkpoint_dir", str(tmp_path / "other"), *csv])


@pytest.mark.parametrize(
    ("arguments", "error", "problem"),
    [
        (["--train_files", "a.csv"], ConfigError, "where to save is not said"),
        (["--checkpoint_dir", "{new}"], ConfigError, "--train_files: no recordings to train on"),
        (["--checkpoint_dir", "{new}", "--train_files", "absent.csv"], CorpusError, "no such file"),
        (
            ["--checkpoint_dir", "{new}", "--train_files", "{csv}", "--drop_source_layers", "1"],
            ConfigError,
            "there is no base to drop layers from",
        ),
        (
            [
                "--checkpoint_dir",
                "{new}",
                "--train_files",
                "{csv}",
                "--bytes_output_mode",
                "--alphabet_config_path",
                "a",
            ],
            ConfigError,
            "byte output has no alphabet",
        ),
    ],
)
def test_what_is_missing_is_said_before_anything_is_written(tmp_path, arguments, error, problem):
    csv = table(tmp_path / "csv", "train", ENGLISH)
    filled = [argument.format(new=tmp_path / "new", csv=csv) for argument in arguments]
    with pytest.raises(error) as caught:
        train_stt(filled)
    assert problem in caught.value.summary
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda text: text.replace("train-3.wav", "gone.wav"), "line 5"),
        (lambda text: text.replace("train-3.wav", "../../etc/passwd"), "line 5"),
        (lambda text: text.replace("acca", ""), "line 5"),
        (lambda text: "", "empty"),
        (lambda text: text.splitlines()[0] + "\n", "no usable recordings"),
    ],
)
def test_a_table_that_is_not_whole_is_named_by_file_and_line(tmp_path, change, problem):
    command = ["--checkpoint_dir", str(tmp_path / "new"), *files(tmp_path / "csv"), "--n_hidden", "8", "--epochs", "1"]
    csv = tmp_path / "csv" / "train.csv"
    csv.write_text(change(csv.read_text("utf-8")), "utf-8")
    with pytest.raises(CorpusError) as caught:
        train_stt(command, SMALL)
    assert problem in caught.value.summary
    assert str(csv) in caught.value.summary
    assert not (tmp_path / "new" / "runs").exists()


def test_bad_rows_are_left_out_where_asked_and_a_byte_order_mark_is_none(tmp_path):
    command = ["--checkpoint_dir", str(tmp_path / "new"), *files(tmp_path / "csv"), "--n_hidden", "8", "--epochs", "1"]
    csv = tmp_path / "csv" / "train.csv"
    csv.write_text("\ufeff" + csv.read_text("utf-8").replace("train-3.wav", "gone.wav"), "utf-8")
    result = train_stt(command, [*SMALL, "corpus.skip_bad=true"])
    assert result.finished


def test_resume_goes_on_with_the_last_run(tmp_path, monkeypatch):
    from tests.training.stopping import stop_before

    command = ["--checkpoint_dir", str(tmp_path / "new"), *files(tmp_path / "csv"), "--n_hidden", "8", "--epochs", "3"]
    with pytest.raises(TrainingError, match="no run to go on with"):
        train_stt(command, resume=True)
    with monkeypatch.context() as patch:
        stop_before(patch, 1)
        stopped = train_stt(command, [*SMALL, "training.batch=4"])
    assert (stopped.finished, stopped.step) == (False, 2)
    resumed = train_stt(command, resume=True)
    assert (resumed.finished, resumed.step, resumed.folder) == (True, 6, stopped.folder)
    assert resumed.outcome.values["cer"] is not None


def test_absolute_names_in_a_table_are_read_as_coqui_stt_does_unless_it_is_not_trusted(tmp_path):
    csv = files(tmp_path / "csv")
    for name in csv[1::2]:
        rows = Path(name).read_text("utf-8").splitlines()
        absolute = [rows[0], *(f"{tmp_path / 'csv'}/{row}" for row in rows[1:])]
        elsewhere = tmp_path / "tables" / Path(name).name
        elsewhere.parent.mkdir(exist_ok=True)
        elsewhere.write_text("\n".join(absolute) + "\n", "utf-8")
    csv[1::2] = [str(tmp_path / "tables" / Path(name).name) for name in csv[1::2]]
    command = ["--checkpoint_dir", str(tmp_path / "new"), "--n_hidden", "8", "--epochs", "1", *csv]
    with pytest.raises(CorpusError, match="unsafe path") as caught:
        train_stt(command, [*SMALL, "corpus.follow_links=false"])
    assert "--follow-links" in caught.value.remedy
    options = [*command, *(part for change in SMALL for part in ("--set", change))]
    told = CliRunner().invoke(load_verb("train-stt"), options)
    assert told.exit_code == 0, told.output
