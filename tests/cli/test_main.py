"""The command itself: verbs load lazily, and its help stays quick however many there are."""

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from voxgraft.cli.main import VERBS, app, load_verb


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_in_the_table_loads_and_has_help(verb):
    assert load_verb(verb)
    done = CliRunner().invoke(app, [verb, "--help"])
    assert done.exit_code == 0
    assert "Usage" in done.output


def test_help_lists_every_verb_without_importing_one():
    code = (
        "import sys; from voxgraft.cli.main import app\n"
        "try: app(['--help'])\n"
        "except SystemExit: pass\n"
        "loaded = set(sys.modules)\n"
        "heavy = {'numpy', 'onnxruntime', 'torch', 'rich', 'pydantic', 'yaml', 'soundfile'} & loaded\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert all(f"\n  {verb} " in done.stdout for verb in VERBS)


def test_a_misspelt_verb_is_bad_usage_with_a_suggestion():
    done = CliRunner().invoke(app, ["txet"])
    assert done.exit_code == 2
    assert "'text'" in done.output


def test_no_verb_prints_help():
    assert "Commands:" in CliRunner().invoke(app, []).output


def test_a_fault_of_ours_is_no_traceback_unless_asked(monkeypatch, capsys):
    from voxgraft.cli import main as module

    def broken():
        raise KeyError("n_fft")

    monkeypatch.setattr(module, "app", broken)
    monkeypatch.delenv("VOXGRAFT_TRACEBACK", raising=False)
    with pytest.raises(SystemExit) as stopped:
        module.main()
    assert stopped.value.code == 1
    said = capsys.readouterr().err
    assert "error: a fault of voxgraft itself: KeyError" in said
    assert "Traceback" not in said
    monkeypatch.setenv("VOXGRAFT_TRACEBACK", "1")
    with pytest.raises(KeyError):
        module.main()
