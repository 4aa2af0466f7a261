"""`voxgraft train` from a shell: what it writes, prints and refuses."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import soundfile
import yaml

pytest.importorskip("torch")
pytest.importorskip("lightning")
from tests.training.tasks.vits.tiny_project import corpus, settings, spelt

COMMAND = "import torch; torch.set_num_threads(1); from voxgraft.cli.main import main; main()"


@pytest.fixture
def voxgraft(tmp_path):
    """Run the command in the folder of the test."""
    environment = os.environ | {"VOXGRAFT_HOME": str(tmp_path / "home"), "OMP_NUM_THREADS": "1"}

    def run(*arguments):
        return subprocess.run(
            [sys.executable, "-c", COMMAND, *arguments],
            cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip

    return run


@pytest.fixture
def here(tmp_path, monkeypatch, capsys):
    """The same without a process of its own: (exit code, stdout, stderr)."""
    from voxgraft.cli.main import main

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VOXGRAFT_HOME", str(tmp_path / "home"))

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["voxgraft", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code or 0, *capsys.readouterr()

    return run


@pytest.fixture
def written(tmp_path):
    """A project as a file, its base an exported voice."""
    values = settings(tmp_path, spelt("single.onnx", tmp_path / "base"), steps=2, discriminator="none")
    values["corpus"]["path"] = str(corpus(tmp_path / "recordings"))
    del values["output"]
    (tmp_path / "voxgraft.yaml").write_text(yaml.safe_dump(values), "utf-8")
    return tmp_path


def test_from_recordings_to_speech(here, written):
    """import, plan, train two steps, export, say."""
    done, _, err = here("corpus", "import", "recordings")
    assert done == 0, err
    done, out, err = here("plan", ".", "--json")
    assert done == 0, err
    assert json.loads(out)["parameters_carried"] == 1.0
    done, out, err = here("train", ".", "--json")
    assert done == 0, err
    told = json.loads(out)
    assert told.keys() >= {"run", "step", "steps", "finished", "voice", "best"}
    assert (told["step"], told["steps"], told["finished"]) == (2, 2, True)
    folder = written / "runs" / "tiny"
    assert told["run"] == str(folder)
    found = {path.name for path in folder.iterdir()}
    assert found >= {"config.yaml", "plan.json", "checkpoints", "samples", "metrics.jsonl", "best"}
    assert [p.name for p in (folder / "checkpoints").iterdir()] == ["epoch=0-step=2.ckpt"]
    done, _, err = here("export", "runs/tiny", "--out", "out")
    assert done == 0, err
    assert list((written / "out").glob("*.onnx"))
    done, _, err = here("say", told["voice"], "a bad cab", "-o", "words.wav")
    assert done == 0, err
    sound, rate = soundfile.read(written / "words.wav")
    assert rate == 16000
    assert len(sound) > 1000
    assert np.abs(sound).max() > 0.01


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--set", "training.stepz=3"], 1, ["training.stepz", "training.steps"]),
        (["--set", "training.steps=many"], 1, ["training.steps"]),
        (["--set", "training.steps=0"], 1, ["training.steps"]),
        (["--set", "nonsense"], 1, ["nonsense"]),
        (["--device", "cuda"], 1, ["training.device", "got cuda"]),
        (["--resume"], 1, ["no such run", "without --resume"]),
        (["--base", "absent.ckpt"], 1, ["absent.ckpt"]),
        (["--base", "x.ckpt", "--from-scratch"], 2, ["--from-scratch"]),
        (["--name", "../out"], 1, ["name"]),
        (["--set", "training.devices=9", "--set", "training.batch=3"], 1, ["training.devices", "at most 3"]),
    ],
)
def test_mistakes_end_in_one_clear_error_and_write_nothing(here, written, arguments, code, words):
    import torch

    if "cuda" in arguments and torch.cuda.is_available():
        pytest.skip("there is one")
    found, out, err = here("train", ".", *arguments)
    assert found == code, err
    assert "Traceback" not in err
    if code == 1:
        assert [line.startswith("error: ") for line in err.splitlines()].count(True) == 1
        assert err.splitlines()[-1].startswith("  "), "the remedy"
    for word in words:
        assert word in err
    assert out == ""
    assert not (written / "runs").exists()


def test_a_name_that_is_taken_is_an_error_and_another_is_not(here, written):
    code, _, err = here("train", ".")
    assert code == 0, err
    code, _, err = here("train", ".")
    assert code == 1
    assert "a run of this name already" in err
    assert "--resume" in err
    code, out, err = here("train", ".", "--name", "second", "--output", "elsewhere", "--json")
    assert code == 0, err
    assert json.loads(out)["run"].endswith("elsewhere/runs/second")
    assert "taken from the cache" in err, "recovery happens once"


def test_a_folder_without_a_project_is_an_error(here, tmp_path):
    code, _, err = here("train", str(tmp_path))
    assert code == 1
    assert "no such project" in err
