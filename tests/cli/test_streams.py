"""What commands print where the encoding lacks letters, the disk has no room, or nobody reads on."""

import json
import os
import subprocess
import sys

import pytest

CALL = [sys.executable, "-c", "from voxgraft.cli.main import main; main()"]
TEXT = ["text", "Übung → ɐ", "--lang", "de"]


def command(*arguments, cwd, stdout=subprocess.PIPE, **environment):
    variables = {k: v for k, v in os.environ.items() if k not in ("PYTHONIOENCODING", "PYTHONUTF8", "LC_ALL", "LANG")}
    return subprocess.run(
        [*CALL, *arguments],
        cwd=cwd,
        stdout=stdout,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        timeout=120,
        env={**variables, "COLUMNS": "100", **environment},
    )


@pytest.fixture(scope="module", autouse=True)
def phonemes():
    pytest.importorskip("espeakng_loader")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp437", "utf-8", "utf-16"])
def test_a_table_is_written_in_every_encoding(tmp_path, encoding):
    done = command(*TEXT, cwd=tmp_path, PYTHONIOENCODING=encoding)
    assert done.returncode == 0, done.stderr
    assert "bung" in done.stdout.decode(encoding)
    complaint = b"stand as question marks" in done.stderr
    assert complaint == (encoding not in ("utf-8", "utf-16"))


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp437", "utf-8", "utf-16"])
def test_json_is_whole_in_every_encoding(tmp_path, encoding):
    done = command(*TEXT, "--json", cwd=tmp_path, PYTHONIOENCODING=encoding)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.decode(encoding)) == json.loads(
        command(*TEXT, "--json", cwd=tmp_path, PYTHONIOENCODING="utf-8").stdout
    )
    assert done.stderr == b""


def test_the_posix_locale(tmp_path):
    words = ["text", "a thing", "--lang", "en-us", "--json"]
    done = command(*words, cwd=tmp_path, LC_ALL="C", PYTHONCOERCECLOCALE="0", PYTHONUTF8="0")
    assert done.returncode == 0, done.stderr
    assert done.stdout.isascii()
    assert json.loads(done.stdout)


def test_letters_that_no_encoding_has_are_shown_as_question_marks(tmp_path):
    done = command("text", os.fsdecode(b"a \xff b"), "--lang", "en-us", "--json", cwd=tmp_path)
    assert b"a fault of voxgraft itself" not in done.stderr
    if done.returncode == 0:
        json.loads(done.stdout)


@pytest.mark.parametrize("arguments", [["--version"], TEXT, [*TEXT, "--json"], ["library", "list"]])
def test_a_full_disk_under_standard_output_is_one_error(tmp_path, arguments):
    if not os.path.exists("/dev/full"):
        pytest.skip("needs /dev/full")
    with open("/dev/full", "w") as full:
        done = command(*arguments, cwd=tmp_path, stdout=full, VOXGRAFT_HOME=str(tmp_path))
    assert done.returncode == 1
    assert b"error: the disk is full" in done.stderr
    assert b"Exception ignored" not in done.stderr


@pytest.mark.parametrize("arguments", [["--version"], TEXT, [*TEXT, "--json"]])
def test_nobody_reading_on_is_no_complaint(tmp_path, arguments):
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = command(*arguments, cwd=tmp_path, stdout=writing, PYTHONIOENCODING="utf-8")
    finally:
        os.close(writing)
    assert done.returncode == 1
    assert done.stderr == b""


@pytest.mark.parametrize("closed", [(1,), (2,), (1, 2)])
def test_closed_streams_do_no_harm(tmp_path, closed):
    code = f"import os; [os.close(number) for number in {closed}]\nos.execv({sys.executable!r}, {[*CALL, 'text', 'bad', '--lang', 'en-us', '--json']!r})"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stderr == b""
