"""What the system refuses is one clear error in every command, never a fault of ours."""

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests import paths

from voxgraft.cli.system_errors import explained
from voxgraft.files import replacing, write_atomically

CALL = [sys.executable, "-c", "from voxgraft.cli.main import main; main()"]
VOICE = paths.FIXTURES / "piper" / "single.onnx"


def fails_clearly(*arguments, cwd, named=None, **environment):
    done = subprocess.run(
        [*CALL, *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=120,
        env={**os.environ, **environment},
    )
    assert done.returncode == 1, (done.stdout, done.stderr)
    assert "a fault of voxgraft itself" not in done.stderr
    error, remedy = done.stderr.splitlines()[-2:]
    assert error.startswith("error: ")
    assert remedy.startswith("  ")
    assert remedy.endswith((".", "?"))
    if named is not None:
        assert str(named) in error
    return error


@pytest.fixture
def blocked(tmp_path):
    """A file where a folder is wanted."""
    path = tmp_path / "blocked"
    path.write_text("a file")
    return path


@pytest.fixture
def texts(tmp_path):
    path = tmp_path / "texts.txt"
    path.write_text("a b c\nb c d\n" * 20)
    return path


def test_a_file_in_the_place_of_the_library(tmp_path, blocked):
    base = paths.FIXTURES / "piper" / "single.onnx"
    fails_clearly("library", "add", base, cwd=tmp_path, named=blocked, VOXGRAFT_HOME=str(blocked))
    fails_clearly("library", "fetch", base.as_uri(), cwd=tmp_path, named=blocked, VOXGRAFT_HOME=str(blocked))


@pytest.mark.parametrize("name", ["entries", "files", "staging", "downloads", ".lock"])
def test_what_is_in_the_way_in_the_library(tmp_path, name):
    """A file where a folder is wanted, and the other way round."""
    (tmp_path / "library").mkdir()
    if name == ".lock":
        (tmp_path / "library" / name).mkdir()
    else:
        (tmp_path / "library" / name).write_text("a file")
    arguments = ["fetch", VOICE.as_uri()] if name == "downloads" else ["add", VOICE]
    fails_clearly("library", *arguments, cwd=tmp_path, named=tmp_path, VOXGRAFT_HOME=str(tmp_path))


@pytest.mark.parametrize(("place", "named"), [("blocked/lm.arpa", "blocked"), ("folder", "folder")])
def test_a_language_model_that_has_no_place(tmp_path, blocked, texts, place, named):
    (tmp_path / "folder").mkdir()
    fails_clearly("lm", texts, "-o", place, cwd=tmp_path, named=named)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["blocked", "folder", "texts.txt"]


def test_a_project_that_has_no_place(tmp_path, blocked):
    fails_clearly("new", blocked / "project", cwd=tmp_path, named=blocked)


def test_speech_that_has_no_place(tmp_path, blocked):
    (tmp_path / "folder").mkdir()
    for place in (blocked / "say.wav", tmp_path / "folder"):
        fails_clearly("say", VOICE, "bad", "-o", place, cwd=tmp_path, named=place)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may do everything")
def test_without_permission(tmp_path, texts):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    fails_clearly("lm", texts, "-o", closed / "lm.arpa", cwd=tmp_path, named=closed)
    fails_clearly("new", closed / "project", cwd=tmp_path, named=closed)
    fails_clearly("library", "add", VOICE, cwd=tmp_path, VOXGRAFT_HOME=str(closed))
    unread = shutil.copy(VOICE, tmp_path / "unread.onnx")
    Path(unread).chmod(0)
    fails_clearly("inspect", unread, cwd=tmp_path, named=unread)
    fails_clearly("say", unread, "bad", cwd=tmp_path, named=unread)


def piece_by_piece(path):
    with replacing(path) as temporary:
        temporary.write_bytes(b"")


@pytest.mark.parametrize("number", sorted({errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EIO, errno.EDQUOT}))
@pytest.mark.parametrize("write", [lambda path: write_atomically(path, "{}"), piece_by_piece])
def test_what_a_disk_refuses_names_the_file_that_was_asked_for(tmp_path, monkeypatch, number, write):
    path = tmp_path / "a.json"

    def refuse(_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OSError, match=r"a\.json") as fault:
        write(path)
    said = explained(fault.value)
    assert said.file == str(path)
    assert said.remedy.endswith(".")
    assert list(tmp_path.iterdir()) == []


def test_what_no_person_can_mend_stays_a_fault_of_ours():
    assert explained(OSError("odd")) is None
    assert explained(OSError(errno.EBADF, "Bad file descriptor")) is None


def test_a_file_that_is_named_by_its_number_is_not_named():
    assert explained(OSError(errno.ENOSPC, "No space left on device", 7)).file is None
